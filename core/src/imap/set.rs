//! Sets of UIDs, kept as ranges and never expanded (RFC 9051 section 9, `sequence-set`).

/// A set of UIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    /// Ascending, not touching, both ends included.
    pub(super) ranges: Vec<(u32, u32)>,
}
