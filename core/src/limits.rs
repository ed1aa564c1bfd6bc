//! The bounds that keep a hostile server or message from costing more than it should.

use std::time::Duration;

/// Bounds on what a server may send and on how long it may take.
///
/// The defaults fit every real server that we know of. Exceeding one is
/// [`Code::LimitExceeded`](crate::Code::LimitExceeded), and ends the connection where going on would mean reading
/// on without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest line without its literals, in bytes. A `SEARCH` answer of a million UIDs is about 8 MB.
    pub line: usize,
    /// Largest literal of anything that is not a body (names, envelope strings), in bytes.
    pub literal: usize,
    /// Largest body literal, in bytes. Bodies are streamed, so this bounds work, not memory.
    pub body: u64,
    /// Deepest nesting of parentheses. The parsers are recursive only below this bound.
    pub depth: usize,
    /// Most tokens (atoms, strings, parentheses) in one response.
    pub items: usize,
    /// Most bytes that one response may keep in memory, bodies handed on as a stream excepted.
    pub response: usize,
    /// Most literals in one response.
    pub literals: usize,
    /// Most mailboxes that a LIST may name.
    pub mailboxes: usize,
    /// How long the TCP and TLS handshakes may take.
    pub connect: Duration,
    /// How long the greeting may take once connected.
    pub greeting: Duration,
    /// How long the server may be silent while a command waits for it. Progress of any kind starts it anew.
    pub progress: Duration,
    /// The same for commands that make a server work in silence: SEARCH, SORT, COPY, MOVE, APPEND, SELECT.
    pub slow_progress: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 16 << 20,
            literal: 1 << 20,
            body: 4 << 30,
            depth: 64,
            items: 4_000_000,
            response: 24 << 20,
            literals: 10_000,
            mailboxes: 100_000,
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(30),
            progress: Duration::from_secs(60),
            slow_progress: Duration::from_secs(300),
        }
    }
}
