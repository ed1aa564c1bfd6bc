//! Whatever the arguments are, a strict reader sees one command with the same bytes.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use strict::Token;

#[path = "../../../tests/support/strict.rs"]
mod strict;

/// The command as a session sends it to a server without LITERAL+.
fn wire(command: &Command) -> Vec<u8> {
    let mut wire = b"A1 ".to_vec();
    for piece in command.pieces() {
        match piece {
            Piece::Text(text) => {
                assert!(!text.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')), "{text:?}");
                wire.extend_from_slice(text);
            }
            Piece::Literal { bytes, binary } => {
                assert!(!binary);
                wire.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
                wire.extend_from_slice(bytes);
            }
            Piece::Stream { .. } => unreachable!("no test here sends one"),
        }
    }
    wire.extend_from_slice(b"\r\n");
    wire
}

/// The arguments of the one command that a strict reader finds, after the tag and `X`.
fn arguments(encoder: Encoder, utf8: bool) -> Vec<Token> {
    let wire = wire(&encoder.finish());
    let mut commands = strict::commands(&wire, utf8).unwrap_or_else(|e| panic!("{e}: {wire:?}"));
    assert_eq!(commands.len(), 1, "{wire:?}");
    commands.remove(0).split_off(2)
}

fn one(encode: impl FnOnce(&mut Encoder), utf8: bool) -> Token {
    let mut encoder = Encoder::new("X");
    encoder.utf8(utf8);
    encode(&mut encoder);
    let mut arguments = arguments(encoder, utf8);
    assert_eq!(arguments.len(), 1);
    arguments.remove(0)
}

fn astring(bytes: &[u8]) -> Token {
    one(|e| assert!(e.astring(bytes).is_ok()), false)
}

fn string(bytes: &[u8], utf8: bool) -> Token {
    one(|e| assert!(e.string(bytes).is_ok()), utf8)
}

#[test]
fn names_are_atoms_only_where_they_cannot_be_taken_for_something_else() {
    for atom in ["INBOX", "[Gmail]/All", "~/Mail", "2024", "a]b", "&AOk-", "+x", "x}", "NILS"] {
        assert_eq!(astring(atom.as_bytes()), Token::Atom(atom.into()));
    }
    for text in ["", "NIL", "nil", "{5}", "x{5}", "a b", "a*", "%", "a\\", "\\", "a\"b", "(", ")", "\x7f", "\t"] {
        assert_eq!(astring(text.as_bytes()), Token::String(text.into()));
    }
    for text in [&b"a\r\nb"[..], b"\n", b"\r", b"\xe9t\xe9", "été".as_bytes(), &[b'a'; 1001]] {
        assert_eq!(astring(text), Token::Literal(text.into()));
    }
}

#[test]
fn strings_are_quoted_up_to_a_thousand_bytes() {
    assert_eq!(string(&[b'"'; 1000], false), Token::String(vec![b'"'; 1000]));
    assert_eq!(string(&[b'a'; 1001], false), Token::Literal(vec![b'a'; 1001]));
    assert_eq!(string(b"ends in \\", false), Token::String(b"ends in \\".to_vec()));
}

#[test]
fn text_in_utf_8_is_quoted_only_where_the_server_takes_it() {
    assert_eq!(string("é".as_bytes(), true), Token::String("é".into()));
    assert_eq!(string("é".as_bytes(), false), Token::Literal("é".into()));
    assert_eq!(string(b"\xe9", true), Token::Literal(b"\xe9".to_vec()));
}

#[test]
fn nul_is_refused_everywhere() {
    let mut e = Encoder::new("X");
    assert!(e.atom("a\0").is_err());
    assert!(e.flag("\\a\0").is_err());
    assert!(e.astring(b"a\0").is_err());
    assert!(e.string(b"\0").is_err());
    assert!(e.nstring(Some(b"\0")).is_err());
    assert!(e.raw("\0").is_err());
    assert_eq!(e.finish().pieces(), [Piece::Text(b"X".to_vec())]);
}

#[test]
fn atoms_and_flags_of_other_characters_are_refused() {
    for text in ["", "a b", "a\r\nb", "a(", ")", "{5}", "a{5}", "\"", "é", "%", "a\\", "\t", "\x7f"] {
        assert_eq!(Encoder::new("X").atom(text).unwrap_err().code(), Code::UsageArgument, "{text:?}");
        assert_eq!(Encoder::new("X").flag(text).unwrap_err().code(), Code::UsageArgument, "{text:?}");
    }
    for flag in ["\\", "\\\\Seen", "*", "\\*", "a\\b"] {
        assert!(Encoder::new("X").flag(flag).is_err(), "{flag:?}");
    }
    for flag in ["\\Seen", "$Forwarded", "OIB-Seen-[Gmail]/All"] {
        assert_eq!(one(|e| assert!(e.flag(flag).is_ok()), false), Token::Atom(flag.into()));
    }
    assert_eq!(one(|e| assert!(e.atom("1:5,7:*").is_ok()), false), Token::Atom("1:5,7:*".into()));
}

#[test]
fn raw_text_must_leave_the_server_neither_in_a_string_nor_in_a_literal() {
    for text in ["a\r\nb", "\n", "\r", "\0", "a {5}", "{5+}", "~{5}", "{5} b", "\"open", "\"a\\\"", "a\" {5}"] {
        assert!(Encoder::new("X").raw(text).is_err(), "{text:?}");
    }
    for text in ["XAPPLE (\"a{5}\" 3)", "X \"a \\\" {5}\\\\\"", "(unbalanced", "FLAGS (\\Seen)", "5}"] {
        assert!(Encoder::new("X").raw(text).is_ok(), "{text:?}");
    }
}

#[test]
fn lists_and_numbers_have_one_space_between_items() {
    let mut e = Encoder::new("X");
    e.number(u64::MAX);
    e.list(|e| {
        e.string(b"a\nb")?.list(|_| Ok(()))?.list(|e| e.word("W").nstring(None).map(|_| ()))?.astring(b"\n").map(|_| ())
    })
    .unwrap();
    e.word("END");
    let atom = |s: &str| Token::Atom(s.into());
    let inner = Token::List(vec![atom("W"), atom("NIL")]);
    let literal = |s: &str| Token::Literal(s.into());
    let list = Token::List(vec![literal("a\nb"), Token::List(vec![]), inner, literal("\n")]);
    assert_eq!(arguments(e, false), [atom(&u64::MAX.to_string()), list, atom("END")]);
}

/// One argument, and how it is to be sent.
fn argument() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let special = prop::sample::select(&b"\r\n\0\"\\{}()%*]~+5 \xc3\xa9\xffaNIL"[..]);
    (0u8..4, prop_oneof![9 => vec(special, 0..24), 9 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 990..1010)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_arguments_are_read_as_one_command_with_the_same_bytes(given in vec(argument(), 0..6), utf8: bool) {
        let mut encoder = Encoder::new("X");
        encoder.utf8(utf8);
        let mut sent = Vec::new();
        for (how, bytes) in given {
            let text = String::from_utf8_lossy(&bytes);
            let accepted = match how {
                0 => encoder.astring(&bytes).is_ok(),
                1 => encoder.string(&bytes).is_ok(),
                2 => encoder.atom(&text).is_ok() || encoder.flag(&text).is_ok(),
                _ if bytes.contains(&0) => false,
                _ => encoder.list(|e| e.nstring(Some(&bytes)).map(|_| ())).is_ok(),
            };
            prop_assert!(accepted || how == 2 || bytes.contains(&0));
            sent.extend(accepted.then_some(bytes));
        }
        let read = arguments(encoder, utf8);
        let read: Vec<&[u8]> = read.iter().map(Token::content).collect();
        prop_assert_eq!(read, sent);
    }

    #[test]
    fn raw_text_that_is_accepted_stays_one_line(text in ".{0,40}", quoted in "[\"\\\\{}0-9+~ ]{0,12}") {
        for text in [&text, &quoted] {
            let mut encoder = Encoder::new("X");
            if encoder.raw(text).is_ok() {
                encoder.string(b"\r\n").unwrap();
                let wire = wire(&encoder.finish());
                prop_assert_eq!(wire.iter().filter(|b| **b == b'\n').count(), 3);
                let is_literal = wire.ends_with(b" {2}\r\n\r\n\r\n");
                prop_assert!(is_literal);
            }
        }
    }
}
