//! Running a scene with a fault, and judging what came of it.

use super::script::{SCENES, Scene, rows};
use crate::support::faults::Faults;
use crate::support::server::{PASSWORD, Server};
use futures_util::{StreamExt, stream};
use mailtide::{Code, FetchOptions, MailError, Session};
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// No run takes nearly as long; one that does hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Runs at once.
const TOGETHER: usize = 24;

/// What one run has come to.
pub struct Run {
    pub server: Server,
    pub session: Option<Session>,
    pub result: Result<String, MailError>,
    /// Bytes that the server had written when the session stood.
    pub connected: u64,
}

/// Plays a scene against a new server.
pub async fn play(scene: &Scene, faults: Faults) -> Run {
    let what = format!("{} with {faults:?}", scene.name);
    let playing = async {
        let server = Server::start(faults).await;
        let (session, result, connected) = match server.session(1).await {
            Ok(session) => {
                let connected = server.written();
                let result = (scene.calls)(session.clone()).await;
                (Some(session), result, connected)
            }
            Err(error) => (None, Err(error), 0),
        };
        Run { server, session, result, connected }
    };
    let run = tokio::time::timeout(DEADLINE, playing).await.unwrap_or_else(|_| panic!("hangs: {what}"));
    let offences = run.server.state.offences.lock().unwrap().clone();
    assert!(offences.is_empty(), "{what}: {offences:?}");
    if let Err(error) = &run.result {
        let told = format!("{error} {error:?} {:?}", error.bulk());
        assert!(!told.contains(PASSWORD), "{what}: the password stands in {told}");
    }
    run
}

/// Whether the session, or a new one where there is none, still does what it should: at the first try.
pub async fn is_usable(run: &Run, what: &str) {
    let trying = async {
        let session = match &run.session {
            Some(session) => session.clone(),
            None => run.server.session(1).await.unwrap_or_else(|e| panic!("{what}: connecting again: {e}")),
        };
        if session.is_closed() {
            return;
        }
        let status = session.status("Stable").await.unwrap_or_else(|e| panic!("{what}: status afterwards: {e}"));
        assert_eq!(status.messages, Some(3), "{what}");
        let stable = session.mailbox("Stable").unwrap();
        let found = rows(&stable, FetchOptions::default()).await.unwrap_or_else(|e| panic!("{what}: fetch: {e}"));
        assert_eq!(found.lines().count(), 3, "{what}: {found}");
    };
    tokio::time::timeout(DEADLINE, trying).await.unwrap_or_else(|_| panic!("hangs afterwards: {what}"));
}

/// Does `work` for each of `cases`, a few at once, on both cores.
pub fn each<T, F>(cases: Vec<T>, work: fn(T) -> F) -> usize
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    each_of(cases, TOGETHER, work)
}

/// The same, so many at once: for runs that mostly wait.
pub fn each_of<T, F>(cases: Vec<T>, together: usize, work: fn(T) -> F) -> usize
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let count = cases.len();
    let failed = runtime.block_on(async {
        let running = stream::iter(cases).map(|case| tokio::spawn(work(case))).buffer_unordered(together);
        let failed = running.filter_map(|done| async move { done.err() });
        failed.map(|e| e.to_string().chars().take(600).collect::<String>()).collect::<Vec<_>>().await
    });
    let first = failed.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {count} runs failed, such as\n{first}", failed.len());
    count
}

/// A scene on a server that does as it should.
pub struct Undisturbed {
    pub scene: Scene,
    /// What its calls gave.
    pub told: String,
    /// Bytes that the server had written when the session stood, and at the end.
    pub connected: u64,
    pub written: u64,
    /// Commands that it read.
    pub commands: usize,
}

/// The scenes with what comes of them on a server that does as it should.
pub fn undisturbed() -> Vec<Undisturbed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut out = Vec::new();
        for scene in SCENES {
            let run = play(scene, scene.faults()).await;
            let told = run.result.as_ref().unwrap_or_else(|e| panic!("{}: {e}", scene.name)).clone();
            is_usable(&run, scene.name).await;
            let again = play(scene, scene.faults()).await;
            let (connected, written) = (again.connected, again.server.written());
            let commands = again.server.state.commands.load(Ordering::Relaxed);
            assert_eq!(told, again.result.unwrap(), "{} is not the same twice", scene.name);
            out.push(Undisturbed { scene: *scene, told, connected, written, commands });
        }
        out
    })
}

/// Whether `error` says no more and no less than that the connection was lost, or not made while `connecting`.
pub fn is_lost(error: &MailError, connecting: bool) -> bool {
    match error.code() {
        Code::NetLost => true,
        Code::NetConnect => connecting,
        // Part of it may have been done before: what is not known to be done is unknown, and nothing has failed.
        Code::BulkPartial => error.bulk().is_some_and(|b| b.failed.is_empty() && !b.unknown.is_empty()),
        _ => false,
    }
}
