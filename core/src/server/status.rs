//! STATUS, by itself and in LIST (RFC 9051 section 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474).

use super::reply::{Handled, Reply, mailbox};
use super::select::usable;
use super::selected::Edge;
use super::session::Session;
use crate::error::Result;
use crate::imap::command::StatusItem;
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
    let value = |item: StatusItem| match item {
        StatusItem::Messages => counts.messages.to_string(),
        StatusItem::Recent => "0".to_owned(),
        StatusItem::UidNext => edge.uid_next.to_string(),
        StatusItem::UidValidity => row.uid_validity.to_string(),
        StatusItem::Unseen => counts.unseen.to_string(),
        StatusItem::Deleted => counts.deleted.to_string(),
        StatusItem::Size => counts.size.to_string(),
        StatusItem::HighestModSeq => edge.mod_seq.to_string(),
        StatusItem::MailboxId => format!("({})", row.object_id()),
        StatusItem::AppendLimit => append_limit.to_string(),
    };
    let items: Vec<String> = items.iter().map(|item| format!("{} {}", item.as_str(), value(*item))).collect();
    let mut out = b"* STATUS ".to_vec();
    mailbox(&mut out, &row.name, utf8);
    out.extend_from_slice(format!(" ({})\r\n", items.join(" ")).as_bytes());
    Ok(out)
}
