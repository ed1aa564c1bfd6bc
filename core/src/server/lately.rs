//! What clients of a server have asked for lately, in memory and within bounds: who reads a message by pieces, or from two
//! connections, need not wait for all of it with each.

use super::fetch::Large;
use crate::recent::Recent;
use crate::store::{ContentHash, MessageId};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Most bytes of bodies that were fetched and are not held.
const BODIES: usize = 32 << 20;
/// Most bytes, about, that say where the parts of large messages are.
const LARGES: usize = 16 << 20;
/// Large messages that are looked through at a time. Each takes a mebibyte or two of memory, and 65 at most.
const TURNS: usize = 2;

/// What all connections of a server remember.
pub(super) struct Lately {
    /// Bodies that are not held.
    pub bodies: Recent<MessageId, Bytes>,
    /// Where the parts of large messages are. A content never changes.
    pub larges: Recent<ContentHash, Arc<Large>>,
    pub turns: Semaphore,
}

impl Default for Lately {
    fn default() -> Self {
        Self { bodies: Recent::new(BODIES), larges: Recent::new(LARGES), turns: Semaphore::new(TURNS) }
    }
}
