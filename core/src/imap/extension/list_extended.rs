//! LIST-EXTENDED (RFC 5258): subscriptions, special uses and several patterns in one listing.

use super::Extension;
use crate::error::Result;
use crate::imap::Capabilities;
use crate::imap::command::{self, ListQuery, StatusItem};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "LIST-EXTENDED",
    rfc: 5258,
    about: "One listing tells subscriptions, children and special uses",
    fallback: "LIST and LSUB, one for each pattern",
};

/// How to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPlan {
    /// The commands, independent of each other.
    pub commands: Vec<Command>,
    /// What has to be asked of each mailbox afterwards, one STATUS each.
    pub then_status: Vec<StatusItem>,
    /// Whether subscriptions are told by LSUB rows rather than by `\Subscribed`.
    pub subscribed_by_lsub: bool,
}

/// What to send for `query`. Options that the server has no extension for are left out of the command.
pub fn plan(caps: &Capabilities, query: &ListQuery) -> Result<ListPlan> {
    if caps.has("LIST-EXTENDED") { extended(caps, query) } else { plain(query) }
}

fn extended(caps: &Capabilities, query: &ListQuery) -> Result<ListPlan> {
    let mut query = query.clone();
    let special_use = caps.has("SPECIAL-USE");
    query.return_special_use &= special_use;
    query.special_use_only &= special_use;
    let status = if caps.has("LIST-STATUS") { Vec::new() } else { std::mem::take(&mut query.return_status) };
    Ok(ListPlan { commands: vec![command::list(&query)?], then_status: status, subscribed_by_lsub: false })
}

fn plain(query: &ListQuery) -> Result<ListPlan> {
    let mut plan = ListPlan { then_status: query.return_status.clone(), ..ListPlan::default() };
    plan.subscribed_by_lsub = query.subscribed_only || query.return_subscribed;
    let all = [String::from("*")];
    let patterns = if query.patterns.is_empty() { &all[..] } else { &query.patterns };
    for pattern in patterns {
        let reference = query.reference.clone();
        let single = ListQuery { reference, patterns: vec![pattern.clone()], utf8: query.utf8, ..ListQuery::default() };
        plan.commands.push(command::list(&single)?);
        if plan.subscribed_by_lsub {
            plan.commands.push(command::lsub(&query.reference, pattern, query.utf8)?);
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    fn lines(plan: &ListPlan) -> Vec<String> {
        let text = |command: &Command| match command.pieces() {
            [Piece::Text(text)] => String::from_utf8(text.clone()).unwrap(),
            other => panic!("{other:?}"),
        };
        plan.commands.iter().map(text).collect()
    }

    fn query() -> ListQuery {
        ListQuery {
            patterns: vec!["INBOX".into(), "a/%".into()],
            return_subscribed: true,
            return_special_use: true,
            return_status: vec![StatusItem::Unseen],
            ..ListQuery::default()
        }
    }

    #[test]
    fn one_command_says_it_all_where_it_can() {
        let caps: Capabilities = ["IMAP4rev2"].into_iter().collect();
        let plan = plan(&caps, &query()).unwrap();
        let expected = r#"LIST "" ("INBOX" "a/%") RETURN (SUBSCRIBED SPECIAL-USE STATUS (UNSEEN))"#;
        assert_eq!((lines(&plan), plan.then_status.is_empty()), (vec![expected.to_owned()], true));
    }

    #[test]
    fn options_without_their_extension_are_left_out() {
        let caps: Capabilities = ["LIST-EXTENDED"].into_iter().collect();
        let plan = plan(&caps, &query()).unwrap();
        assert_eq!(lines(&plan), [r#"LIST "" ("INBOX" "a/%") RETURN (SUBSCRIBED)"#]);
        assert_eq!(plan.then_status, [StatusItem::Unseen]);
    }

    #[test]
    fn old_servers_get_list_and_lsub() {
        let plan = plan(&Capabilities::default(), &query()).unwrap();
        assert_eq!(lines(&plan), [r#"LIST "" "INBOX""#, r#"LSUB "" "INBOX""#, r#"LIST "" "a/%""#, r#"LSUB "" "a/%""#]);
        assert!(plan.subscribed_by_lsub);
    }
}
