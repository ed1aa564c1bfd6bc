//! APPEND, of one message or several in one transaction (RFC 9051 section 6.3.12, RFC 3502, RFC 4315).

use super::command::{Mail, NewMail};
use super::now;
use super::reply::{Handled, News, Refusal, Reply};
use super::select::usable;
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::store::{Flags, Incoming, Received, Store, Writer, change};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of messages that are taken apart before anybody else is served.
const QUICK: usize = 64 << 10;

/// Messages that can be added, until they are.
type All = Vec<(Received, Flags)>;

impl Session {
    /// `apart` are the large messages, which have come into the store already, where nobody sees them.
    pub(super) async fn append(&mut self, name: String, messages: Vec<NewMail>, apart: Vec<Incoming>) -> Handled {
        let (store, limit) = (Arc::clone(self.store().store()), self.append_limit());
        let all = match is_quick(&messages) {
            true => received(&store, messages, apart, limit)?,
            false => {
                let all = tokio::task::spawn_blocking(move || received(&store, messages, apart, limit)).await;
                all.map_err(|_| Refusal::no("SERVERBUG", "The message could not be read"))??
            }
        };
        // Shared, so that what was staged can be taken away once the transaction is undone.
        let all = Arc::new(Mutex::new(all));
        let within = Arc::clone(&all);
        let add = move |writer: &mut dyn Writer| {
            add(writer, &name, &mut within.lock().unwrap_or_else(PoisonError::into_inner))
        };
        match self.write(add).await {
            Ok((uid_validity, uids)) => {
                self.arrived();
                let code = format!("APPENDUID {uid_validity} {uids}");
                Ok(Reply::ok("The message is there").code(code).news(News::All))
            }
            Err(refusal) => {
                let left = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
                drop(tokio::task::spawn_blocking(|| abandon(left, Vec::new())).await);
                Err(refusal.try_create())
            }
        }
    }
}

/// Whether these are described sooner than another thread could be asked to.
fn is_quick(messages: &[NewMail]) -> bool {
    let held = |message: &NewMail| match &message.body {
        Mail::Here(raw) => raw.len(),
        Mail::Apart => usize::MAX,
    };
    messages.iter().map(held).fold(0, usize::saturating_add) <= QUICK
}

fn add(writer: &mut dyn Writer, name: &str, all: &mut All) -> Result<(u32, UidSet)> {
    let row = usable(writer, name)?;
    let mut uids = UidSet::new();
    for (received, flags) in all {
        let body = received.publish(writer)?;
        uids.insert(change::append(writer, row.id, (&received.new, body), flags.clone(), now())?);
    }
    Ok((row.uid_validity, uids))
}

/// The messages whole and described. Where one of them cannot be, nothing of the others stays.
fn received(store: &Arc<dyn Store>, messages: Vec<NewMail>, apart: Vec<Incoming>, limit: u32) -> Result<All> {
    let mut apart = apart.into_iter();
    let mut all = Vec::with_capacity(messages.len());
    for NewMail { flags, date, body } in messages {
        let incoming = match body {
            Mail::Apart => apart.next().ok_or_else(|| MailError::from(Code::Internal)),
            Mail::Here(raw) => {
                let mut incoming = Incoming::new(Arc::clone(store), now());
                incoming.push(&raw).map(|()| incoming)
            }
        };
        match incoming.and_then(|incoming| fitting(incoming, limit)).and_then(|incoming| incoming.finish(date)) {
            Ok(received) => all.push((received, flags)),
            Err(error) => {
                abandon(all, apart.collect());
                return Err(error);
            }
        }
    }
    Ok(all)
}

fn fitting(incoming: Incoming, limit: u32) -> Result<Incoming> {
    match incoming.size() {
        0 => Err(MailError::new(Code::UsageArgument, "A message is not empty")),
        size if size > u64::from(limit) => Err(MailError::new(Code::LimitExceeded, "The message is too large")),
        _ => Ok(incoming),
    }
}

/// What cannot be taken away goes when the store is tidied.
fn abandon(all: All, apart: Vec<Incoming>) {
    let taken = all.into_iter().try_for_each(|(received, _)| received.abandon());
    if let Err(error) = taken.and_then(|()| apart.into_iter().try_for_each(Incoming::abandon)) {
        log::warn!("what came of a refused message stays until the store is tidied: {error}");
    }
}
