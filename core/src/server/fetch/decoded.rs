//! A large part without its transfer encoding: how long it is, and places from which it can be decoded without all that is
//! before them.

use super::stream::up_to;
use crate::error::Result;
use crate::message::{TransferDecoder, TransferEncoding};
use crate::store::Reader;
use crate::store::body::Content;
use std::ops::Range;

/// How far such places are apart, in encoded bytes.
const APART: u64 = 4 << 20;
/// Most bytes that a decoder may hold at such a place.
const HELD: usize = 1 << 10;

/// How a part decodes.
pub(super) struct Decoded {
    /// Its length, in bytes.
    pub size: u64,
    /// From the beginning on.
    marks: Vec<Mark>,
}

/// A decoder after so many bytes.
struct Mark {
    encoded: u64,
    decoded: u64,
    decoder: TransferDecoder,
}

/// Takes a part in pieces, and forgets what it decodes to.
#[derive(Default)]
pub(super) struct Measure {
    decoder: TransferDecoder,
    encoded: u64,
    decoded: u64,
    marks: Vec<Mark>,
}

impl Measure {
    pub(super) fn new(encoding: TransferEncoding) -> Self {
        let decoder = TransferDecoder::new(encoding);
        let marks = vec![Mark { encoded: 0, decoded: 0, decoder: decoder.clone() }];
        Self { decoder, encoded: 0, decoded: 0, marks }
    }

    /// How many bytes have been taken.
    pub(super) fn taken(&self) -> u64 {
        self.encoded
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.decoded += self.decoder.push(bytes).len() as u64;
        self.encoded += bytes.len() as u64;
        let last = self.marks.last().map_or(0, |mark| mark.encoded);
        if self.encoded - last >= APART && self.decoder.held() <= HELD {
            let (encoded, decoded, decoder) = (self.encoded, self.decoded, self.decoder.clone());
            self.marks.push(Mark { encoded, decoded, decoder });
        }
    }

    pub(super) fn finish(mut self) -> Decoded {
        let rest = self.decoder.finish().len() as u64;
        Decoded { size: self.decoded + rest, marks: self.marks }
    }
}

/// A part that is being decoded.
pub(super) struct Decoding {
    content: Content,
    decoder: TransferDecoder,
    /// Encoded bytes that are still to be read.
    left: u64,
    /// Decoded bytes that are not wanted.
    skipped: u64,
}

impl Decoding {
    /// From a byte of what a part decodes to on; the part is at that place of the content.
    pub(super) fn new(decoded: &Decoded, mut content: Content, at: &Range<u64>, first: u64) -> Self {
        let mark = decoded.marks.iter().rfind(|mark| mark.decoded <= first);
        let (encoded, before) = mark.map_or((0, 0), |mark| (mark.encoded, mark.decoded));
        let decoder = mark.map(|mark| mark.decoder.clone()).unwrap_or_default();
        content.seek(at.start + encoded);
        Self { content, decoder, left: at.end - at.start - encoded, skipped: first - before }
    }

    /// The next bytes; none at the end.
    pub(super) fn next(&mut self, reader: &dyn Reader) -> Result<Vec<u8>> {
        loop {
            let (is_last, mut out) = match self.left {
                0 => (true, self.decoder.finish()),
                left => {
                    let bytes = up_to(&mut self.content, reader, left)?;
                    self.left -= bytes.len() as u64;
                    (false, self.decoder.push(&bytes))
                }
            };
            let skipped = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(out.len());
            out.drain(..skipped);
            self.skipped -= skipped as u64;
            if is_last || !out.is_empty() {
                return Ok(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_is_remembered_now_and_then() {
        let mut measure = Measure::new(TransferEncoding::Base64);
        (0..150).for_each(|_| measure.push(&b"QUJD".repeat(16 << 10)));
        measure.push(b"QUI=");
        let decoded = measure.finish();
        assert_eq!(decoded.size, 150 * (48 << 10) + 2);
        let marks: Vec<_> = decoded.marks.iter().map(|mark| (mark.encoded, mark.decoded)).collect();
        assert_eq!(marks, [(0, 0), (4 << 20, 3 << 20), (8 << 20, 6 << 20)]);
    }
}
