//! A planted password never stands in a log, an error or the `Debug` of anything, however a session fails.

use super::runs::each;
use super::script::SCENES;
use crate::support::faults::{Faults, How, Refusal, Which};
use crate::support::server::{PASSWORD, Server};
use log::{LevelFilter, Log, Metadata, Record};
use mailtide::{Engine, EngineOptions, LogLine};
use std::sync::{Arc, Mutex, Once};

/// Keeps lines in which the password stands; of all crates, at every level.
struct Catcher;

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LINES: Mutex<usize> = Mutex::new(0);

impl Log for Catcher {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        *LINES.lock().unwrap() += 1;
        note(&format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn note(text: &str) {
    // As bytes in a list too, which is how a buffer prints itself.
    let bytes = format!("{:?}", PASSWORD.as_bytes());
    if text.contains(PASSWORD) || text.contains(bytes.trim_matches(['[', ']'])) {
        FOUND.lock().unwrap().push(text.to_owned());
    }
}

#[test]
fn the_password_is_nowhere_to_be_seen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Catcher).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    let mut cases = vec![Faults::default()];
    for how in How::ALL {
        let refuse = |which| Faults { refuse: Some(Refusal { which, how }), ..Faults::default() };
        cases.extend((0..8).map(|nth| refuse(Which::Nth(nth))));
    }
    cases.extend((0..700).step_by(7).map(|at| Faults { cut: Some(at), ..Faults::default() }));
    // A server that repeats what it was told.
    let parrots = [
        format!("X NO {PASSWORD} is wrong\r\n"),
        format!("* BYE {PASSWORD}\r\n"),
        format!("* OK [ALERT] {PASSWORD}\r\n"),
    ];
    cases.extend(parrots.map(|line| Faults { instead: Some(("LOGIN", line.into_bytes())), ..Faults::default() }));
    each(cases, look);
    assert!(*LINES.lock().unwrap() > 100, "nothing was logged");
    let found = FOUND.lock().unwrap();
    assert!(found.is_empty(), "{} times, such as {:?}", found.len(), found.first());
}

async fn look(faults: Faults) {
    let server = Server::start(faults).await;
    let logger = Arc::new(|line: LogLine| note(&format!("{line:?}")));
    let options = EngineOptions { max_connections: 1, logger: Some(logger), ..EngineOptions::default() };
    note(&format!("{options:?}"));
    let engine = Engine::new(options, tokio::runtime::Handle::current());
    let account = server.account();
    note(&format!("{account:?} {engine:?}"));
    match engine.connect(account).await {
        Err(error) => note(&format!("{error} {error:?}")),
        Ok(session) => {
            note(&format!("{session:?} {:?} {:?}", session.account(), session.mailbox("INBOX")));
            for scene in SCENES.iter().filter(|s| ["status", "contents", "move", "append", "close"].contains(&s.name)) {
                match (scene.calls)(session.clone()).await {
                    Ok(told) => note(&told),
                    Err(error) => note(&format!("{error} {error:?} {:?}", error.bulk())),
                }
            }
        }
    }
}
