//! Any arguments reach a strict reader as exactly one command with the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtide::wire::{Command, Encoder, LiteralHeader, Piece};
use strict::Token;

#[path = "../../core/tests/support/strict.rs"]
mod strict;

fuzz_target!(|data: &[u8]| {
    let Some((control, mut rest)) = data.split_first() else { return };
    let utf8 = control & 1 == 1;
    let mut encoder = Encoder::new("X");
    encoder.utf8(utf8);
    let mut sent = Vec::new();
    // Each argument: how it is to be sent, its length, its bytes.
    while let [how, len, tail @ ..] = rest {
        let (argument, tail) = tail.split_at((usize::from(*len) * (1 + usize::from(how >> 5))).min(tail.len()));
        rest = tail;
        if encode(&mut encoder, how % 6, argument) {
            sent.push(argument);
        }
    }
    let commands = strict::commands(&wire(&encoder.finish(), control & 2 == 0), utf8).unwrap();
    assert_eq!(commands.len(), 1);
    let read: Vec<&[u8]> = commands[0].iter().skip(2).map(Token::content).collect();
    assert_eq!(read, sent);
});

/// Whether the encoder has taken the argument. What it must not refuse is checked.
fn encode(encoder: &mut Encoder, how: u8, argument: &[u8]) -> bool {
    let text = std::str::from_utf8(argument).unwrap_or_default();
    let taken = match how {
        0 => encoder.astring(argument).is_ok(),
        1 => encoder.string(argument).is_ok(),
        2 => return encoder.atom(text).is_ok(),
        3 => return encoder.flag(text).is_ok(),
        4 => return raw_is_harmless(text),
        _ if argument.contains(&0) => false,
        _ => encoder.list(|e| e.nstring(Some(argument)).map(|_| ())).is_ok(),
    };
    assert!(taken || argument.contains(&0));
    taken
}

/// Whatever raw text is taken, what follows it is still an argument of the same command.
fn raw_is_harmless(text: &str) -> bool {
    let mut encoder = Encoder::new("X");
    if encoder.raw(text).is_ok() {
        encoder.string(b"\r\n").unwrap();
        let wire = wire(&encoder.finish(), true);
        assert!(wire.ends_with(b" {2}\r\n\r\n\r\n"));
        assert_eq!(wire.iter().filter(|b| matches!(b, b'\r' | b'\n' | 0)).count(), 6);
    }
    false
}

fn wire(command: &Command, synchronising: bool) -> Vec<u8> {
    let mut wire = b"A1 ".to_vec();
    for piece in command.pieces() {
        match piece {
            Piece::Text(text) => wire.extend_from_slice(text),
            Piece::Literal { bytes, binary } => {
                let header = LiteralHeader { size: bytes.len() as u64, synchronising, binary: *binary };
                wire.extend_from_slice(format!("{header}\r\n").as_bytes());
                wire.extend_from_slice(bytes);
            }
            Piece::Stream { .. } => unreachable!("no argument here is a stream"),
        }
    }
    wire.extend_from_slice(b"\r\n");
    wire
}
