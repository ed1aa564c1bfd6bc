//! Drafts, as the library's own reader and mail-parser see what comes of them.

use super::*;
use crate::imap::InternalDate;
use crate::message::ParsedMessage;
use proptest::prelude::*;

const STAMP: Stamp = Stamp { now: InternalDate { seconds: 1_704_355_500, offset: 60 }, random: [0xab; 32] };

fn draft() -> Draft {
    Draft::new().from("Ada <ada@example.org>").unwrap().to("grace@example.org").unwrap().subject("moth")
}

fn composed(draft: &Draft) -> (Composed, ParsedMessage) {
    let composed = draft.compose(&STAMP).unwrap();
    let parsed = ParsedMessage::parse(composed.raw.clone());
    assert_eq!(parsed.problem(), None);
    // Whatever was given: CRLF only, no long line, no NUL.
    for line in composed.raw.strip_suffix(b"\r\n").unwrap().split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(line.len() <= 998 && !line.contains(&b'\r') && !line.contains(&0));
    }
    (composed, parsed)
}

fn header(parsed: &ParsedMessage, name: &str) -> String {
    parsed.headers().get(name).unwrap_or_default()
}

#[test]
fn a_plain_message_says_what_it_was_given() {
    let (sent, parsed) = composed(&draft().text("Found it.\n"));
    assert_eq!(header(&parsed, "From"), "\"Ada\" <ada@example.org>");
    assert_eq!(header(&parsed, "To"), "<grace@example.org>");
    assert_eq!(header(&parsed, "Date"), "Thu, 4 Jan 2024 09:05:00 +0100");
    assert_eq!(header(&parsed, "Message-ID"), format!("<{}>", sent.message_id));
    assert_eq!(sent.message_id, format!("{}@example.org", "ab".repeat(16)));
    assert_eq!(header(&parsed, "MIME-Version"), "1.0");
    assert_eq!(parsed.text(), "Found it.\n");
    assert_eq!(
        (sent.sender.as_str(), sent.recipients.as_slice()),
        ("ada@example.org", &["grace@example.org".to_owned()][..])
    );
}

#[test]
fn one_stamp_gives_the_same_bytes() {
    let draft = draft().text("a").html("<p>a</p>").attach(DraftAttachment::bytes("a.bin", vec![0, 1, 2]));
    assert_eq!(draft.compose(&STAMP).unwrap(), draft.compose(&STAMP).unwrap());
    let other = draft.compose(&Stamp { random: [1; 32], ..STAMP }).unwrap();
    assert_ne!(other.message_id, draft.compose(&STAMP).unwrap().message_id);
}

#[test]
fn nobody_learns_of_a_blind_copy() {
    let (sent, parsed) = composed(&draft().bcc("Planted <planted@secret.example>, Grace <GRACE@example.org>").unwrap());
    assert!(!String::from_utf8_lossy(&sent.raw).to_lowercase().contains("planted"));
    assert!(parsed.headers().get("Bcc").is_none());
    assert_eq!(sent.recipients, ["grace@example.org", "planted@secret.example"]);
    let alone = Draft { to: Vec::new(), ..draft().bcc("planted@secret.example").unwrap() };
    let (sent, parsed) = composed(&alone);
    assert_eq!(header(&parsed, "To"), "undisclosed-recipients:;");
    assert!(!String::from_utf8_lossy(&sent.raw).contains("planted"));
}

#[test]
fn text_html_images_and_files_nest_as_programs_expect() {
    let image = DraftAttachment::bytes("moth.png", vec![0x89, b'P', b'N', b'G']).inline("moth@1");
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let file = DraftAttachment::bytes("Rechnung Bücher.bin", every_byte.clone());
    let text_file = DraftAttachment::bytes("log.txt", "bare\nlines\r\nand\rothers \n.\n");
    let full = draft().text("see").html("<img src=\"cid:moth@1\">").attach(image).attach(file).attach(text_file);
    let (_, parsed) = composed(&full);
    assert_eq!(parsed.text(), "see\n");
    assert!(parsed.html().unwrap().contains("cid:moth@1"));
    let structure = parsed.structure();
    assert_eq!(structure.subtype.as_ref(), b"mixed");
    assert_eq!(structure.parts[0].subtype.as_ref(), b"alternative");
    assert_eq!(structure.parts[0].parts[1].subtype.as_ref(), b"related");
    let by_name = |name: &str| parsed.attachments().iter().find(|a| a.filename.as_deref() == Some(name)).unwrap();
    assert_eq!(parsed.content(by_name("Rechnung Bücher.bin")), every_byte);
    assert_eq!(parsed.content(by_name("log.txt")), b"bare\nlines\r\nand\rothers \n.\n");
    assert_eq!(by_name("log.txt").media_type, "text/plain");
    let image = by_name("moth.png");
    assert_eq!((image.content_id.as_deref(), image.inline), (Some("moth@1"), true));
}

