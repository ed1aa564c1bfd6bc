//! Tests of the cursor.

use super::*;
use crate::wire::tests::events;
use crate::wire::{Assembler, Framer};

fn on<T>(text: &str, read: impl FnOnce(&mut Cursor<'static>) -> T) -> T {
    // Leaked, so that a method of `Cursor` can be named as `read`.
    let frame = Box::leak(Box::new(Frame::text(text.to_owned())));
    read(&mut Cursor::new(frame, &Limits::default()))
}

fn malformed<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, usize) {
    match result.unwrap_err() {
        WireError::Malformed { expected, at } => (expected, at),
        WireError::Limit(what) => panic!("{what}"),
    }
}

#[test]
fn atoms_end_at_spaces_parentheses_quotes_and_line_ends() {
    for end in [" x", "(", ")", "\"", "\r\n", "\n", ""] {
        assert_eq!(on(&format!(" \ta]b[c\\*{end}"), Cursor::atom).unwrap(), "a]b[c\\*");
        assert_eq!(on(&format!("é{end}"), |c| c.keyword().map(<[u8]>::to_vec)).unwrap(), "é".as_bytes());
    }
    assert_eq!(malformed(on("  )", Cursor::atom)), ("an atom", 2));
    assert_eq!(malformed(on("\r\n", Cursor::keyword)), ("an atom", 0));
}

#[test]
fn a_section_belongs_to_the_name_of_a_fetch_item() {
    for name in [
        "BODY[HEADER.FIELDS (DATE \"X-]\")]<0>",
        "body[]",
        "BINARY.SIZE[1.2]",
        "BODY.PEEK[]",
        "BODY[TEXT]{5}",
        "BODY",
        "BODYSTRUCTURE",
        "B",
    ] {
        assert_eq!(on(&format!("{name} (x"), Cursor::atom).unwrap(), name);
    }
    assert_eq!(malformed(on("BODY[HEADER.FIELDS (DATE\r\n", Cursor::atom)).0, "an atom");
    assert_eq!(on("[Gmail a]", Cursor::atom).unwrap(), "[Gmail");
    assert_eq!(on("BODYX[ a]", Cursor::atom).unwrap(), "BODYX[");
}

#[test]
fn atoms_in_a_response_code_end_at_brackets() {
    on("[UIDNEXT 5]text", |c| {
        assert!(c.eat(b'['));
        assert_eq!(c.code_atom().unwrap(), "UIDNEXT");
        assert_eq!(c.number().unwrap(), 5);
        assert!(c.eat(b']') && c.code_atom().unwrap() == "text");
    });
}

#[test]
fn numbers_have_up_to_63_bits() {
    assert_eq!(on("9223372036854775807)", Cursor::number), Ok(i64::MAX as u64));
    assert_eq!(malformed(on("9223372036854775808", Cursor::number)).0, "a number");
    assert_eq!(malformed(on(" -1", Cursor::number)), ("a number", 1));
    assert_eq!(on("4294967295", Cursor::number32), Ok(u32::MAX));
    assert_eq!(malformed(on(" 4294967296", Cursor::number32)), ("a 32-bit number", 0));
}

#[test]
fn strings_may_be_quoted_or_literals() {
    for text in ["\"a\\\"b\" ", "{3}\r\na\"b ", "~{3}\r\na\"b", " {3+}\na\"b"] {
        assert_eq!(on(text, Cursor::string).unwrap().into_bytes(), "a\"b");
        assert_eq!(on(text, Cursor::nstring).unwrap().unwrap().into_bytes(), "a\"b");
        assert_eq!(on(text, Cursor::astring).unwrap(), "a\"b");
    }
    assert_eq!(on("NIL)", Cursor::nstring), Ok(None));
    assert_eq!(on("NILS)", Cursor::nstring).unwrap().unwrap().into_bytes(), "NILS");
    assert_eq!(on("~/Mail ", Cursor::astring).unwrap(), "~/Mail");
    assert_eq!(on("~ ", Cursor::nstring).unwrap().unwrap().into_bytes(), "~");
    assert_eq!(on("{0}\r\n)", Cursor::string).unwrap().into_bytes(), "");
}

#[test]
fn broken_strings_are_errors() {
    assert_eq!(malformed(on("\"open", Cursor::string)), ("a closing quote", 0));
    assert_eq!(malformed(on("atom", Cursor::string)), ("a string", 0));
    assert_eq!(malformed(on("{4}\r\nabc", Cursor::string)).0, "all bytes of a literal");
    assert_eq!(malformed(on("{x}\r\nabc", Cursor::string)).0, "the size of a literal");
    assert_eq!(malformed(on("{3} abc\r\n", Cursor::string)).0, "the size of a literal");
    assert_eq!(malformed(on("{3}", Cursor::string)).0, "a line end after the literal's size");
    assert_eq!(malformed(on("{9223372036854775807}\r\n", Cursor::string)).0, "a large literal");
    assert!(on("{99999999999999999999}\r\n", Cursor::string).is_err());
}

