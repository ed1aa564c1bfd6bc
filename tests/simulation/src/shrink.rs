//! Cuts a failing history down, as long as it fails in the same way.

use crate::device::Engine;
use crate::history::{History, Step};
use crate::run::run;

/// Most runs that a reduction may take.
const RUNS: usize = 1500;

/// The smallest history found that breaks the same invariant.
#[must_use]
pub fn shrink(history: &History, engine: &dyn Engine, invariant: &str) -> History {
    let mut best = history.clone();
    let mut runs = RUNS;
    let mut fails = |candidate: &History| {
        runs = runs.saturating_sub(1);
        runs > 0 && run(candidate, engine).violations.iter().any(|v| v.invariant == invariant)
    };
    loop {
        let before = best.clone();
        without_steps(&mut best, &mut fails);
        without_parts(&mut best, &mut fails);
        plainer(&mut best, &mut fails);
        if best == before {
            return best;
        }
    }
}

/// Takes steps out, first many at once.
fn without_steps(best: &mut History, fails: &mut impl FnMut(&History) -> bool) {
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < best.steps.len() {
            let mut candidate = best.clone();
            candidate.steps.drain(at..(at + size).min(best.steps.len()));
            if fails(&candidate) {
                *best = candidate;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
}

/// Takes faults and crashes out of steps.
fn without_parts(best: &mut History, fails: &mut impl FnMut(&History) -> bool) {
    for at in 0..best.steps.len() {
        for simpler in simpler(&best.steps[at]) {
            let mut candidate = best.clone();
            candidate.steps[at] = simpler;
            if fails(&candidate) {
                *best = candidate;
            }
        }
    }
}

fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::Sync { device, faults, crash, store, meanwhile } => {
            let (device, crash, store) = (*device, *crash, *store);
            let with = |faults: &[_], crash, store, meanwhile: &Option<_>| {
                let (faults, meanwhile) = (faults.to_vec(), meanwhile.clone());
                Step::Sync { device, faults, crash, store, meanwhile }
            };
            let mut out = Vec::new();
            if crash.is_some() {
                out.push(with(faults, None, store, meanwhile));
            }
            if store.is_some() {
                out.push(with(faults, crash, None, meanwhile));
            }
            if meanwhile.is_some() {
                out.push(with(faults, crash, store, &None));
            }
            for at in 0..faults.len() {
                let mut fewer = faults.clone();
                fewer.remove(at);
                out.push(with(&fewer, crash, store, meanwhile));
            }
            out
        }
        Step::Local { device, act, crash: Some(_), .. } | Step::Local { device, act, store: Some(_), .. } => {
            vec![Step::Local { device: *device, act: act.clone(), crash: None, store: None }]
        }
        _ => Vec::new(),
    }
}

/// Fewer devices, fewer messages, a plainer server.
fn plainer(best: &mut History, fails: &mut impl FnMut(&History) -> bool) {
    let mut tries = vec![History { devices: 1, ..best.clone() }];
    tries.extend((0..best.messages).map(|messages| History { messages, ..best.clone() }));
    tries.push(History { personality: "dovecot".to_owned(), ..best.clone() });
    for candidate in tries {
        let candidate = History { steps: best.steps.clone(), ..candidate };
        if candidate != *best && fails(&candidate) {
            *best = candidate;
            return;
        }
    }
}
