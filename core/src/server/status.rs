//! STATUS, by itself and in LIST (RFC 9051 section 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474).

use super::command::StatusItem;
use super::reply::{Handled, Reply, mailbox};
use super::select::usable;
use super::selected::Edge;
use super::session::Session;
use crate::error::Result;
use crate::store::{MailboxRow, Reader};

impl Session {
    pub(super) async fn status(&mut self, name: String, items: Vec<StatusItem>) -> Handled {
        // Whoever asks for it understands it (RFC 7162 section 3.1).
        self.enabled.condstore |= items.contains(&StatusItem::HighestModSeq);
        let (utf8, limit) = (self.utf8(), self.append_limit());
        let line = move |reader: &dyn Reader| {
            let row = usable(reader, &name)?;
            status_line(reader, &row, &items, (utf8, limit))
        };
        let out = self.read(line).await?;
        Ok(Reply::with("That is how it is", out).news(super::reply::News::All))
    }
}

/// The whole response.
pub(super) fn status_line(
    reader: &dyn Reader,
    row: &MailboxRow,
    items: &[StatusItem],
    (utf8, append_limit): (bool, u32),
) -> Result<Vec<u8>> {
    let counts = reader.counts(row.id)?;
    let edge = Edge::of(reader, row)?;
    let item = |item: &StatusItem| match item {
        StatusItem::Messages => format!("MESSAGES {}", counts.messages),
        StatusItem::Recent => "RECENT 0".to_owned(),
        StatusItem::UidNext => format!("UIDNEXT {}", edge.uid_next),
        StatusItem::UidValidity => format!("UIDVALIDITY {}", row.uid_validity),
        StatusItem::Unseen => format!("UNSEEN {}", counts.unseen),
        StatusItem::Deleted => format!("DELETED {}", counts.deleted),
        StatusItem::Size => format!("SIZE {}", counts.size),
        StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", edge.mod_seq),
        StatusItem::MailboxId => format!("MAILBOXID ({})", row.object_id()),
        StatusItem::AppendLimit => format!("APPENDLIMIT {append_limit}"),
    };
    let items: Vec<String> = items.iter().map(item).collect();
    let mut out = b"* STATUS ".to_vec();
    mailbox(&mut out, &row.name, utf8);
    out.extend_from_slice(format!(" ({})\r\n", items.join(" ")).as_bytes());
    Ok(out)
}
