//! A message that is too large to be taken apart in memory: where its parts are, and how they decode.

use super::decoded::{Decoded, Measure};
use super::stream::up_to;
use crate::error::Result;
use crate::message::{Outline, Outlined, TransferEncoding};
use crate::server::lately::Lately;
use crate::store::Reader;
use crate::store::body::{self, Content};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What a part takes in memory, about.
const PART: usize = 1024;

/// What was found out about a large message.
pub(in crate::server) struct Large {
    outlined: Outlined,
    /// Parts whose transfer encoding was taken off.
    decoded: Mutex<HashMap<Range<u64>, Arc<Decoded>>>,
}

impl Large {
    pub(super) fn outlined(&self) -> &Outlined {
        &self.outlined
    }

    /// How the part at that place decodes, where that is known.
    pub(super) fn decoded(&self, at: &Range<u64>) -> Option<Arc<Decoded>> {
        self.decoded.lock().unwrap_or_else(PoisonError::into_inner).get(at).cloned()
    }

    /// How much memory it takes, about.
    fn size(&self) -> usize {
        self.outlined.header_block().len() * 2 + self.outlined.count() * PART
    }
}

/// What has to be found out before a row can be made, a stretch at a time.
pub(super) enum Work {
    /// Where the parts are.
    Outline(Box<Content>, Box<Outline>),
    /// How the part at this place decodes.
    Decode(Arc<Large>, Range<u64>, Box<Content>, Box<Measure>),
}

impl Work {
    pub(super) fn outline(content: Content) -> Self {
        Self::Outline(Box::new(content), Box::default())
    }

    pub(super) fn decode(large: &Arc<Large>, at: Range<u64>, mut content: Content, encoding: TransferEncoding) -> Self {
        content.seek(at.start);
        Self::Decode(Arc::clone(large), at, Box::new(content), Box::new(Measure::new(encoding)))
    }

    /// Reads the next stretch; the message once all is known.
    pub(super) fn go_on(&mut self, reader: &dyn Reader, lately: &Lately) -> Result<Option<Arc<Large>>> {
        match self {
            Self::Outline(content, outline) => {
                // Somebody else has done it while this one waited.
                if let Some(known) = lately.larges.find(&content.hash()) {
                    return Ok(Some(known));
                }
                if !body::outline(reader, content, outline)? {
                    return Ok(None);
                }
                let outlined = std::mem::take(&mut **outline).finish();
                let large = Arc::new(Large { outlined, decoded: Mutex::default() });
                lately.larges.put(content.hash(), Arc::clone(&large), large.size());
                Ok(Some(large))
            }
            Self::Decode(large, at, content, measure) => {
                if large.decoded(at).is_none() {
                    if !decode_stretch(reader, content, at, measure)? {
                        return Ok(None);
                    }
                    let decoded = Arc::new(std::mem::take(&mut **measure).finish());
                    large.decoded.lock().unwrap_or_else(PoisonError::into_inner).insert(at.clone(), decoded);
                }
                Ok(Some(Arc::clone(large)))
            }
        }
    }
}

/// Whether the part is over.
fn decode_stretch(reader: &dyn Reader, content: &mut Content, at: &Range<u64>, measure: &mut Measure) -> Result<bool> {
    let (length, until) = (at.end - at.start, measure.taken() + body::STRETCH);
    while measure.taken() < length.min(until) {
        measure.push(&up_to(content, reader, length - measure.taken())?);
    }
    Ok(measure.taken() == length)
}