#[test]
fn texts_of_every_kind_come_back() {
    let long = format!("{} ü {}", "x".repeat(5000), "word ".repeat(3000));
    for text in [
        "",
        ".\n",
        "\n.\n",
        "..\n.\n\n",
        "From me\n",
        "a \nb\t\n",
        "日本語のテキスト\n",
        "-- \nAda\n",
        "é",
        long.as_str(),
        "\u{1}\u{7f}\n",
    ] {
        let (_, parsed) = composed(&draft().text(text));
        let expected = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        assert_eq!(parsed.text(), expected, "{text:?}");
    }
    let (_, parsed) = composed(&draft().text("a\r\nb\rc\n"));
    assert_eq!(parsed.text(), "a\nb\nc\n");
}

#[test]
fn headers_of_every_script_come_back() {
    for subject in [
        "",
        "motte",
        "Grüße aus Zürich",
        "日本語の件名",
        "=?utf-8?Q?no?=",
        &"word ".repeat(300),
        &"長".repeat(300),
        " leading",
    ] {
        let (sent, parsed) = composed(&draft().subject(subject));
        assert_eq!(header(&parsed, "Subject").trim(), subject.trim(), "{subject}");
        assert!(sent.raw.is_ascii());
    }
    let named = draft().to("\"Müller, Jörg (Büro)\" <j@bücher.example>, \"a\\\"b\" <b@x.org>").unwrap();
    let (sent, parsed) = composed(&named);
    let to = parsed.headers().addresses("To");
    assert_eq!(to[1].name.as_deref(), Some("Müller, Jörg (Büro)"));
    assert_eq!((to[1].email.as_str(), to[2].name.as_deref()), ("j@xn--bcher-kva.example", Some("a\"b")));
    assert!(sent.raw.is_ascii());
}

#[test]
fn only_an_address_that_needs_it_makes_the_header_utf_8() {
    let (sent, parsed) = composed(&draft().to("用户@例子.广告").unwrap());
    assert!(!sent.raw.is_ascii());
    assert_eq!(parsed.headers().addresses("To")[1].email, "用户@xn--fsqu00a.xn--4rr70v");
}

#[test]
fn nothing_given_becomes_a_header_of_its_own() {
    let injection = "x\r\nBcc: evil@example.org";
    let named = |name: &str| EmailAddress { name: Some(name.into()), email: "a@x.org".into(), group: None };
    let file = DraftAttachment::bytes("a.txt", "a");
    let cases = [
        draft().subject(injection),
        draft().subject("a\nb"),
        draft().subject("a\0b"),
        draft().text("a\0b"),
        draft().html("\0"),
        Draft { to: vec![named(injection)], ..draft() },
        Draft { from: Some(named("a\rb")), ..draft() },
        Draft { to: vec![EmailAddress { email: "a@x.org\r\nX: y".into(), ..EmailAddress::default() }], ..draft() },
        Draft { in_reply_to: Some("a\r\nX: y".into()), ..draft() },
        Draft { references: vec!["a> <b".into()], ..draft() },
        Draft { headers: vec![("X-A".into(), injection.into())], ..draft() },
        Draft { headers: vec![("X-A: b\r\nX".into(), "c".into())], ..draft() },
        Draft { headers: vec![("Bcc".into(), "c@x.org".into())], ..draft() },
        Draft { headers: vec![("content-type".into(), "text/html".into())], ..draft() },
        Draft { headers: vec![("X A".into(), "c".into())], ..draft() },
        draft().attach(DraftAttachment { filename: Some(injection.into()), ..file.clone() }),
        draft().attach(file.clone().of_type("text/html; charset=x\r\nX: y")),
        draft().html("a").attach(file.inline("a>\r\nX: y")),
    ];
    for case in cases {
        let code = case.compose(&STAMP).map_err(|e| e.code());
        assert!(matches!(code, Err(Code::UsageArgument | Code::UsageAddress)), "{code:?} {case:?}");
    }
}

#[test]
fn a_draft_without_sender_or_recipient_is_refused() {
    for case in [Draft::new().to("a@x.org").unwrap(), Draft::new().from("a@x.org").unwrap()] {
        assert_eq!(case.compose(&STAMP).map_err(|e| e.code()), Err(Code::UsageAddress));
    }
    assert!(Draft::new().from("a@x.org, b@x.org").is_err());
}

