//! Which connection a call runs on: a pure choice over what the pool has.

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want<'a> {
    /// Any connection.
    Any,
    /// One with this mailbox open.
    Mailbox(&'a str),
    /// One that nobody uses, for a body that comes from elsewhere: what is sent after it waits until it is whole.
    Body,
}

/// A connection, as the choice sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View<'a> {
    /// The mailbox that is open, or being opened.
    pub mailbox: Option<&'a str>,
    /// Calls that are using it.
    pub users: usize,
    /// Whether a mailbox is being opened on it.
    pub switching: bool,
    /// Whether a body is being sent on it: nobody else may wait behind that.
    pub sending: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Use this one as it is, beside whoever else uses it.
    Share(usize),
    /// Open the mailbox on this one, which nobody uses.
    Switch(usize),
    /// Make a new connection.
    Open,
    /// Wait until something changes.
    Wait,
}

/// Chooses. `opening` are the mailboxes for which connections are being made, `max` bounds all of them.
///
/// `crowded` says that others wait for a connection to be free: then nobody new joins a shared one, so that a stream of
/// calls on one mailbox cannot keep the others out for ever.
pub(super) fn choose(
    views: &[View<'_>],
    opening: &[Option<&str>],
    max: usize,
    want: Want<'_>,
    crowded: bool,
) -> Choice {
    let full = views.len() + opening.len() >= max.max(1);
    match want {
        Want::Any => any(views, opening.is_empty() && !full),
        Want::Body => match idle(views) {
            Some(at) => Choice::Share(at),
            None if full => Choice::Wait,
            None => Choice::Open,
        },
        Want::Mailbox(name) => {
            let here = views.iter().position(|v| v.mailbox == Some(name) && !v.switching && !v.sending);
            let coming = opening.contains(&Some(name)) || views.iter().any(|v| v.mailbox == Some(name) && v.switching);
            match here {
                Some(at) if !(crowded && full) => return Choice::Share(at),
                _ if coming => return Choice::Wait,
                _ => {}
            }
            if let Some(at) = here.filter(|at| views.get(*at).is_some_and(|v| v.users == 0)) {
                return Choice::Share(at);
            }
            match idle(views) {
                Some(at) => Choice::Switch(at),
                None if full => Choice::Wait,
                None => Choice::Open,
            }
        }
    }
}

fn any(views: &[View<'_>], may_open: bool) -> Choice {
    let free = views.iter().enumerate().filter(|(_, v)| !v.switching && !v.sending);
    match free.min_by_key(|(_, v)| v.users) {
        Some((at, _)) => Choice::Share(at),
        None if may_open && views.iter().all(|v| v.sending) => Choice::Open,
        None => Choice::Wait,
    }
}

/// One that nobody uses; best one with no mailbox open, since opening another closes the first.
fn idle(views: &[View<'_>]) -> Option<usize> {
    let free = |v: &View<'_>| v.users == 0 && !v.switching && !v.sending;
    views.iter().position(|v| free(v) && v.mailbox.is_none()).or_else(|| views.iter().position(free))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(mailbox: Option<&str>, users: usize) -> View<'_> {
        View { mailbox, users, switching: false, sending: false }
    }

    #[test]
    fn a_mailbox_that_is_open_is_shared() {
        let views = [view(None, 0), view(Some("INBOX"), 3)];
        assert_eq!(choose(&views, &[], 4, Want::Mailbox("INBOX"), false), Choice::Share(1));
    }

    #[test]
    fn an_idle_connection_is_switched_before_a_new_one_is_made() {
        assert_eq!(choose(&[view(Some("A"), 0)], &[], 4, Want::Mailbox("B"), false), Choice::Switch(0));
        assert_eq!(choose(&[view(Some("A"), 1)], &[], 4, Want::Mailbox("B"), false), Choice::Open);
        assert_eq!(choose(&[view(Some("A"), 1)], &[], 1, Want::Mailbox("B"), false), Choice::Wait);
        assert_eq!(choose(&[view(Some("A"), 0), view(None, 0)], &[], 2, Want::Mailbox("B"), false), Choice::Switch(1));
    }

    #[test]
    fn what_is_coming_is_waited_for() {
        assert_eq!(choose(&[], &[Some("A")], 4, Want::Mailbox("A"), false), Choice::Wait);
        let switching = View { switching: true, ..view(Some("A"), 1) };
        assert_eq!(choose(&[switching], &[], 4, Want::Mailbox("A"), false), Choice::Wait);
        assert_eq!(choose(&[switching], &[], 4, Want::Any, false), Choice::Wait);
    }

    #[test]
    fn nobody_waits_behind_a_body_that_comes_from_elsewhere() {
        let sending = View { sending: true, ..view(Some("A"), 1) };
        assert_eq!(choose(&[view(Some("A"), 0), view(None, 1)], &[], 2, Want::Body, false), Choice::Share(0));
        assert_eq!(choose(&[view(Some("A"), 1)], &[], 2, Want::Body, false), Choice::Open);
        assert_eq!(choose(&[view(Some("A"), 1)], &[], 1, Want::Body, false), Choice::Wait);
        assert_eq!(choose(&[sending], &[], 2, Want::Mailbox("A"), false), Choice::Open);
        assert_eq!(choose(&[sending, view(None, 0)], &[], 2, Want::Mailbox("A"), false), Choice::Switch(1));
        assert_eq!(choose(&[sending], &[], 2, Want::Any, false), Choice::Open);
        assert_eq!(choose(&[sending], &[None], 2, Want::Any, false), Choice::Wait);
        assert_eq!(choose(&[sending, view(None, 3)], &[], 2, Want::Any, false), Choice::Share(1));
    }

    #[test]
    fn nobody_joins_a_shared_connection_that_others_wait_for() {
        let views = [view(Some("A"), 1)];
        assert_eq!(choose(&views, &[], 1, Want::Mailbox("A"), true), Choice::Wait);
        assert_eq!(choose(&views, &[], 1, Want::Mailbox("A"), false), Choice::Share(0));
        assert_eq!(choose(&[view(Some("A"), 0)], &[], 1, Want::Mailbox("A"), true), Choice::Share(0));
    }

    #[test]
    fn a_call_without_a_mailbox_takes_the_least_busy() {
        assert_eq!(choose(&[view(Some("A"), 2), view(Some("B"), 1)], &[], 2, Want::Any, false), Choice::Share(1));
        assert_eq!(choose(&[], &[], 2, Want::Any, false), Choice::Open);
        assert_eq!(choose(&[], &[None], 2, Want::Any, false), Choice::Wait);
    }
}
