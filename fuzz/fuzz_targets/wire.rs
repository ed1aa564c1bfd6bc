//! Any bytes, however split, are framed alike, in linear time and bounded memory, and walked without a panic.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mailtide::Limits;
use mailtide::wire::{Assembler, Cursor, Event, Frame, Framer};

fuzz_target!(|data: &[u8]| {
    let Some((control, wire)) = data.split_first() else { return };
    let limits = if control & 1 == 0 { Limits::default() } else { small() };
    let framer = || match control & 2 {
        0 => Framer::for_client(limits.clone()),
        _ => Framer::for_server(limits.clone()),
    };
    let whole = Reading::of(framer(), wire, |_| wire.len().max(1));
    let mut random = u32::from(*control);
    let split = Reading::of(framer(), wire, |_| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (random >> 24) as usize % 9
    });
    assert_eq!(whole.events, split.events);
    assert_eq!(whole.failed, split.failed);
    for reading in [&whole, &split] {
        assert!(reading.examined <= 100 * wire.len() as u64 + 100);
    }
    let mut assembler = Assembler::new(limits.clone());
    for (n, event) in split.events.into_iter().enumerate() {
        let Ok(frame) = assembler.push(event) else { return };
        if n % 3 == 0 && assembler.pending().is_some() {
            assembler.divert();
        }
        if let Some(frame) = frame {
            walk(&frame, &limits);
        }
    }
});

fn small() -> Limits {
    let mut limits = Limits::default();
    (limits.line, limits.literal, limits.body, limits.response) = (200, 70_000, 80_000, 75_000);
    (limits.depth, limits.items, limits.literals) = (4, 30, 5);
    limits
}

/// What a framer made of some bytes. Neighbouring pieces are joined, since their sizes depend on how the bytes came.
struct Reading {
    events: Vec<Event>,
    failed: bool,
    examined: u64,
}

impl Reading {
    fn of(mut framer: Framer, mut wire: &[u8], mut step: impl FnMut(&[u8]) -> usize) -> Self {
        let mut buffer = BytesMut::new();
        let mut events = Vec::new();
        let mut failed = false;
        while !wire.is_empty() && !failed {
            let (now, later) = wire.split_at(step(wire).min(wire.len()));
            buffer.extend_from_slice(now);
            wire = later;
            failed = Self::drain(&mut framer, &mut buffer, &mut events);
        }
        // An error comes as early as it can be known, which may be before or after some bytes of a body.
        if failed && let Some(Event::Piece(_)) = events.last() {
            events.pop();
        }
        Self { events, failed, examined: framer.examined() }
    }

    fn drain(framer: &mut Framer, buffer: &mut BytesMut, events: &mut Vec<Event>) -> bool {
        loop {
            match (framer.next(buffer), events.last_mut()) {
                (Ok(None), _) => return false,
                (Err(_), _) => return true,
                (Ok(Some(Event::Piece(piece))), Some(Event::Piece(before))) => {
                    *before = [before.as_ref(), piece.as_ref()].concat().into();
                }
                (Ok(Some(event)), _) => events.push(event),
            }
        }
    }
}

/// Reads all of a frame by each method that may begin a value.
fn walk(frame: &Frame, limits: &Limits) {
    for structure in [false, true] {
        let mut cursor = Cursor::new(frame, limits);
        cursor.in_structure(structure);
        while !cursor.is_at_end() {
            let mut other = cursor.clone();
            let _ =
                (other.nil(), other.nstring(), other.number(), other.code_atom(), other.astring(), other.number32());
            if cursor.value().is_err() && !cursor.eat(b')') {
                break;
            }
        }
        cursor.take_rest();
    }
}