#[test]
fn other_fields_may_be_added() {
    let unsubscribe = "<https://example.org/u?id=1>, <mailto:u@example.org>";
    let full = Draft {
        headers: vec![("List-Unsubscribe".into(), unsubscribe.into()), ("X-Note".into(), "Grüße".into())],
        ..draft()
    };
    let (_, parsed) = composed(&full);
    assert_eq!(
        (header(&parsed, "List-Unsubscribe").as_str(), header(&parsed, "X-Note").as_str()),
        (unsubscribe, "Grüße")
    );
}

#[test]
fn a_message_is_attached_as_it_is_or_as_a_file() {
    let eml = "Subject: inner\n\nbody\n";
    let attach = |content: Vec<u8>| {
        draft().text("see").attach(DraftAttachment::bytes("a.eml", content).of_type("message/rfc822"))
    };
    let (sent, _) = composed(&attach(eml.into()));
    assert!(String::from_utf8_lossy(&sent.raw).contains("\r\n\r\nSubject: inner\r\n\r\nbody\r\n"));
    for odd in [b"Subject: a\r\n\r\nb\0".to_vec(), b"a\rb".to_vec(), vec![b'x'; 2000]] {
        let (_, parsed) = composed(&attach(odd.clone()));
        assert_eq!(parsed.attachments()[0].media_type, "application/octet-stream");
        assert_eq!(parsed.content(&parsed.attachments()[0]), odd);
    }
}

fn original() -> Original {
    Original::from(&ParsedMessage::parse(
        "From: Grace <grace@example.org>\r\nTo: Ada <ada@example.org>, Bob <bob@example.org>\r\n\
         Cc: carol@example.org, ADA@EXAMPLE.ORG, bob@example.org, broken\r\n\
         Subject: =?utf-8?Q?Re=3A_m=C3=B6th?=\r\nDate: Thu, 4 Jan 2024 09:05:00 +0100\r\n\
         Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x> junk\r\n\r\nFound it.\r\n> where?\r\n",
    ))
}

fn emails(addresses: &[EmailAddress]) -> Vec<&str> {
    addresses.iter().map(|a| a.email.as_str()).collect()
}

#[test]
fn a_reply_goes_to_the_sender_and_belongs_to_the_thread() {
    let me = ReplyOptions { me: vec!["ada@example.org".into()], ..ReplyOptions::default() };
    let reply = Draft::reply(&original(), &me);
    assert_eq!((emails(&reply.to), emails(&reply.cc)), (vec!["grace@example.org"], vec![]));
    assert_eq!(reply.subject, "Re: möth");
    assert_eq!(reply.in_reply_to.as_deref(), Some("3@x"));
    assert_eq!(reply.references, ["1@x", "2@x", "3@x"]);
    assert_eq!(reply.text.as_deref(), Some("\n\nOn 4 Jan 2024 at 09:05, Grace wrote:\n> Found it.\n>> where?\n"));
    let (_, parsed) = composed(&reply.from("ada@example.org").unwrap());
    assert_eq!(header(&parsed, "References"), "<1@x> <2@x> <3@x>");
}

#[test]
fn a_reply_to_all_leaves_out_oneself_and_nobody_gets_it_twice() {
    let all = ReplyOptions { all: true, me: vec!["ada@example.org".into()], ..ReplyOptions::default() };
    let reply = Draft::reply(&original(), &all);
    assert_eq!(emails(&reply.to), ["grace@example.org"]);
    assert_eq!(emails(&reply.cc), ["bob@example.org", "carol@example.org"]);
    let listed = Original { reply_to: parse_recipients("list@x.org, grace@example.org").unwrap(), ..original() };
    let reply = Draft::reply(&listed, &all);
    assert_eq!(emails(&reply.to), ["list@x.org", "grace@example.org"]);
    let mine = ReplyOptions { me: vec!["grace@example.org".into()], ..all };
    let reply = Draft::reply(&original(), &mine);
    assert_eq!(
        (emails(&reply.to), emails(&reply.cc)),
        (vec!["ada@example.org", "bob@example.org"], vec!["carol@example.org"])
    );
}

