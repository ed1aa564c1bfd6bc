//! Who holds the lease: this process, named so that another one on the same machine can tell whether it still runs.
//!
//! A lease lasts a minute from its last renewal. Who finds that its holder has died on this machine need not wait for
//! that. Anything that is not certain counts as alive: another machine or another container, a reboot, a system other
//! than Linux, and a `/proc` that does not show the processes of others.

use std::io::ErrorKind;
use std::path::Path;

/// The name of this process: `process 4711 begun 86400 on 0f3c2a19/4026531836`; without what the system does not tell.
pub(crate) fn name() -> String {
    let id = std::process::id();
    match (begun(id), place()) {
        (Begun::At(ticks), Some(place)) => format!("process {id} begun {ticks} on {place}"),
        _ => format!("process {id}"),
    }
}

/// Whether the lease is this process's, whatever it does under it.
pub(super) fn is_ours(holder: &str) -> bool {
    let name = name();
    holder.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
}

/// Whether the process of that name ran on this machine and runs no more.
pub(super) fn is_gone(holder: &str) -> bool {
    let Some((id, ticks, at)) = parse(holder) else { return false };
    if place().as_deref() != Some(at) || !Path::new("/proc/1").exists() {
        return false;
    }
    match begun(id) {
        Begun::Never => true,
        // The number has been given to another process since.
        Begun::At(now) => now != ticks,
        Begun::Unknown => false,
    }
}

fn parse(holder: &str) -> Option<(u32, u64, &str)> {
    let (id, rest) = holder.strip_prefix("process ")?.split_once(" begun ")?;
    let (ticks, rest) = rest.split_once(" on ")?;
    let place = rest.split(',').next()?;
    Some((id.parse().ok()?, ticks.parse().ok()?, place))
}

/// Where process numbers mean what they mean here: since this boot, in this namespace of them.
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let space: String = space.to_str()?.chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}/{space}", boot.split('-').next()?))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    /// In ticks since the boot.
    At(u64),
    /// There is no such process, or it has ended and only its parent has not heard.
    Never,
    Unknown,
}

fn begun(id: u32) -> Begun {
    match std::fs::read_to_string(format!("/proc/{id}/stat")) {
        Ok(stat) => read(&stat),
        Err(error) if error.kind() == ErrorKind::NotFound => Begun::Never,
        Err(_) => Begun::Unknown,
    }
}

/// `4711 (name) S …`: the state stands third, when it began as number 22. The name may hold anything.
fn read(stat: &str) -> Begun {
    let Some((_, rest)) = stat.rsplit_once(')') else { return Begun::Unknown };
    let mut words = rest.split_ascii_whitespace();
    if matches!(words.next(), Some("Z" | "X")) {
        return Begun::Never;
    }
    words.nth(18).and_then(|ticks| ticks.parse().ok()).map_or(Begun::Unknown, Begun::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_one_that_is_not_known_here_is_not_called_dead() {
        assert!(is_ours(&name()) && is_ours(&format!("{}, sending", name())) && !is_gone(&name()));
        assert!(!is_ours(&format!("{}1", name())));
        for other in ["thief", "process 4194999", "process 4194999 begun 1 on 00000000/1", "process x begun y on z"] {
            assert!(!is_gone(other), "{other}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_has_ended_is_gone_also_when_its_number_runs_again() {
        let here = place().unwrap();
        // Above what the kernel gives.
        assert!(is_gone(&format!("process 4194999 begun 1 on {here}")));
        assert!(is_gone(&format!("process {} begun 1 on {here}, sending", std::process::id())));
    }

    #[test]
    fn a_process_may_be_called_anything_and_one_that_only_waits_to_be_buried_has_ended() {
        let rest = "1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0";
        assert_eq!(read(&format!("9 (a) Z (b) S {rest}")), Begun::At(777));
        assert_eq!(read(&format!("9 (a) Z {rest}")), Begun::Never);
        assert_eq!((read("9 (a) S 1"), read("")), (Begun::Unknown, Begun::Unknown));
    }
}
