//! Flags and keywords (RFC 9051 section 2.3.2).

use std::borrow::Cow;

/// A flag as the server writes it: a system flag with its backslash, or a keyword.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flag(pub(super) Cow<'static, str>);