#[test]
fn nil_is_a_whole_word() {
    for (text, nil) in [("nil ", true), (" NIL)", true), ("NIL", true), ("NIL]", true), ("NILS", false), ("NI", false)]
    {
        assert_eq!(on(text, Cursor::nil), nil, "{text}");
    }
}

#[test]
fn quotes_in_a_structure_close_where_a_string_may_end() {
    on("\"a \"b\" c\" \"d\"", |c| {
        assert!(!c.in_structure(true));
        assert_eq!(c.string().unwrap().into_bytes(), "a \"b\" c");
        assert!(c.in_structure(false));
        assert_eq!(c.string().unwrap().into_bytes(), "d");
        assert!(c.is_at_end());
    });
}

#[test]
fn lists_may_be_nested_up_to_the_limit() {
    fn depth(c: &mut Cursor<'_>) -> Result<usize> {
        let mut deepest = 0;
        c.list(|c| depth(c).map(|d| deepest = deepest.max(d)))?;
        Ok(deepest + 1)
    }
    let nested = |n| "(".repeat(n) + &")".repeat(n);
    assert_eq!(on(&nested(64), depth), Ok(64));
    assert_eq!(malformed(on(&nested(65), depth)), ("less nesting", 64));
    assert!(on(&nested(64), Cursor::value).is_ok());
    assert_eq!(malformed(on(&nested(65), Cursor::value)), ("less nesting", 64));
    assert!(on(&"()".repeat(1000), |c| (0..1000).all(|_| depth(c) == Ok(1))));
}

#[test]
fn a_list_that_makes_no_progress_or_does_not_end_is_an_error() {
    assert_eq!(malformed(on("(a)", |c| c.list(|_| Ok(())))), ("a list item", 1));
    assert_eq!(malformed(on("(a\r\n", |c| c.list(|c| c.atom().map(|_| ())))), ("a closing parenthesis", 2));
    assert_eq!(malformed(on("a", |c| c.list(|_| Ok(())))), ("an opening parenthesis", 0));
    assert_eq!(malformed(on("((a)\r\n", Cursor::value)), ("an atom", 4));
}

#[test]
fn items_and_values_are_bounded() {
    let frame = Frame::text("a b c d");
    let mut cursor = Cursor::new(&frame, &Limits { items: 3, ..Limits::default() });
    assert!((0..3).all(|_| cursor.atom().is_ok()));
    assert_eq!(malformed(cursor.atom()).0, "fewer items");
    let list = |n| format!("({})", "1 ".repeat(n));
    assert!(on(&list(MAX_VALUES - 1), Cursor::value).is_ok());
    assert_eq!(malformed(on(&list(MAX_VALUES), Cursor::value)).0, "fewer values");
}

#[test]
fn large_literals_are_found_where_they_were_announced() {
    let body = "b\r\n".repeat(30_000);
    let wire = format!("* 1 FETCH (BODY[1] {{90000}}\r\n{body} X {{90000}}\r\n{body} UID x)\r\n");
    let mut assembler = Assembler::new(Limits::default());
    let events = events(&mut Framer::for_client(Limits::default()), wire.as_bytes(), 10_000).unwrap();
    let frame = events.into_iter().find_map(|event| assembler.push(event).unwrap()).unwrap();
    let mut cursor = Cursor::new(&frame, &Limits::default());
    assert!((0..3).all(|_| cursor.keyword().is_ok()));
    let Ok(Value::List(items)) = cursor.clone().value() else { panic!() };
    assert_eq!(items.len(), 6);
    assert!(items.iter().filter(|v| matches!(v, Value::String(Octets::Chunks(_)))).count() == 2);
    cursor.open().unwrap();
    for name in ["BODY[1]", "X"] {
        assert_eq!(cursor.atom().unwrap(), name);
        assert_eq!(cursor.string().unwrap().into_bytes(), body);
    }
    assert_eq!(cursor.keyword().unwrap(), b"UID");
    // Positions count the text without the large literals.
    assert_eq!(malformed(cursor.number()), ("a number", wire.len() - 180_000 - 4));
}

#[test]
fn the_rest_comes_without_its_line_end() {
    on("* OK  Hi there \r\n", |c| {
        assert!(c.eat(b'*') && c.spaces() && c.eat_word(b"ok") && !c.eat_word(b"Hi"));
        assert_eq!(c.take_rest(), "  Hi there ");
        assert!(c.is_at_end() && c.take_rest().is_empty());
    });
}

#[test]
fn any_value_is_read_as_it_stands() {
    let atom = |s: &'static str| Value::Atom(s.into());
    let string = |s: &'static str| Value::String(Octets::Whole(s.into()));
    let expected = Value::List(vec![
        atom("A"),
        Value::List(vec![]),
        string("b c"),
        Value::List(vec![string("d"), atom("NIL"), atom("~e")]),
    ]);
    assert_eq!(on("(A()\"b c\" ( {1}\r\nd NIL ~e))", Cursor::value), Ok(expected));
    assert_eq!(malformed(on(")", Cursor::value)), ("an atom", 0));
}