#[test]
fn threads_without_references_take_what_was_answered() {
    let references = |references: &[&str], answered: &[&str]| {
        let strings = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let original = Original { references: strings(references), in_reply_to: strings(answered), ..original() };
        Draft::reply(&original, &ReplyOptions::default()).references
    };
    assert_eq!(references(&[], &["2@x"]), ["2@x", "3@x"]);
    assert_eq!(references(&[], &["2@x", "1@x"]), ["3@x"]);
    let many: Vec<String> = (0..200).map(|n| format!("{n}@y")).collect();
    let many = references(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert_eq!((many.len(), many[0].as_str(), many[1].as_str(), many[49].as_str()), (50, "0@y", "152@y", "3@x"));
}

#[test]
fn a_forwarded_message_carries_its_attachments_and_answers_nothing() {
    let (sent, _) = composed(&draft().text("see").attach(DraftAttachment::bytes("a.pdf", "PDF")));
    let original = Original::from(&ParsedMessage::parse(sent.raw));
    let forward = Draft::forward(&original, &ForwardOptions::default());
    assert_eq!((forward.subject.as_str(), &forward.in_reply_to), ("Fwd: moth", &None));
    assert_eq!(forward.references, [sent.message_id]);
    assert!(forward.text.as_deref().unwrap().contains("From: Ada <ada@example.org>\nDate: Thu, 4 Jan 2024"));
    assert_eq!(forward.attachments[0], DraftAttachment::bytes("a.pdf", "PDF").of_type("application/pdf"));
    let to = parse_recipients("grace@example.org").unwrap();
    let bare = ForwardOptions { to, text: "Look.\n".into(), no_attachments: true };
    let bare = Draft::forward(&original, &bare);
    assert!(bare.text.unwrap().starts_with("Look.\n\n---------- Forwarded") && bare.attachments.is_empty());
    assert_eq!(emails(&bare.to), ["grace@example.org"]);
}

#[test]
fn what_is_written_stands_above_what_is_quoted() {
    let options = ReplyOptions { text: "There.\n\n".into(), attribution: Some("Grace:".into()), ..Default::default() };
    assert_eq!(Draft::reply(&original(), &options).text.unwrap(), "There.\n\nGrace:\n> Found it.\n>> where?\n");
    let options = ReplyOptions { no_quote: true, ..options };
    assert_eq!(Draft::reply(&original(), &options).text.as_deref(), Some("There."));
}

proptest! {
    #[test]
    fn whatever_is_given_comes_back_or_is_refused(
        subject in "\\PC{0,200}|[ -~\r\n\t]{0,40}",
        name in "\\PC{0,60}|[ -~\r\n\t]{0,20}",
        text in "(\\PC|[\r\n.\t ]){0,400}",
        file in "\\PC{0,80}|[ -~\r\n]{0,20}",
        content in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let to = EmailAddress { name: Some(name.clone()), email: "grace@example.org".into(), group: None };
        let draft = Draft { to: vec![to], ..draft().subject(subject.clone()).text(text.clone()) };
        let draft = draft.attach(DraftAttachment::bytes(file, content.clone()));
        let Ok(sent) = draft.compose(&STAMP) else {
            let controls = format!("{subject}{name}{}", draft.attachments[0].filename.clone().unwrap());
            prop_assert!(controls.contains(char::is_control), "{:?}", draft.compose(&STAMP));
            return Ok(());
        };
        let parsed = ParsedMessage::parse(sent.raw.clone());
        let names: Vec<String> = parsed.headers().iter().map(|(name, _)| name.into_owned()).collect();
        let expected = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];
        prop_assert_eq!(names, expected);
        let to = parsed.headers().addresses("To");
        prop_assert_eq!((to.len(), to[0].email.as_str()), (1, "grace@example.org"));
        let given = text.replace("\r\n", "\n").replace('\r', "\n");
        let got = parsed.text();
        prop_assert_eq!(got.strip_suffix('\n').unwrap_or(&got), given.strip_suffix('\n').unwrap_or(&given));
        prop_assert_eq!(parsed.content(&parsed.attachments()[0]), content);
        // What a reader sees has no fewer visible characters than what was written.
        let visible = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        prop_assert_eq!(visible(&header(&parsed, "Subject")), visible(&subject));
    }

    #[test]
    fn an_address_that_is_taken_is_written_so_that_it_is_read_the_same(text in "[ -~\u{80}-\u{24f}]{0,60}") {
        for address in parse_recipients(&text).unwrap_or_default() {
            let once = AddrSpec::parse(&address.email).unwrap();
            prop_assert_eq!(once.to_string(), address.email.clone());
            prop_assert_eq!(AddrSpec::parse(&once.to_string()).unwrap(), once.clone());
            prop_assert!(!address.email.contains(['\r', '\n']));
            let (_, domain) = address.email.rsplit_once('@').unwrap();
            prop_assert_eq!(domain, once.domain());
        }
    }

    #[test]
    fn addresses_of_every_local_part_come_back(local in "\\PC{1,30}") {
        let quoted = format!("\"{}\"@example.org", local.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(address) = AddrSpec::parse(&quoted) {
            prop_assert_eq!(address.local(), &local);
            prop_assert_eq!(AddrSpec::parse(&address.to_string()).unwrap(), address);
        } else {
            prop_assert!(local.len() > 64 || local.contains(char::is_control));
        }
    }
}
