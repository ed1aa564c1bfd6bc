//! Commands as they travel.

use super::*;
use crate::imap::{InternalDate, Label, Role, SearchKey, Section};
use crate::wire::{Command, Piece};
use bytes::Bytes;
use jiff::civil::date;
use proptest::prelude::*;

/// The command with `{n}` for the header of a literal, and its bytes.
fn text(command: &Command) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => String::from_utf8(text.clone()).unwrap(),
        Piece::Literal { bytes, .. } => format!("{{{}}}{}", bytes.len(), String::from_utf8_lossy(bytes)),
        Piece::Stream { len, .. } => format!("{{{len}}}"),
    };
    command.pieces().iter().map(piece).collect()
}

fn name(name: &str) -> MailboxName {
    MailboxName::new(name, false)
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn searched(key: &SearchKey) -> String {
    let command = uid_search(key, &SearchOptions::default()).unwrap();
    text(&command).strip_prefix("UID SEARCH ").unwrap().to_owned()
}

#[test]
fn commands_without_arguments_are_their_name() {
    let all = [capability(), noop(), logout(), check(), close(), unselect(), idle(), namespace()];
    assert!(all.iter().all(|command| text(command) == command.name()));
    assert_eq!(text(&id(&[]).unwrap()), "ID NIL");
    assert_eq!(text(&enable(&["UTF8=ACCEPT", "CONDSTORE"]).unwrap()), "ENABLE UTF8=ACCEPT CONDSTORE");
    assert!(enable(&["A B"]).is_err());
}

#[test]
fn mailboxes_are_opened_and_managed() {
    let examine = SelectOptions { read_only: true, condstore: true };
    assert_eq!(text(&select(&name("Sent Items"), examine).unwrap()), "EXAMINE \"Sent Items\" (CONDSTORE)");
    assert_eq!(text(&select(&name("inbox"), SelectOptions::default()).unwrap()), "SELECT INBOX");
    assert_eq!(text(&create(&name("a"), Some(Role::Trash)).unwrap()), "CREATE a (USE (\\Trash))");
    assert_eq!(text(&create(&name("a"), Some(Role::Inbox)).unwrap()), "CREATE a");
    assert_eq!(text(&rename(&name("a"), &name("b c")).unwrap()), "RENAME a \"b c\"");
    assert_eq!(text(&delete(&name("")).unwrap()), "DELETE \"\"");
    assert_eq!(text(&subscribe(&name("NIL")).unwrap()), "SUBSCRIBE \"NIL\"");
    assert_eq!(text(&unsubscribe(&name("a*")).unwrap()), "UNSUBSCRIBE \"a*\"");
}

#[test]
fn the_bytes_of_a_name_go_back_as_they_came() {
    let odd = MailboxName::from_server(&b"\xe9&"[..], false);
    let command = delete(&odd).unwrap();
    assert!(matches!(command.pieces(), [_, Piece::Literal { bytes, .. }] if bytes.as_ref() == b"\xe9&"));
}

#[test]
fn listings_ask_for_what_they_need_and_no_more() {
    assert_eq!(text(&list(&ListQuery::default()).unwrap()), "LIST \"\" \"*\"");
    let query = ListQuery {
        patterns: vec!["Entwürfe/%".into()],
        subscribed_only: true,
        return_children: true,
        return_status: vec![StatusItem::Messages, StatusItem::HighestModSeq],
        ..ListQuery::default()
    };
    let expected = "LIST (SUBSCRIBED) \"\" \"Entw&APw-rfe/%\" RETURN (CHILDREN STATUS (MESSAGES HIGHESTMODSEQ))";
    assert_eq!(text(&list(&query).unwrap()), expected);
    assert_eq!(text(&lsub("", "*", false).unwrap()), "LSUB \"\" \"*\"");
    let status = status(&name("x"), &[StatusItem::UidNext, StatusItem::Size]).unwrap();
    assert_eq!(text(&status), "STATUS x (UIDNEXT SIZE)");
}

#[test]
fn fetches_never_mark_as_seen() {
    let section = |path: &[u32], text: &str, binary| Section { path: path.to_vec(), text: text.into(), binary };
    let items = [
        FetchItem::Uid,
        FetchItem::Flags,
        FetchItem::Size,
        FetchItem::Section { section: section(&[1, 2], "MIME", false), partial: None },
        FetchItem::Section { section: section(&[], "HEADER.FIELDS (DATE LIST-ID)", false), partial: Some((0, 65536)) },
        FetchItem::Section { section: section(&[3], "", true), partial: None },
        FetchItem::Raw("X-GUID".into()),
    ];
    let modifiers = FetchModifiers { changed_since: Some(7), vanished: true };
    let expected = "UID FETCH 1:5,9 (UID FLAGS RFC822.SIZE BODY.PEEK[1.2.MIME] \
                    BODY.PEEK[HEADER.FIELDS (DATE LIST-ID)]<0.65536> BINARY.PEEK[3] X-GUID) (CHANGEDSINCE 7 VANISHED)";
    assert_eq!(text(&uid_fetch(&set("1:5,9"), &items, modifiers).unwrap()), expected);
}

#[test]
fn fetches_that_mean_nothing_are_refused() {
    let none = FetchModifiers::default();
    assert_eq!(uid_fetch(&UidSet::new(), &[FetchItem::Uid], none).unwrap_err().code(), Code::UsageSelection);
    assert!(uid_fetch(&set("1"), &[], none).is_err());
    let zero = FetchModifiers { changed_since: Some(0), vanished: false };
    assert!(uid_fetch(&set("1"), &[FetchItem::Uid], zero).is_err());
    for odd in ["] BODY[", "HEADER.FIELDS (A", "HEADER.FIELDS ()", "A\r\nB", "A\"", "TEXT) (", "é"] {
        let section = Section { text: odd.into(), ..Section::default() };
        let item = FetchItem::Section { section, partial: None };
        assert!(uid_fetch(&set("1"), &[item], none).is_err(), "{odd:?}");
    }
}

#[test]
fn flags_are_added_removed_and_replaced() {
    let flags = [Flag::SEEN, Flag::parse("$Invoice").unwrap()];
    let stored = |action, silent, unchanged_since| {
        text(&uid_store(&set("7"), action, &flags, StoreOptions { silent, unchanged_since }).unwrap())
    };
    assert_eq!(stored(StoreAction::Add, true, None), "UID STORE 7 +FLAGS.SILENT (\\Seen $Invoice)");
    assert_eq!(stored(StoreAction::Remove, false, Some(5)), "UID STORE 7 (UNCHANGEDSINCE 5) -FLAGS (\\Seen $Invoice)");
    assert_eq!(stored(StoreAction::Replace, false, None), "UID STORE 7 FLAGS (\\Seen $Invoice)");
}

#[test]
fn an_empty_change_of_flags_is_refused_but_clearing_them_is_not() {
    let plain = StoreOptions::default();
    assert!(uid_store(&set("7"), StoreAction::Add, &[], plain).is_err());
    assert!(uid_store(&set("7"), StoreAction::Remove, &[], plain).is_err());
    assert_eq!(text(&uid_store(&set("7"), StoreAction::Replace, &[], plain).unwrap()), "UID STORE 7 FLAGS ()");
    assert!(uid_store(&UidSet::new(), StoreAction::Replace, &[], plain).is_err());
    for odd in [&b"a b"[..], b"a)", b"\\*", b"\\Recent", b"x\r\ny", b""] {
        let error = uid_store(&set("7"), StoreAction::Add, &[Flag::from_server(odd)], plain).unwrap_err();
        assert_eq!(error.code(), Code::UsageFlag);
    }
}

#[test]
fn messages_are_copied_moved_and_expunged_by_uid() {
    assert_eq!(text(&uid_copy(&set("1:3"), &name("a b")).unwrap()), "UID COPY 1:3 \"a b\"");
    assert_eq!(text(&uid_move(&set("1:3"), &name("a")).unwrap()), "UID MOVE 1:3 a");
    assert_eq!(text(&uid_expunge(&set("1:3")).unwrap()), "UID EXPUNGE 1:3");
    assert!(uid_expunge(&UidSet::new()).is_err());
}

#[test]
fn messages_are_appended_one_or_several() {
    let internal_date = Some(InternalDate { seconds: 836_732_665, offset: -420 });
    let first = AppendMessage {
        flags: vec![Flag::SEEN],
        internal_date,
        body: AppendBody::Bytes(Bytes::from("hi\r\n")),
        binary: false,
    };
    let second =
        AppendMessage { flags: Vec::new(), internal_date: None, body: AppendBody::Stream(1 << 40), binary: false };
    let command = append(&name("a"), &[first, second]).unwrap();
    let expected = "APPEND a (\\Seen) \" 7-Jul-1996 02:44:25 -0700\" {4}hi\r\n {1099511627776}";
    assert_eq!(text(&command), expected);
    assert!(append(&name("a"), &[]).is_err());
}

#[test]
fn search_keys_are_written_as_the_standard_does() {
    let all = SearchKey::And(vec![
        SearchKey::Unflagged(Flag::SEEN),
        SearchKey::Flagged(Flag::parse("$Invoice").unwrap()),
        SearchKey::Uid(set("1:5")),
        SearchKey::From("Grace \"H\"".into()),
        SearchKey::Header("List-Id".into(), String::new()),
        SearchKey::Larger(1 << 40),
        SearchKey::Since(date(2024, 2, 1)),
        SearchKey::Younger(0),
        SearchKey::GmRaw("has:nothing".into()),
        SearchKey::Raw("NEW".into()),
    ]);
    let expected = "UNSEEN KEYWORD $Invoice UID 1:5 FROM \"Grace \\\"H\\\"\" HEADER List-Id \"\" LARGER 1099511627776 \
                    SINCE 1-Feb-2024 YOUNGER 1 X-GM-RAW \"has:nothing\" NEW";
    assert_eq!(searched(&all), expected);
    let nested = SearchKey::Not(Box::new(SearchKey::And(vec![SearchKey::All, SearchKey::any(Vec::new())])));
    assert_eq!(searched(&nested), "NOT (ALL NOT ALL)");
    assert_eq!(searched(&SearchKey::And(Vec::new())), "ALL");
    assert_eq!(searched(&SearchKey::Uid(UidSet::new())), "NOT ALL");
}

#[test]
fn many_alternatives_do_not_nest_deep() {
    let keys = (0..1000).map(SearchKey::Larger).collect();
    assert_eq!(searched(&SearchKey::any(keys)).matches("OR ").count(), 999);
    let three = ["a", "b", "c"].map(|text| SearchKey::Subject(text.into())).to_vec();
    assert_eq!(searched(&SearchKey::any(three)), "OR OR SUBJECT \"a\" SUBJECT \"b\" SUBJECT \"c\"");
}

#[test]
fn deep_nesting_is_refused() {
    let deep = (0..100).fold(SearchKey::All, |key, _| SearchKey::Not(Box::new(key)));
    assert_eq!(uid_search(&deep, &SearchOptions::default()).unwrap_err().code(), Code::LimitExceeded);
}

#[test]
fn a_charset_is_named_only_where_it_is_needed() {
    let umlaut = SearchKey::Not(Box::new(SearchKey::Subject("für".into())));
    assert_eq!(searched(&umlaut), "CHARSET UTF-8 NOT SUBJECT {4}für");
    assert_eq!(searched(&SearchKey::Subject("fur".into())), "SUBJECT \"fur\"");
    let options = SearchOptions { returns: vec![SearchReturn::All, SearchReturn::Count], utf8: true };
    assert_eq!(text(&uid_search(&umlaut, &options).unwrap()), "UID SEARCH RETURN (ALL COUNT) NOT SUBJECT \"für\"");
}

#[test]
fn flags_that_cannot_be_searched_for_are_refused() {
    for odd in [&b"\\Custom"[..], b"\\*", b"a b"] {
        let key = SearchKey::Flagged(Flag::from_server(odd));
        assert_eq!(uid_search(&key, &SearchOptions::default()).unwrap_err().code(), Code::UsageFlag);
    }
}

proptest! {
    /// Line ends and NUL reach the wire in literals only.
    #[test]
    fn no_argument_becomes_another_command(argument in "[\\x00-\\x7f\u{e9}\u{1f600}]{0,20}") {
        let options = SearchOptions::default();
        let key = || argument.clone();
        let commands = [
            select(&name(&argument), SelectOptions::default()),
            select(&MailboxName::new(&argument, true), SelectOptions::default()),
            list(&ListQuery { reference: key(), patterns: vec![key()], ..ListQuery::default() }),
            uid_search(&SearchKey::Header(key(), key()), &options),
            uid_search(&SearchKey::Raw(key()), &options),
            uid_store(&set("1"), StoreAction::Add, &[Flag::from_server(argument.as_bytes())], StoreOptions::default()),
            id(&[(&argument, &argument)]),
            enable(&[&argument]),
            uid_fetch(&set("1"), &[FetchItem::Raw(key())], FetchModifiers::default()),
            select_since(&name(&argument), false, &Known { uid_validity: 1, mod_seq: 1, uids: set("1") }),
            notify(false, &[NotifyGroup { filter: NotifyFilter::Mailboxes(vec![name(&argument)]), events: vec![] }]),
            uid_store_labels(&set("1"), StoreAction::Add, &[Label::new(&argument)], StoreOptions::default()),
            uid_search(&SearchKey::GmLabel(Label::from_server(key())), &options),
        ];
        for command in commands.into_iter().flatten() {
            for piece in command.pieces() {
                if let Piece::Text(text) = piece {
                    prop_assert!(!text.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "{:?}", text);
                }
            }
        }
    }
}
