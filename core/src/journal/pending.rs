//! Local changes as a person sees them: what waits, for what, and what can be done about it.

use super::{Entry, Reason, State, order};

/// A local change that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The change.
    pub entry: Entry,
    /// The parked change that it waits for; `None` where it waits for none.
    pub behind: Option<i64>,
}

/// The entries that are not over, in their order, each with what it waits for.
#[must_use]
pub fn pending(entries: Vec<Entry>) -> Vec<Pending> {
    let behind = order::behind(&entries);
    entries.into_iter().map(|entry| Pending { behind: behind.get(&entry.id).copied(), entry }).collect()
}

impl Pending {
    /// Whether nothing becomes of it by itself: it is parked, or waits for a parked one.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.reason().is_some()
    }

    /// Why it is stuck, as a stable word: one of [`Reason::as_str`], or `behind_parked`.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.parked().map(Reason::as_str).or(self.behind.map(|_| "behind_parked"))
    }

    /// The same for a person.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let behind = |parked: i64| format!("it waits for change {parked}, which is parked");
        self.parked().map(|reason| reason.sentence().to_owned()).or(self.behind.map(behind))
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let behind = |parked: i64| format!("Retry or drop change {parked}");
        self.parked().map(|reason| reason.advice().to_owned()).or(self.behind.map(behind))
    }

    /// The server's own words about a parked one.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        if let State::Parked { server, .. } = &self.entry.state { server.as_deref() } else { None }
    }

    fn parked(&self) -> Option<Reason> {
        if let State::Parked { reason, .. } = self.entry.state { Some(reason) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Intent;
    use super::super::tests::{entry, flag, flag_at, landed, landing, move_to, target};
    use super::*;

    #[test]
    fn what_waits_for_a_parked_one_says_for_which() {
        let mut parked = entry(1, move_to(5, 1));
        parked.state = State::Parked { reason: Reason::OverQuota, server: Some("full".to_owned()) };
        let digest = target(5).digest;
        // The second copies the message from where it goes to, the third is about that copy.
        let copy = Intent::Copy { target: landed(1, digest), to: landing(2) };
        let third = flag_at(landed(2, digest), &["\\Seen"], &[]);
        let entries = vec![parked, entry(2, copy), entry(3, third), entry(4, flag(9, &["\\Seen"], &[]))];
        let pending = pending(entries);
        let reasons: Vec<_> = pending.iter().map(|one| (one.reason(), one.behind)).collect();
        let behind = (Some("behind_parked"), Some(1));
        assert_eq!(reasons, [(Some("over_quota"), None), behind, behind, (None, None)]);
        assert_eq!(pending[0].server(), Some("full"));
        assert_eq!(pending[1].why().as_deref(), Some("it waits for change 1, which is parked"));
        assert_eq!(pending[1].advice().as_deref(), Some("Retry or drop change 1"));
        assert!(pending[0].is_stuck() && pending[2].is_stuck() && !pending[3].is_stuck());
    }
}
