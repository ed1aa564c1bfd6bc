//! What is sent for each term, and that no plan loses a message.

use super::*;
use crate::query::Candidate;
use jiff::civil::date;
use proptest::prelude::*;
use std::borrow::Cow;

fn now() -> Zoned {
    "2024-01-31T12:00:00+01:00[Europe/Berlin]".parse().unwrap()
}

fn plan(text: &str, facts: &SearchFacts) -> SearchPlan {
    Query::parse(text).unwrap().plan(&now(), facts).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn key(text: &str) -> SearchKey {
    plan(text, &SearchFacts { mailbox: Some("INBOX".into()), ..Default::default() }).key
}

fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

#[test]
fn what_imap_has_is_sent_as_it_is() {
    let unseen = || SearchKey::Unflagged(Flag::SEEN);
    for (text, expected) in [
        ("is:unread", unseen()),
        ("-is:read", not(SearchKey::Flagged(Flag::SEEN))),
        ("from:ada", SearchKey::From("ada".into())),
        ("moth", SearchKey::Text("moth".into())),
        ("list:*", SearchKey::Header("List-Id".into(), String::new())),
        ("header:X-A=b", SearchKey::Header("X-A".into(), "b".into())),
        ("larger:1K is:unread", SearchKey::And(vec![SearchKey::Larger(1000), unseen()])),
        ("a OR b", SearchKey::Or(Box::new(SearchKey::Text("a".into())), Box::new(SearchKey::Text("b".into())))),
        ("in:inbox is:unread", unseen()),
        ("in:INBOX", SearchKey::All),
        ("-in:INBOX", not(SearchKey::All)),
        ("label:work", SearchKey::Flagged(Flag::from_server(b"work"))),
    ] {
        let plan = plan(text, &SearchFacts { mailbox: Some("INBOX".into()), ..Default::default() });
        assert_eq!((plan.key, plan.residual, plan.exact), (expected, None, true), "{text}");
    }
}

#[test]
fn dates_are_asked_a_day_wider_and_looked_at_again() {
    // 2024-01-24T11:00:00Z
    assert_eq!(key("newer:7d"), SearchKey::Since(date(2024, 1, 23)));
    assert_eq!(key("older:7d"), SearchKey::Before(date(2024, 1, 26)));
    assert_eq!(key("-newer:7d"), not(SearchKey::Since(date(2024, 1, 26))));
    // The day begins at 23:00 UTC of the day before.
    let on = vec![SearchKey::Since(date(2024, 1, 8)), SearchKey::Before(date(2024, 1, 12))];
    assert_eq!(key("on:2024-01-10"), SearchKey::And(on));
    let plan = plan("newer:7d is:unread", &SearchFacts::default());
    let residual = plan.residual.unwrap();
    assert!(residual.needs().received && !residual.needs().flags);
    assert_eq!(key("newer:4000000000y"), SearchKey::All);
    assert_eq!(key("older:4000000000y"), SearchKey::All);
    assert_eq!(key("after:0001-01-01"), SearchKey::All);
}

#[test]
fn within_asks_by_age_with_room_for_wrong_clocks() {
    let facts = SearchFacts { within: true, ..Default::default() };
    assert_eq!(plan("newer:7d", &facts).key, SearchKey::Younger(604_799 + 7200));
    assert_eq!(plan("older:7d", &facts).key, SearchKey::Older(604_799 - 7200));
    assert!(plan("newer:7d", &facts).residual.is_some());
    assert_eq!(plan("older:1h", &facts).key, SearchKey::Before(date(2024, 2, 2)));
    assert_eq!(plan("-newer:7d", &facts).key, not(SearchKey::Younger(604_799 - 7200)));
}

#[test]
fn attachments_are_looked_for_by_us() {
    assert_eq!(key("has:attachment"), SearchKey::All);
    assert_eq!(key("-has:attachment"), SearchKey::All);
    assert_eq!(key("has:attachment is:unread"), SearchKey::Unflagged(Flag::SEEN));
    assert_eq!(key("has:attachment OR is:unread"), SearchKey::All);
    assert_eq!(key("-(has:attachment is:unread)"), SearchKey::All);
    assert_eq!(key("-(has:attachment OR is:unread)"), not(SearchKey::Unflagged(Flag::SEEN)));
    let needs = plan("(has:attachment OR from:a) is:unread", &SearchFacts::default()).residual.unwrap().needs();
    assert!(needs.structure && needs.envelope && !needs.flags);
}

#[test]
fn a_server_that_matches_words_says_so_or_is_not_asked() {
    let gmail = SearchFacts { gmail: true, ..Default::default() };
    assert!(!plan("moth", &gmail).exact);
    assert!(plan("is:unread newer:1d", &gmail).exact);
    let exact = plan("moth is:unread", &SearchFacts { exact: true, ..gmail.clone() });
    assert_eq!((exact.key, exact.exact), (SearchKey::Unflagged(Flag::SEEN), true));
    assert!(exact.residual.unwrap().needs().body);
    assert_eq!(plan("label:\"a b\"", &gmail).key, SearchKey::GmRaw("label:\"a b\"".into()));
    let ascii = SearchFacts { ascii_only: true, ..Default::default() };
    assert_eq!(plan("subject:żółw", &ascii).key, SearchKey::All);
    assert_eq!(plan("subject:zolw", &ascii).key, SearchKey::Subject("zolw".into()));
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let refused = |query: Query| query.plan(&now(), &SearchFacts::default()).unwrap_err().code();
    assert_eq!(refused(Query::in_mailbox("Sent")), Code::QuerySyntax);
    assert_eq!(refused(Query::label("two words")), Code::QuerySyntax);
    assert_eq!(refused(Query::label("\\Seen")), Code::QuerySyntax);
    assert_eq!(refused(Query::thread("T1")), Code::ServerUnsupported);
    let gmail = SearchFacts { gmail: true, ..Default::default() };
    let own = SearchFacts { object_id: true, ..Default::default() };
    assert_eq!(plan("thread:gm-12", &gmail).key, SearchKey::GmThreadId(12));
    assert_eq!(plan("thread:T12", &own).key, SearchKey::ThreadId("T12".into()));
    for (facts, odd) in [(&gmail, "12"), (&gmail, "T12"), (&own, "T 12")] {
        assert_eq!(Query::thread(odd).plan(&now(), facts).unwrap_err().code(), Code::QuerySyntax, "{odd}");
    }
    assert_eq!(refused(Query::text("")), Code::QuerySyntax);
    assert_eq!(refused(Query::raw("ALL") | Query::has_attachment()), Code::UsageArgument);
}

#[test]
fn raw_goes_as_it_is_and_keeps_together_among_others() {
    let raw = |query: Query| query.plan(&now(), &SearchFacts::default()).unwrap().key;
    assert_eq!(raw(Query::raw("KEYWORD x UNSEEN")), SearchKey::Raw("KEYWORD x UNSEEN".into()));
    assert_eq!(raw(!Query::raw("KEYWORD x UNSEEN")), not(SearchKey::Raw("(KEYWORD x UNSEEN)".into())));
    assert!((Query::raw("ALL") & Query::has_attachment()).plan(&now(), &SearchFacts::default()).is_ok());
}

/// A message on a server whose days are of some zone.
#[derive(Clone, Debug)]
struct Mail {
    received: i64,
    zone_hours: i64,
    seen: bool,
    attachment: bool,
}

impl Candidate for Mail {
    fn flags(&self) -> Option<&[Flag]> {
        Some(if self.seen { &[Flag::SEEN] } else { &[] })
    }
    fn received(&self) -> Option<i64> {
        Some(self.received)
    }
    fn has_attachment(&self) -> Option<bool> {
        Some(self.attachment)
    }
    fn header_text(&self) -> Option<Cow<'_, str>> {
        Some("".into())
    }
}

