//! The language, case by case; and that printing and parsing undo each other.

use super::*;
use crate::imap::Flag;
use crate::query::{AddressField, Age, Day, Unit};
use jiff::civil::date;
use proptest::prelude::*;

fn parsed(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_key_is_read() {
    let flag = |flag, set| Query { expr: Expr::Term(Term::Flag(flag, set)) };
    for (text, query) in [
        ("moth", Query::text("moth")),
        ("\"two words\"", Query::text("two words")),
        ("from:ada", Query::from_("ada")),
        ("FROM:ada@x.org", Query::from_("ada@x.org")),
        ("to:a cc:b", Query::to("a") & Query::cc("b")),
        ("bcc:\"Grace Hopper\"", Query::bcc("Grace Hopper")),
        ("subject:-1", Query::subject("-1")),
        ("body:x text:y", Query::body("x") & Query::text("y")),
        ("list:*", Query::list("*")),
        ("list:news", Query::list("news")),
        ("header:X-Spam", Query::header("X-Spam", None)),
        ("header:X-Spam=yes=no", Query::header("X-Spam", Some("yes=no".into()))),
        ("header:\"X-Url=http://x y\"", Query::header("X-Url", Some("http://x y".into()))),
        ("is:unread", Query::unread()),
        ("is:Unseen", Query::unread()),
        ("is:read is:seen", Query::read() & Query::read()),
        ("is:starred", Query::flagged()),
        ("is:unanswered", flag(Flag::ANSWERED, false)),
        ("is:$Invoice", flag(Flag::from_server(b"$Invoice"), true)),
        ("is:\\Draft", flag(Flag::DRAFT, true)),
        ("has:attachment", Query::has_attachment()),
        ("in:\"Archive/2024\"", Query::in_mailbox("Archive/2024")),
        ("larger:1M", Query::larger(1_000_000)),
        ("larger:1MB", Query::larger(1_000_000)),
        ("larger:1Mi", Query::larger(1 << 20)),
        ("smaller:10k", Query::smaller(10_000)),
        ("smaller:2gi", Query::smaller(2 << 30)),
        ("newer:7d", Query::newer(7, Unit::Day)),
        ("older:6mo", Query::older(6, Unit::Month)),
        ("after:2024-01-31", Query::after(date(2024, 1, 31))),
        ("before:2024/2/1", Query::before(date(2024, 2, 1))),
        ("on:yesterday", Query::on(Day::Yesterday)),
        ("label:work", Query::label("work")),
        ("thread:T1", Query::thread("T1")),
        ("żółw", Query::text("żółw")),
    ] {
        assert_eq!(parsed(text), query, "{text}");
    }
}

#[test]
fn terms_join_as_the_grammar_says() {
    let [a, b, c] = ["a", "b", "c"].map(Query::text);
    for (text, query) in [
        ("a b OR c", (a.clone() & b.clone()) | c.clone()),
        ("a (b OR c)", a.clone() & (b.clone() | c.clone())),
        ("a(b)", a.clone() & b.clone()),
        ("(a)(b)", a.clone() & b.clone()),
        ("-a", !a.clone()),
        ("-(a b)", !(a.clone() & b.clone())),
        ("-\"a\"", !a.clone()),
        ("((a))", a.clone()),
        ("a or b", a.clone() & Query::text("or") & b.clone()),
        ("from:(a|\"b c\")", Query::from_("a") | Query::from_("b c")),
        ("from:( a | b )", Query::from_("a") | Query::from_("b")),
        ("-from:(a|b)", !(Query::from_("a") | Query::from_("b"))),
        ("is:(unread|flagged)", Query::unread() | Query::flagged()),
        ("\"UNSEEN\" subject:ALL", Query::text("UNSEEN") & Query::subject("ALL")),
    ] {
        assert_eq!(parsed(text), query, "{text}");
    }
}

#[test]
fn what_is_no_query_says_where_and_why() {
    for (text, at, hint) in [
        ("", 0, "no query"),
        ("  ", 0, "no query"),
        ("ALL", 0, "no query"),
        ("a UNSEEN", 2, "is:unread"),
        ("SINCE 1-Jan-2024", 0, "after:"),
        ("a AND b", 2, "side by side"),
        ("NOT a", 0, "-"),
        ("1:*", 0, "UID set"),
        ("1:5,9", 0, "UID set"),
        ("form:ada", 0, "from:"),
        ("ż subjct:x", 2, "subject:"),
        ("newer_than:7d", 0, "newer:"),
        ("http://x", 0, "Quote it"),
        ("raw:x", 0, "raw"),
        ("from: ada", 0, "no space"),
        ("from:", 0, "no space"),
        ("from:\"\"", 5, ""),
        ("\"\"", 0, ""),
        ("is:unred", 3, "is:unread"),
        ("is:nice", 3, "is:unread"),
        ("is:$a%", 3, ""),
        ("has:fun", 4, "has:attachment"),
        ("larger:big", 7, "1M"),
        ("larger:99999999999999999999", 7, ""),
        ("larger:9223372036854775808", 7, ""),
        ("newer:7", 6, "7d"),
        ("newer:7m", 6, "mo"),
        ("newer:d", 6, "7d"),
        ("after:2024-02-30", 6, "2024"),
        ("after:31-01-2024", 6, "2024"),
        ("header:=x", 7, "header:"),
        ("header:X=", 7, "header:X"),
        ("a OR", 4, ""),
        ("OR a", 0, "Quote"),
        ("a OR OR b", 5, "Quote"),
        ("(a", 0, ""),
        ("a)", 1, ""),
        ("()", 1, ""),
        ("a | b", 2, "OR"),
        ("from:(a b)", 8, "quoted"),
        ("from:(a|)", 8, ""),
        ("from:(a", 5, ""),
        ("from:(-a)", 6, ""),
        ("-", 0, "Quote"),
        ("--a", 0, "Quote"),
        ("a - b", 2, "Quote"),
        ("\"a\"b", 3, ""),
        ("a\"b\"", 1, ""),
        ("\"a", 0, ""),
        ("a\nb", 1, ""),
    ] {
        let error = Query::parse(text).expect_err(text);
        assert_eq!((error.code(), error.context().position), (Code::QuerySyntax, Some(at)), "{text}: {error}");
        let said = error.context().hint.clone().unwrap_or_default();
        assert!(said.contains(hint), "{text}: {said}");
    }
}

#[test]
fn values_are_never_syntax() {
    for value in ["a OR b", "x\" is:deleted \"", ")", "*", "-x", "is:unread", "ALL", "OR", "(a|b)", "\\", " "] {
        let query = Query::template(&["from:", " ", " list:", " subject:\"re: ", "\""], &[value; 4]).unwrap();
        let expected = Query::from_(value)
            & Query::text(value)
            & Query { expr: Expr::Term(Term::List(Some(value.into()))) }
            & Query::subject(format!("re: {value}"));
        assert_eq!(query, expected, "{value}");
    }
    let header = Query::template(&["header:X-A=", ""], &["b=c"]).unwrap();
    assert_eq!(header, Query::header("X-A", Some("b=c".into())));
    assert!(Query::template(&["header:", ""], &["X-A=b c"]).is_err());
    assert!(Query::template(&["from:", ""], &["a\r\nb"]).is_err());
    assert!(Query::template(&["from:", ""], &[""]).is_err());
    assert_eq!(Query::template(&["a"], &["b"]).unwrap_err().code(), Code::UsageArgument);
    assert_eq!(Query::template(&["newer:", "d"], &["7"]).unwrap(), Query::newer(7, Unit::Day));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}a b{}", "-(".repeat(depth), " c)".repeat(depth));
    assert!(Query::parse(&nested(PARENTHESES)).unwrap().check().is_ok());
    assert_eq!(Query::parse(&nested(PARENTHESES + 1)).unwrap_err().code(), Code::QuerySyntax);
    assert!(Query::parse(&"(".repeat(60_000)).is_err());
    assert!(Query::parse(&"-".repeat(60_000)).is_err());
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9.@-]{1,8}", "[ -~żÜ漢]{1,12}", Just("OR".to_owned()), Just("*".to_owned())]
}

