//! STATUS, by itself and in LIST (RFC 9051 section 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474).

use super::reply::{Handled, Reply, mailbox};
use super::select::usable;
use super::selected::Edge;
use super::session::Session;
use crate::error::Result;
use crate::imap::command::StatusItem;
use crate::store::{FlagSets, MailboxRow, Reader};

impl Session {
    pub(super) async fn status(&mut self, name: String, items: Vec<StatusItem>) -> Handled {
        // Whoever asks for it understands it (RFC 7162 section 3.1).
        self.enabled.condstore |= items.contains(&StatusItem::HighestModSeq);
        let (utf8, limit) = (self.utf8(), self.append_limit());
        let is_sized = items.contains(&StatusItem::Size);
        let quick = self.glance(|reader| {
            let row = usable(reader, &name)?;
            let sets = if is_sized { None } else { reader.flag_sets_at_hand(row.id)? };
            sets.map(|sets| line(reader, &row, (&items, &Figures::of(&sets)), (utf8, limit))).transpose()
        })?;
        let out = match quick {
            Some(out) => out,
            None => {
                let whole =
                    move |reader: &dyn Reader| status_line(reader, &usable(reader, &name)?, &items, (utf8, limit));
                self.read(whole).await?
            }
        };
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
    let figures = match items.contains(&StatusItem::Size) {
        true => Figures { size: reader.counts(row.id)?.size, ..Figures::of(&*reader.flag_sets(row.id)?) },
        false => Figures::of(&*reader.flag_sets(row.id)?),
    };
    line(reader, row, (items, &figures), (utf8, append_limit))
}

/// What a mailbox is counted by.
struct Figures {
    messages: u64,
    unseen: u64,
    deleted: u64,
    /// 0 where nobody asks for it.
    size: u64,
}

impl Figures {
    fn of(sets: &FlagSets) -> Self {
        Self { messages: sets.all().len(), unseen: sets.unseen(), deleted: sets.deleted(), size: 0 }
    }
}

fn line(
    reader: &dyn Reader,
    row: &MailboxRow,
    (items, figures): (&[StatusItem], &Figures),
    (utf8, append_limit): (bool, u32),
) -> Result<Vec<u8>> {
    let edge = Edge::of(reader, row)?;
    let value = |item: StatusItem| match item {
        StatusItem::Messages => figures.messages.to_string(),
        StatusItem::Recent => "0".to_owned(),
        StatusItem::UidNext => edge.uid_next.to_string(),
        StatusItem::UidValidity => row.uid_validity.to_string(),
        StatusItem::Unseen => figures.unseen.to_string(),
        StatusItem::Deleted => figures.deleted.to_string(),
        StatusItem::Size => figures.size.to_string(),
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