/// SEARCH as a server does it.
fn server(key: &SearchKey, mail: &Mail) -> bool {
    let day = || {
        Timestamp::from_second(mail.received + mail.zone_hours * 3600).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date()
    };
    let age = now().timestamp().as_second() - mail.received;
    match key {
        SearchKey::All => true,
        SearchKey::Not(key) => !server(key, mail),
        SearchKey::Or(a, b) => server(a, mail) || server(b, mail),
        SearchKey::And(keys) => keys.iter().all(|key| server(key, mail)),
        SearchKey::Flagged(_) => mail.seen,
        SearchKey::Unflagged(_) => !mail.seen,
        SearchKey::Since(date) => day() >= *date,
        SearchKey::Before(date) => day() < *date,
        SearchKey::Younger(seconds) => age <= *seconds as i64,
        SearchKey::Older(seconds) => age >= *seconds as i64,
        other => panic!("{other:?}"),
    }
}

fn query() -> impl Strategy<Value = Query> {
    let leaves = [
        "is:read",
        "is:unread",
        "has:attachment",
        "newer:2d",
        "older:3h",
        "newer:1h",
        "on:2024-01-30",
        "after:today",
        "before:yesterday",
    ];
    let leaf = proptest::sample::select(leaves.to_vec()).prop_map(|text| Query::parse(text).unwrap());
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a & b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a | b),
            inner.prop_map(|a| !a),
        ]
    })
}

proptest! {
    #[test]
    fn a_search_and_a_second_look_find_exactly_what_matches(
        query in query(),
        hours in -1..100_i64, zone_hours in -12..=14_i64, seen: bool, attachment: bool, within: bool,
    ) {
        let mail = Mail { received: now().timestamp().as_second() - hours * 3600, zone_hours, seen, attachment };
        let plan = query.plan(&now(), &SearchFacts { within, ..Default::default() }).unwrap();
        let found = server(&plan.key, &mail) && plan.residual.is_none_or(|m| m.matches(&mail) == Some(true));
        prop_assert_eq!(Some(found), query.matcher(&now()).unwrap().matches(&mail));
    }
}
