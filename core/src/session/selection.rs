//! Which messages a call is about.

use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::{Role, UidSet};
use crate::query::Query;

/// A selection of messages in one mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Selection {
    /// Every message.
    All,
    /// Messages that a query finds.
    Query(Query),
    /// Messages with these UIDs, as far as they are there.
    Uids(UidSet),
    /// Messages by their addresses. One of an older UIDVALIDITY is [`Code::MailboxReset`].
    Refs(Vec<MessageRef>),
}

impl From<Query> for Selection {
    fn from(query: Query) -> Self {
        Self::Query(query)
    }
}

impl From<UidSet> for Selection {
    fn from(uids: UidSet) -> Self {
        Self::Uids(uids)
    }
}

impl From<u32> for Selection {
    fn from(uid: u32) -> Self {
        Self::Uids([uid].into_iter().collect())
    }
}

impl From<Vec<MessageRef>> for Selection {
    fn from(refs: Vec<MessageRef>) -> Self {
        Self::Refs(refs)
    }
}

impl From<MessageRef> for Selection {
    fn from(reference: MessageRef) -> Self {
        Self::Refs(vec![reference])
    }
}

impl From<&super::Message> for Selection {
    fn from(message: &super::Message) -> Self {
        Self::Refs(vec![message.reference().clone()])
    }
}

/// A mailbox, named in one of three ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The server's exact decoded name, such as `Archive/2024`.
    Name(String),
    /// Levels of the hierarchy, joined with the server's delimiter and personal namespace.
    Path(Vec<String>),
    /// The mailbox with this special use (RFC 6154).
    Role(Role),
}

impl Target {
    /// A short name for errors and logs.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Path(path) => path.join("/"),
            Self::Role(role) => format!("Role.{}", role.as_str()),
        }
    }

    /// Refuses what no server can have: an empty name, an empty level, CR, LF or NUL.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |s: &String| s.is_empty() || s.chars().any(|c| matches!(c, '\r' | '\n' | '\0'));
        let refused = match self {
            Self::Name(name) => bad(name),
            Self::Path(path) => path.is_empty() || path.iter().any(bad),
            Self::Role(_) => false,
        };
        if refused {
            return Err(MailError::new(Code::UsageArgument, "A mailbox name is not empty and holds no CR, LF or NUL"));
        }
        Ok(())
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<Vec<String>> for Target {
    fn from(path: Vec<String>) -> Self {
        Self::Path(path)
    }
}

impl From<Role> for Target {
    fn from(role: Role) -> Self {
        Self::Role(role)
    }
}
