//! Any BODYSTRUCTURE, ENVELOPE, FETCH item or response is parsed without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtide::Limits;
use mailtide::imap::{Response, Untagged, parse_response};
use mailtide::wire::{Assembler, Framer};

fuzz_target!(|data: &[u8]| {
    let Some((control, data)) = data.split_first() else { return };
    let (before, after): (&[u8], &[u8]) = match control % 4 {
        0 => (b"* 1 FETCH (BODYSTRUCTURE (", b"))\r\n"),
        1 => (b"* 1 FETCH (ENVELOPE (", b"))\r\n"),
        2 => (b"* 1 FETCH (", b")\r\n"),
        _ => (b"", b"\r\n"),
    };
    let limits = Limits::default();
    let mut framer = Framer::for_client(limits.clone());
    let mut assembler = Assembler::new(limits.clone());
    let mut buffer = [before, data, after].concat().as_slice().into();
    while let Ok(Some(event)) = framer.next(&mut buffer) {
        if let Ok(Some(frame)) = assembler.push(event) {
            // A structure is taken apart only when it is asked for.
            if let Ok(Response::Data(Untagged::Fetch(row))) = parse_response(&frame, &limits, control & 4 == 0) {
                let _ = row.body_structure.map(|text| text.read());
            }
        }
    }
});
