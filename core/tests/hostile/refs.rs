//! Selections that are refused before anything is changed.

use super::script::set;
use crate::support::faults::Faults;
use crate::support::server::Server;
use mailtide::imap::UidSet;
use mailtide::{Code, FlagChange, MessageRef, Selection, WriteOptions, imap::Flag};

fn reference(account: &str, mailbox: &str, uid_validity: u32) -> MessageRef {
    MessageRef { account: account.into(), mailbox: mailbox.into(), uid_validity, uid: 3 }
}

#[tokio::test]
async fn references_of_another_time_or_place_are_refused_and_nothing_is_changed() {
    let server = Server::start(Faults::default()).await;
    let session = server.session(1).await.unwrap();
    let inbox = session.mailbox("INBOX").unwrap();
    let own = "ada@127.0.0.1";
    let table = [
        (reference(own, "INBOX", 6), Code::MailboxReset),
        (reference(own, "INBOX", 8), Code::MailboxReset),
        (reference(own, "Archive", 7), Code::UsageSelection),
        (reference("eve@127.0.0.1", "INBOX", 7), Code::UsageSelection),
    ];
    for (reference, code) in table {
        // One good reference beside it makes it no better.
        let both = vec![MessageRef { uid: 4, ..table_good() }, reference.clone()];
        let change = FlagChange { add: vec![Flag::FLAGGED], ..FlagChange::default() };
        let tries = [
            inbox.flag(both.clone(), change, WriteOptions::default()).await.map(drop),
            inbox.copy_to(both.clone(), "Archive", WriteOptions::default()).await.map(drop),
            inbox.move_to(both.clone(), "Archive", WriteOptions::default()).await.map(drop),
            inbox.delete(both.clone(), WriteOptions::default()).await.map(drop),
            inbox.expunge(both.clone(), WriteOptions::default()).await.map(drop),
            inbox.search(both.clone(), false, None).await.map(drop),
            inbox.count(both.clone(), None).await.map(drop),
            inbox.fetch(both, mailtide::FetchOptions::default()).next_batch().await.map(drop),
        ];
        for tried in tries {
            assert_eq!(tried.unwrap_err().code(), code, "{reference}");
        }
    }
    let changing = ["UID STORE", "UID COPY", "UID MOVE", "UID EXPUNGE", "UID FETCH"];
    assert!(!server.names().iter().any(|name| changing.contains(&name.as_str())), "{:?}", server.names());
}

fn table_good() -> MessageRef {
    reference("ada@127.0.0.1", "INBOX", 7)
}

#[test]
fn sets_that_name_everything_nothing_or_no_message_are_refused() {
    for text in ["", "1:*", "*", "0", "0:5", "1,,2", "1:", ":2", "a", "-1", "4294967296", "1 2", "1;2", "1\r\n2"] {
        let refused = UidSet::parse(text);
        assert!(refused.is_err(), "{text:?} was taken as {refused:?}");
        assert_eq!(refused.unwrap_err().code(), Code::UsageSelection, "{text:?}");
    }
    assert_eq!(set("5,1:3,2").to_string(), "1:3,5");
}

#[tokio::test]
async fn an_empty_selection_sends_nothing_and_changes_nothing() {
    let server = Server::start(Faults::default()).await;
    let session = server.session(1).await.unwrap();
    let inbox = session.mailbox("INBOX").unwrap();
    for nothing in [Selection::Refs(Vec::new()), Selection::Uids(UidSet::default())] {
        let change = FlagChange { set: Some(vec![Flag::DELETED]), ..FlagChange::default() };
        let result = inbox.flag(nothing.clone(), change, WriteOptions::default()).await.unwrap();
        assert!(result.done.is_empty());
        assert_eq!(inbox.count(nothing, None).await.unwrap(), 0);
    }
    assert!(!server.names().iter().any(|name| name == "UID STORE"));
}