fn term() -> impl Strategy<Value = Query> {
    let unit = prop_oneof![Just(Unit::Hour), Just(Unit::Day), Just(Unit::Week), Just(Unit::Month), Just(Unit::Year)];
    let day = prop_oneof![Just(Day::Today), Just(Day::Yesterday), Just(Day::Date(date(2024, 2, 29)))];
    let field =
        prop_oneof![Just(AddressField::From), Just(AddressField::To), Just(AddressField::Cc), Just(AddressField::Bcc)];
    let flag = prop_oneof![Just(Flag::SEEN), Just(Flag::FLAGGED), Just(Flag::ANSWERED), Just(Flag::DRAFT)];
    let term = prop_oneof![
        (field, text()).prop_map(|(field, text)| Term::Address(field, text)),
        text().prop_map(Term::Subject),
        text().prop_map(Term::Body),
        text().prop_map(Term::Text),
        proptest::option::of(text()).prop_map(Term::List),
        ("[A-Za-z-]{1,9}", proptest::option::of(text())).prop_map(|(name, text)| Term::Header(name, text)),
        (flag, any::<bool>()).prop_map(|(flag, set)| Term::Flag(flag, set)),
        Just(Term::HasAttachment),
        text().prop_map(Term::In),
        (0..i64::MAX as u64).prop_map(Term::Larger),
        (0..9999_u64).prop_map(Term::Smaller),
        (any::<u32>(), unit).prop_map(|(count, unit)| Term::Newer(Age { count, unit })),
        day.prop_map(Term::On),
        text().prop_map(Term::Label),
        text().prop_map(Term::Thread),
    ];
    term.prop_map(|term| Query { expr: Expr::Term(term) })
}

fn query() -> impl Strategy<Value = Query> {
    term().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a & b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a | b),
            inner.prop_map(|a| !a),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_the_same(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(Query::parse(&text).map_err(|error| error.to_string()), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_a_query_or_an_error_with_a_place_in_it(text in "(?s).{0,40}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(error.context().position.is_some_and(|at| at <= text.chars().count()), "{}", error);
        }
    }

    #[test]
    fn any_pieces_of_the_language_are_a_query_or_an_error(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("("), Just(")"), Just("-"), Just("|"), Just("\""), Just("\\"), Just(" "), Just("OR"), Just("from:"),
                Just("is:"), Just("header:"), Just("="), Just("a"), Just("*"), Just("list:"), Just("newer:"), Just("7d"),
            ],
            0..24,
        )
    ) {
        let text = pieces.concat();
        if let Ok(query) = Query::parse(&text) {
            prop_assert_eq!(Query::parse(&query.to_string()).ok(), Some(query));
        }
    }
}
