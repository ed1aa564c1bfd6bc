//! Commands as clients write them, and as nobody should.

use super::*;
use crate::server::command::*;
use proptest::prelude::*;

fn parsed(text: &str) -> Result<Command> {
    command(&Frame::text(format!("a1 {text}\r\n").into_bytes()), false).command
}

fn fetch_items(text: &str) -> Vec<FetchItem> {
    match parsed(&format!("FETCH 1 {text}")).unwrap() {
        Command::Fetch(fetch) => fetch.items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_of_real_clients_are_read() {
    for text in [
        "CAPABILITY",
        "LOGIN \"ada\" {6}\r\nsecret",
        "AUTHENTICATE PLAIN AGFkYQBzZWNyZXQ=",
        "ID (\"name\" \"Thunderbird\" \"version\" NIL)",
        "ID NIL",
        "LIST (SUBSCRIBED) \"\" \"*\" RETURN (SPECIAL-USE)",
        "LIST \"\" (INBOX Sent%) RETURN (STATUS (MESSAGES UIDNEXT) CHILDREN)",
        "CREATE Spam (USE (\\Junk))",
        "STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)",
        "SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1,2 3,4)))",
        "SELECT INBOX (CONDSTORE)",
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
        "UID FETCH 1:50 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To \"Cc\" Subject Date)])",
        "FETCH 1 (BODY.PEEK[1.2.MIME] BODY[TEXT]<0.2048> BINARY.PEEK[1]<0.5> BINARY.SIZE[2])",
        "FETCH 1 (PREVIEW (LAZY) EMAILID)",
        "FETCH 1,3:5 FULL",
        "UID STORE 1:* (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted $Work)",
        "STORE 1 -FLAGS \\Seen \\Draft",
        "UID EXPUNGE 3:7",
        "APPEND Drafts (\\Seen \\Draft) \"17-Jul-1996 02:44:25 -0700\" {4+}\r\nabcd",
        "APPEND Drafts {1}\r\na (\\Seen) {1}\r\nb",
        "APPEND Drafts UTF8 (~{1}\r\na)",
        "SEARCH RETURN (MIN COUNT SAVE) CHARSET UTF-8 OR (FROM ada UNSEEN) NOT 1:3 SINCE 1-Feb-2024",
        "UID SEARCH UID 1,5:* KEYWORD $Work HEADER Message-ID <a@b> LARGER 10 YOUNGER 60 SAVEDSINCE 1-Jan-2024",
        "SEARCH MODSEQ 1 UNSEEN",
        "SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
        "UID SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 SINCE 5-MAR-2000",
        "UID MOVE 1:3 \"Sent Mail\"",
        "ENABLE QRESYNC UTF8=ACCEPT",
        "uid fetch $ flags",
    ] {
        let command = parsed(text);
        assert!(command.is_ok(), "{text}: {command:?}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    for text in [
        "",
        "NONSENSE",
        "NOOP 1",
        "LOGIN ada",
        "LOGIN (ada) secret",
        "SELECT",
        "SELECT INBOX (NONSENSE)",
        "FETCH 1",
        "FETCH 0 FLAGS",
        "FETCH 1 ()x",
        "FETCH 1 NONSENSE",
        "FETCH 1 BODY[NONSENSE]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1,2]",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[]<5>",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 (FLAGS",
        "FETCH 1 FLAGS (VANISHED)",
        "STORE 1 FLAGS",
        "STORE 1 +FLAGS (\\Recent)",
        "STORE 1 +FLAGS (\\Custom)",
        "STORE 1 +FLAGS (\\*)",
        "SEARCH",
        "SEARCH NONSENSE",
        "SEARCH ()",
        "SEARCH NOT",
        "SEARCH ON 30-Feb-2024",
        "SEARCH KEYWORD \\Seen",
        "SEARCH YOUNGER 0",
        "SORT (REVERSE) UTF-8 ALL",
        "SORT () UTF-8 ALL",
        "APPEND INBOX \"quoted\"",
        "APPEND INBOX",
        "LIST (RECURSIVEMATCH) \"\" *",
        "CREATE \"a\tb\"",
        "UID NOOP",
        "STATUS INBOX ()",
    ] {
        assert!(parsed(text).is_err(), "{text}: {:?}", parsed(text));
    }
    assert_eq!(parsed("SEARCH CHARSET X-NONE TEXT a"), Err(Bad::Charset));
    assert_eq!(command(&Frame::text(&b"+ NOOP\r\n"[..]), false).tag, "*");
    assert_eq!(command(&Frame::text(&b"\r\n"[..]), false).tag, "*");
}

#[test]
fn sections_are_read_with_their_names() {
    let items = fetch_items("(BODY.PEEK[1.2.HEADER.FIELDS.NOT (Date)]<5.10> RFC822.TEXT)");
    let FetchItem::Section(section) = &items[0] else { panic!("{items:?}") };
    assert_eq!(section.label, "BODY[1.2.HEADER.FIELDS.NOT (DATE)]");
    assert_eq!((section.path.as_slice(), section.partial, section.peek), (&[1, 2][..], Some((5, 10)), true));
    assert_eq!(section.kind, SectionKind::Fields(vec!["date".to_owned()], false));
    let FetchItem::Section(section) = &items[1] else { panic!("{items:?}") };
    assert_eq!((section.label.as_str(), section.peek), ("RFC822.TEXT", false));
    assert_eq!(fetch_items("FAST"), [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size]);
}

#[test]
fn names_are_decoded_as_they_travel() {
    let deleted = |utf8| {
        let frame = Frame::text("a DELETE Entw&APw-rfe\r\n");
        match command(&frame, utf8).command.unwrap() {
            Command::Delete(name) => name,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((deleted(false).as_str(), deleted(true).as_str()), ("Entwürfe", "Entw&APw-rfe"));
}

#[test]
fn nesting_ends_somewhere() {
    let nested = |depth: usize| parsed(&format!("SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth)));
    assert!(nested(20).is_ok());
    assert!(nested(40).is_err() && nested(10_000).is_err());
    assert!(parsed(&format!("SEARCH {}ALL", "NOT ".repeat(10_000))).is_err());
    assert!(parsed(&format!("ID ({})", "\"a\" \"b\" ".repeat(31))).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..200), utf8: bool) {
        let _ = command(&Frame::text(line), utf8);
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "UID", "FETCH", "STORE", "SEARCH", "SORT", "LIST", "APPEND", "(", ")", "1:*", "$", "BODY[", "]", "<0.1>",
                "\"", "{3}\r\nabc", "{3+}\r\nabc", "NIL", "RETURN", "OR", "NOT", "FLAGS", "\\Seen", "*", "%", "INBOX", "~{1}\r\na",
            ]),
            0..20,
        ),
    ) {
        let _ = command(&Frame::text(format!("a {}\r\n", words.join(" ")).into_bytes()), false);
    }
}
