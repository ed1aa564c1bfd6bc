//! From how a user names a mailbox to the server's name for it.

use super::info::MailboxInfo;
use super::manage;
use super::options::ListOptions;
use super::selection::Target;
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::extension::namespace;
use crate::imap::extension::special_use::{self, Use};
use crate::imap::{Capabilities, Namespaces, Role};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer to LIST or NAMESPACE is trusted for finding names.
const FRESH: Duration = Duration::from_secs(300);

/// What is remembered of the server's names.
#[derive(Default)]
pub(crate) struct Names {
    list: Mutex<Option<(Instant, Arc<Vec<MailboxInfo>>)>>,
    namespaces: Mutex<Option<Arc<Namespaces>>>,
}

impl Names {
    /// The server's name of `target`. Asks the server only where the name depends on it.
    pub async fn resolve(&self, session: &Session, target: &Target) -> Result<String> {
        target.check()?;
        match target {
            Target::Name(name) if name.eq_ignore_ascii_case("INBOX") => Ok("INBOX".to_owned()),
            Target::Name(name) => Ok(name.clone()),
            Target::Path(path) => join(path, &*self.namespaces(session).await?),
            Target::Role(Role::Inbox) => Ok("INBOX".to_owned()),
            Target::Role(role) => {
                let list = self.list(session).await?;
                let capabilities = session.any().await?.connection.capabilities();
                by_role(&list, *role, &capabilities).ok_or_else(|| missing(*role))
            }
        }
    }

    /// The same; with `create` a mailbox that is missing is made.
    pub async fn resolve_or_create(&self, session: &Session, target: &Target, create: bool) -> Result<String> {
        match self.resolve(session, target).await {
            Err(error) if create && error.code() == Code::MailboxMissing => match target {
                Target::Role(role) => manage::create_for_role(session, *role).await,
                _ => Err(error),
            },
            Ok(name) if create => {
                manage::ensure(session, &name).await?;
                Ok(name)
            }
            other => other,
        }
    }

    /// Forgets what may have changed.
    pub fn forget(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The namespaces; for a server without the command, what an empty LIST tells (RFC 9051 section 6.3.9).
    pub async fn namespaces(&self, session: &Session) -> Result<Arc<Namespaces>> {
        let known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let namespaces = Arc::new(manage::namespaces(session).await?);
        *self.namespaces.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&namespaces));
        Ok(namespaces)
    }

    /// All mailboxes, at most a few minutes old. A list of nothing is an error.
    pub async fn list(&self, session: &Session) -> Result<Arc<Vec<MailboxInfo>>> {
        let known = self.list.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, list)) = known.filter(|(at, _)| at.elapsed() < FRESH) {
            let _ = at;
            return Ok(list);
        }
        let list = Arc::new(manage::mailboxes(session, ListOptions::default()).await?);
        if list.is_empty() {
            return Err(nothing_listed());
        }
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&list)));
        Ok(list)
    }
}

/// A list without any mailbox. INBOX is always there (RFC 9051 section 5.1): from such an answer it does not follow that
/// anything is missing.
pub fn nothing_listed() -> MailError {
    MailError::new(Code::ServerUnavailable, "The server lists no mailbox at all")
}

/// Levels as one name, in the personal namespace.
fn join(path: &[String], namespaces: &Namespaces) -> Result<String> {
    let delimiter = namespaces.personal.first().and_then(|n| n.delimiter);
    if let Some(level) = delimiter.and_then(|d| path.iter().find(|level| level.contains(d))) {
        let message = format!("A level cannot hold the server's delimiter, as {level:?} does");
        return Err(MailError::new(Code::UsageArgument, message));
    }
    let levels: Vec<&str> = path.iter().map(String::as_str).collect();
    namespace::join(namespaces, &levels)
        .ok_or_else(|| MailError::new(Code::ServerUnsupported, "This server's mailboxes have no hierarchy"))
}

/// The mailbox of a role.
fn by_role(list: &[MailboxInfo], role: Role, caps: &Capabilities) -> Option<String> {
    let known = |m: &MailboxInfo| m.role.filter(|_| m.selectable).map(|role| Use { role, guessed: m.role_guessed });
    let uses: Vec<_> = list.iter().map(known).collect();
    special_use::find(role, &uses, caps).and_then(|at| list.get(at)).map(|m| m.name.clone())
}

fn missing(role: Role) -> MailError {
    let message = format!("The account has no mailbox for the role {}", role.as_str());
    MailError::new(Code::MailboxMissing, message).hint("Name the mailbox itself, or create one with that role")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::{MailboxName, Namespace};

    fn namespaces(prefix: &str, delimiter: Option<char>) -> Namespaces {
        Namespaces {
            personal: vec![Namespace { prefix: MailboxName::new(prefix, false), delimiter }],
            ..Namespaces::default()
        }
    }

    fn path(levels: &[&str]) -> Vec<String> {
        levels.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn levels_are_joined_in_the_personal_namespace_and_only_once() {
        let join = |levels: &[&str], n: &Namespaces| join(&path(levels), n).map_err(|e| e.code());
        assert_eq!(join(&["Archive", "News"], &namespaces("", Some('/'))), Ok("Archive/News".to_owned()));
        assert_eq!(join(&["Archive", "News"], &namespaces("INBOX.", Some('.'))), Ok("INBOX.Archive.News".to_owned()));
        assert_eq!(join(&["INBOX", "News"], &namespaces("INBOX.", Some('.'))), Ok("INBOX.News".to_owned()));
        assert_eq!(join(&["A.B"], &namespaces("", Some('.'))), Err(Code::UsageArgument));
        assert_eq!(join(&["A", "B"], &namespaces("", None)), Err(Code::ServerUnsupported));
        assert_eq!(join(&["A"], &namespaces("", None)), Ok("A".to_owned()));
    }
}
