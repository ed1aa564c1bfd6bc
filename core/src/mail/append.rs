//! Adding a message: from memory, a file or a stream.

use super::arriving::{Arrived, Arriving};
use super::select::reference;
use super::{LocalMailbox, names, now};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::InternalDate;
use crate::session::{AppendOptions, AppendSource, Progress, Whole, whole};
use crate::store::body::LARGEST;
use crate::store::{Durability, Flags, Store, Writer, change};
use std::sync::Arc;

/// Adds a message; its address.
pub(super) async fn append(mailbox: &LocalMailbox, source: AppendSource, options: AppendOptions) -> Result<MessageRef> {
    if let Some(flag) = options.flags.iter().find(|flag| !flag.is_writable()) {
        return Err(MailError::new(Code::UsageFlag, format!("The server alone sets the flag {flag}")));
    }
    let handle = mailbox.mail().writable()?;
    let mut arrived = arrived(handle.store(), source, options.received).await?;
    let size = arrived.new.size;
    let flags: Flags = options.flags.iter().collect();
    let (target, create) = (mailbox.target().clone(), options.create);
    let write = move |writer: &mut dyn Writer| {
        let row = names::existing_or_new(writer, &target, create)?;
        let body = arrived.publish(writer)?;
        change::append(writer, row.id, (&arrived.new, body), flags, now()).map(|uid| (row, uid))
    };
    let (row, uid) = handle.write(Durability::Full, write).await?;
    if let Some(on_progress) = &options.on_progress {
        on_progress.0(Progress { phase: "append", done: 1, total: Some(1), bytes: size });
    }
    Ok(reference(mailbox.mail(), &row, uid))
}

/// A message as it can be added; what is too large for memory is in the store already, where nobody sees it.
async fn arrived(store: &Arc<dyn Store>, source: AppendSource, received: Option<InternalDate>) -> Result<Arrived> {
    let mut chunks = match whole(source, LARGEST).await? {
        Whole::Bytes(raw) if raw.len() <= super::arriving::SMALL => {
            let (now, today) = (now(), |now: crate::store::Now| InternalDate { seconds: now.seconds(), offset: 0 });
            return Ok(Arrived::small(raw, received.unwrap_or_else(|| today(now)), now));
        }
        whole => whole,
    };
    let mut arriving = Arriving::new(Arc::clone(store));
    let work = tokio::task::spawn_blocking(move || {
        while let Some(chunk) = chunks.next() {
            arriving.push(&chunk?)?;
        }
        arriving.finish(received)
    });
    work.await.map_err(|_| MailError::new(Code::Internal, "Storing a message was interrupted"))?
}
