//! Every term against one message, and what happens where something is not at hand.

use super::*;

/// Received 2024-01-31T12:00:00Z.
struct Mail {
    flags: Vec<Flag>,
    body: Option<&'static str>,
}

impl Candidate for Mail {
    fn flags(&self) -> Option<&[Flag]> {
        Some(&self.flags)
    }
    fn received(&self) -> Option<i64> {
        Some(1_706_702_400)
    }
    fn size(&self) -> Option<u64> {
        Some(1000)
    }
    fn addresses(&self, field: AddressField) -> Option<Cow<'_, str>> {
        Some(if field == AddressField::From { "Zoë Müller <zoe@example.org>" } else { "" }.into())
    }
    fn subject(&self) -> Option<Cow<'_, str>> {
        Some("Re: ŻÓŁW (moth)".into())
    }
    fn header(&self, name: &str) -> Option<Vec<Cow<'_, str>>> {
        let is_list = name.eq_ignore_ascii_case("List-Id");
        Some(if is_list { vec!["News <news.example.org>".into()] } else { vec![] })
    }
    fn header_text(&self) -> Option<Cow<'_, str>> {
        Some("Subject: Re: ŻÓŁW (moth)".into())
    }
    fn body(&self) -> Option<Cow<'_, str>> {
        self.body.map(Cow::Borrowed)
    }
    fn has_attachment(&self) -> Option<bool> {
        Some(true)
    }
    fn mailbox(&self) -> Option<&str> {
        Some("Inbox")
    }
}

fn matches(text: &str, mail: &Mail) -> Option<bool> {
    let now = "2024-02-01T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
    Query::parse(text).unwrap().matcher(&now).unwrap().matches(mail)
}

#[test]
fn every_term_is_matched() {
    let mail = Mail { flags: vec![Flag::SEEN, Flag::from_server(b"$invoice")], body: Some("The MOTH is found.") };
    for text in [
        "from:müller",
        "from:ZOE@EXAMPLE",
        "from:\"zoë müller <\"",
        "subject:żółw",
        "body:moth",
        "moth",
        "found",
        "text:subject",
        "list:news",
        "list:*",
        "header:list-id=NEWS",
        "header:List-Id",
        "is:read",
        "is:$Invoice",
        "label:$INVOICE",
        "has:attachment",
        "in:INBOX",
        "larger:999",
        "smaller:1001",
        "newer:1d",
        "older:22h",
        "on:2024-01-31",
        "on:yesterday",
        "after:2024-01-31 before:2024-02-01",
        "nothing OR moth",
        "-nothing -(a b)",
    ] {
        assert_eq!(matches(text, &mail), Some(true), "{text}");
        assert_eq!(matches(&format!("-({text})"), &mail), Some(false), "{text}");
    }
    for text in [
        "from:ada",
        "to:zoe",
        "subject:zolw",
        "list:other",
        "header:X",
        "is:unread",
        "is:flagged",
        "in:inbox2",
        "larger:1000",
        "smaller:1000",
        "newer:22h",
        "older:1d",
        "before:2024-01-31",
        "after:today",
        "moth nothing",
    ] {
        assert_eq!(matches(text, &mail), Some(false), "{text}");
    }
}

#[test]
fn what_is_not_at_hand_is_unknown_unless_the_rest_decides() {
    let mail = Mail { flags: vec![], body: None };
    for (text, result) in [
        ("body:x", None),
        ("-body:x", None),
        ("found", None),
        ("moth", Some(true)),
        ("body:x is:read", Some(false)),
        ("body:x is:unread", None),
        ("body:x OR is:unread", Some(true)),
        ("body:x OR is:read", None),
        ("thread:T1", None),
    ] {
        assert_eq!(matches(text, &mail), result, "{text}");
    }
    let raw = Query::raw("ALL").matcher(&Zoned::default()).unwrap();
    assert_eq!(raw.matches(&mail), None);
}

#[test]
fn needs_name_what_must_be_fetched() {
    let needs = |text: &str| Query::parse(text).unwrap().matcher(&Zoned::default()).unwrap().needs();
    let none = Needs::default();
    assert_eq!(needs("is:read newer:1d"), Needs { flags: true, received: true, ..none });
    assert_eq!(needs("from:a OR larger:1"), Needs { envelope: true, size: true, ..none });
    assert_eq!(needs("-has:attachment list:*"), Needs { structure: true, header: true, ..none });
    assert_eq!(needs("moth"), Needs { header: true, body: true, ..none });
    assert_eq!(needs("in:INBOX"), none);
}
