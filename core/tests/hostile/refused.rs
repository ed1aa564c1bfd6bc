//! Every command of every scene is answered once with NO, BAD, BYE, and with all its data and then NO.

use super::runs::{Undisturbed, each, is_usable, play, undisturbed};
use super::script::Scene;
use crate::support::faults::{Faults, How, Refusal, Which};
use mailtide::{Code, MailError};
use std::sync::atomic::Ordering;

#[test]
fn a_refusal_is_an_error_of_its_kind_and_the_session_goes_on() {
    let mut cases = Vec::new();
    for Undisturbed { scene, told, commands, .. } in undisturbed() {
        cases.extend((0..commands).flat_map(|nth| How::ALL.map(|how| (scene, told.clone(), nth, how))));
    }
    assert!(each(cases, refuse) > 400);
}

async fn refuse((scene, told, nth, how): (Scene, String, usize, How)) {
    let what = format!("{}: command {nth} answered with {how:?}", scene.name);
    let refuse = Some(Refusal { which: Which::Nth(nth), how });
    let run = play(&scene, Faults { refuse, ..scene.faults() }).await;
    let sent = run.server.state.commands.load(Ordering::Relaxed) > nth;
    let name = run.server.names().get(nth).cloned().unwrap_or_default();
    match &run.result {
        Ok(result) if !sent => assert_eq!(*result, told, "{what}"),
        Ok(result) => assert!(may_pass(&scene, &name, how, result, &told), "{what} ({name}): passed as {result}"),
        Err(error) => {
            assert!(sent, "{what}: {error}");
            assert!(fits(error, &name, how), "{what} ({name}): {error:?} {:?}", error.bulk());
        }
    }
    run.server.set(scene.faults());
    is_usable(&run, &what).await;
}

/// Refusals that are no failure of the call.
fn may_pass(scene: &Scene, name: &str, how: How, result: &str, told: &str) -> bool {
    match name {
        // The connection is gone all the same.
        "LOGOUT" => result == told,
        // A stretch beyond the end of a section whose size is not known.
        "UID FETCH" => scene.name == "contents" && result == told,
        // One mailbox of many that has no status; the others have theirs.
        "STATUS" if scene.name.starts_with("mailboxes") => {
            how != How::Bye && result.matches("status: None").count() == 1
        }
        _ => false,
    }
}

/// The code that each refusal of each command has.
fn fits(error: &MailError, name: &str, how: How) -> bool {
    let bulk = || {
        error.code() == Code::BulkPartial
            && error.bulk().is_some_and(|b| {
                let failed = b.failed.iter().all(|(_, e)| fits(e, name, how));
                failed && (how == How::Bye) == b.failed.is_empty() && b.failed.len() + b.unknown.len() > 0
            })
    };
    let plain = match (how, name) {
        (How::Bye, _) => Code::ServerBye,
        (How::Bad, _) => Code::ServerBad,
        (_, "LOGIN") => Code::AuthRejected,
        (How::No | How::NoAfterData, _) => Code::ServerRefused,
    };
    error.code() == plain || bulk()
}
