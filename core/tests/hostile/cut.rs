//! The connection is cut after every byte that the server writes.

use super::runs::{Undisturbed, each, is_lost, is_usable, play, undisturbed};
use super::script::Scene;
use crate::support::faults::Faults;

#[test]
fn a_cut_at_any_byte_is_a_lost_connection_or_the_whole_result() {
    let mut cases = Vec::new();
    for Undisturbed { scene, told, connected, written, .. } in undisturbed() {
        let from = if scene.name == "connect" { 0 } else { connected };
        // A cut right after a line of data is the one that is most easily taken for the end.
        let at = (from..written).filter(|at| (at - from) % scene.every as u64 == 0 || at + 200 > written);
        cases.extend(at.map(|at| (scene, told.clone(), at)));
    }
    let count = each(cases, cut);
    assert!(count > 5000, "only {count} cuts");
}

async fn cut((scene, told, at): (Scene, String, u64)) {
    let what = format!("{} cut after byte {at}", scene.name);
    let run = play(&scene, Faults { cut: Some(at), reset: at.is_multiple_of(3), ..scene.faults() }).await;
    match &run.result {
        Ok(result) => assert_eq!(*result, told, "{what}"),
        Err(error) => assert!(is_lost(error, run.session.is_none()), "{what}: {error:?}"),
    }
    if at.is_multiple_of(8) || run.result.is_ok() {
        is_usable(&run, &what).await;
    }
}
