//! What a server for tests is started with.

use super::Letter;
use crate::secret::Secret;

/// What a [`Server`](super::Server) holds, and what it does wrong from the beginning.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestOptions {
    /// Messages of mailboxes, which are made where they are missing. INBOX, Archive, Drafts, Junk, Sent and Trash are
    /// there.
    pub mail: Vec<(String, Vec<Letter>)>,
    /// Capabilities that it has not got, such as `MOVE` or `THREAD`: they are not announced, and what needs them is
    /// answered with BAD. IMAP4rev2 goes with whatever is a part of it.
    pub without: Vec<String>,
    /// Faults that servers are known for, by the names of the rules in [`RULES`](crate::imap::quirk::RULES). It then
    /// behaves like such a server, and says so in its greeting where that server is known by it.
    pub quirks: Vec<String>,
    /// Who may log in; `ada`.
    pub user: String,
    /// And with which password; `secret`.
    pub password: Secret,
}

impl Default for TestOptions {
    fn default() -> Self {
        let (mail, without, quirks) = (Vec::new(), Vec::new(), Vec::new());
        Self { mail, without, quirks, user: "ada".to_owned(), password: "secret".into() }
    }
}
