//! A large body on its way from a server: its stretches as they came, each on the disk before the next is asked for, so
//! that whoever fetches it next goes on from there. Once all of it is here, it is packed as any other content.
//!
//! Its stretches lie in a staged content that is found again by what they are of: the message, its UID, the UIDVALIDITY,
//! and the header that is known. Where one of these changes, the body is another one and begins anew; what is left of
//! the first goes with the store's upkeep.

use super::body::{self, Staging};
use super::{BodyId, BodyRow, CHUNK, ContentHash, Frame, MailboxId, MessageId, Now, Reader, Store, Writer, arrive};
use crate::error::{Code, MailError, Result};
use crate::journal::Digest;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// A body of which some may have come.
#[derive(Clone, Debug)]
pub(crate) struct Partial {
    message: MessageId,
    header: Bytes,
    key: ContentHash,
}

/// Some bytes of it, as they will be stored.
pub(crate) struct Stretch {
    length: u64,
    frames: Vec<Frame>,
}

impl Stretch {
    /// Makes it ready outside of any transaction.
    pub fn new(reader: &dyn Reader, bytes: &[u8]) -> Result<Self> {
        let frames = bytes.chunks(CHUNK).map(|chunk| reader.pack(chunk)).collect::<Result<_>>()?;
        Ok(Self { length: bytes.len() as u64, frames })
    }
}

impl Partial {
    /// The body of a message with this UID on the server; `None` where the message or its mailbox is gone.
    pub fn of(reader: &dyn Reader, message: MessageId, (mailbox, uid): (MailboxId, u32)) -> Result<Option<Self>> {
        let Some(remote) = reader.mailbox(mailbox)?.and_then(|row| row.remote) else { return Ok(None) };
        let Some(header) = reader.headers(message)?.map(|headers| headers.header) else { return Ok(None) };
        let place = format!("{message} {mailbox} {} {uid} ", remote.uid_validity);
        let key = body::hash(&[place.as_bytes(), &header[..]].concat());
        Ok(Some(Self { message, header, key }))
    }

    /// How many bytes of it have come.
    pub fn came(&self, reader: &dyn Reader) -> Result<u64> {
        Ok(reader.staged(&self.key)?.map_or(0, |row| row.size))
    }

    /// Whether nobody fetches it any more: it is held, or its message is gone.
    pub fn is_over(&self, reader: &dyn Reader) -> Result<bool> {
        Ok(reader.message(self.message)?.is_none_or(|row| row.body.is_some()))
    }

    /// Puts the bytes from `at` on down; how many have come then. Where that is not the end of these, somebody else
    /// fetches it as well, and nothing was put down.
    pub fn push(&self, writer: &mut dyn Writer, (at, stretch): (u64, &Stretch), now: Now) -> Result<u64> {
        let row = writer.staged(&self.key)?;
        let came = row.as_ref().map_or(0, |row| row.size);
        if came != at || stretch.length == 0 {
            return Ok(came);
        }
        let mut row = match row {
            Some(row) => row,
            None => BodyRow { id: writer.stage_body(now.seconds())?, ..self.unwritten() },
        };
        for frame in &stretch.frames {
            writer.put_chunk(row.id, row.chunks, frame)?;
            row.chunks += 1;
            row.stored += frame.size();
        }
        row.size += stretch.length;
        if row.size > body::LARGEST {
            return Err(MailError::new(Code::LimitExceeded, "A message is at most 2 GiB"));
        }
        writer.update_staged(&row, now.seconds())?;
        Ok(row.size)
    }

    fn unwritten(&self) -> BodyRow {
        let (recipe, parts) = (Vec::new(), Vec::new());
        BodyRow { id: BodyId(0), hash: self.key, size: 0, header: 0, recipe, parts, chunks: 0, stored: 0 }
    }

    /// Lets go of what has come.
    pub fn forget(&self, writer: &mut dyn Writer) -> Result<()> {
        writer.staged(&self.key)?.map_or(Ok(()), |row| writer.delete_body(row.id))
    }

    /// Makes all that has come ready to be published; or the hash of the header that it begins with, where that is
    /// another message's. It blocks.
    pub fn pack(&self, store: &Arc<dyn Store>, now: Now) -> Result<std::result::Result<Staging, Digest>> {
        let row = store.read()?.staged(&self.key)?.unwrap_or_else(|| self.unwritten());
        let chunk = |number: u32| {
            let reader = store.read()?;
            let chunk = reader.chunk(row.id, number);
            // Told apart: taken away since, by somebody who had fetched it as well.
            let is_gone = chunk.is_err() && reader.staged(&self.key)?.is_none_or(|there| there.id != row.id);
            if is_gone { Err(MailError::new(Code::StoreLocked, "Somebody else has fetched this body")) } else { chunk }
        };
        let mut beginning = BytesMut::new();
        for number in 0..row.chunks {
            if beginning.len() > self.header.len() {
                break;
            }
            beginning.extend_from_slice(&chunk(number)?);
        }
        let came = Digest::of_header(&beginning);
        if came != Digest::of_header(&self.header) {
            return Ok(Err(came));
        }
        let mut staging = Staging::new(Arc::clone(store), self.header.clone(), now);
        (0..row.chunks).try_for_each(|number| staging.push(&chunk(number)?))?;
        staging.finish()?;
        Ok(Ok(staging))
    }

    /// Gives the message its body, in the transaction that is open. One that has gone or was given it meanwhile stays as it
    /// is, and what was packed goes with the store's upkeep.
    pub fn publish(&self, writer: &mut dyn Writer, staging: &mut Staging, now: Now) -> Result<()> {
        self.forget(writer)?;
        if self.is_over(writer)? {
            return Ok(());
        }
        let id = staging.publish(writer)?;
        arrive::body(writer, self.message, id, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{Bench, NOW};
    use super::*;
    use crate::store::{SqliteOptions, SqliteStore};
    use std::path::Path;

    fn open(folder: &Path) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&folder.join("a.mail"), SqliteOptions::default()).unwrap())
    }

    /// A mailbox with a message of the server's UID 1, and a body that begins with its header.
    fn bench() -> (Bench, MailboxId, MessageId, Vec<u8>) {
        let bench = Bench::new(open);
        let inbox = bench.mirror("INBOX");
        bench.arrive(inbox, [1]);
        let message = bench.placement(inbox, 1).message.unwrap();
        let header = bench.read(|reader| reader.headers(message)).unwrap().header;
        let text = (0..60_000).flat_map(|n: u32| format!("line {n}\r\n").into_bytes());
        (bench, inbox, message, header.iter().copied().chain(text).collect())
    }

    fn of(bench: &Bench, message: MessageId, place: (MailboxId, u32)) -> Partial {
        bench.read(|reader| Partial::of(reader, message, place)).unwrap()
    }

    fn push(bench: &Bench, partial: &Partial, at: usize, bytes: &[u8]) -> u64 {
        let stretch = bench.read(|reader| Stretch::new(reader, bytes));
        bench.write(|writer| partial.push(writer, (at as u64, &stretch), NOW))
    }

    fn pack(bench: &Bench, partial: &Partial) -> std::result::Result<Staging, Digest> {
        partial.pack(&Arc::from(bench.another()), NOW).unwrap()
    }

    #[test]
    fn what_was_broken_off_goes_on_elsewhere_and_is_packed_whole() {
        let (bench, inbox, message, content) = bench();
        let partial = of(&bench, message, (inbox, 1));
        assert_eq!(push(&bench, &partial, 0, &content[..300_000]), 300_000);
        assert_eq!(partial.came(&*bench.another().read().unwrap()).unwrap(), 300_000);
        assert_eq!(push(&bench, &partial, 0, &content[..300_000]), 300_000, "it is there already");
        assert_eq!(push(&bench, &partial, 400_000, &content[400_000..]), 300_000, "something would be missing");
        assert_eq!(push(&bench, &partial, 300_000, &content[300_000..]), content.len() as u64);
        assert!(!bench.read(|reader| partial.is_over(reader)));
        let mut staging = pack(&bench, &partial).unwrap();
        bench.write(|writer| partial.publish(writer, &mut staging, NOW));
        assert_eq!(bench.read(|reader| body::read(reader, message, u64::MAX)), content);
        assert!(bench.read(|reader| partial.is_over(reader)));
        assert_eq!(bench.read(|reader| partial.came(reader)), 0);
        assert_eq!(bench.write(|writer| writer.drop_staged(i64::MAX)), 0, "nothing is left over");
        bench.is_sound();
    }

    #[test]
    fn the_body_of_another_message_is_not_packed() {
        let (bench, inbox, message, content) = bench();
        let partial = of(&bench, message, (inbox, 1));
        let other = [b"Subject: other\r\n\r\n", &content[..]].concat();
        push(&bench, &partial, 0, &other);
        assert_eq!(pack(&bench, &partial).err(), Some(Digest::of_header(&other)));
        bench.write(|writer| partial.forget(writer));
        assert_eq!(bench.read(|reader| partial.came(reader)), 0);
    }

    #[test]
    fn another_uidvalidity_and_a_rest_that_upkeep_took_begin_anew() {
        let (bench, inbox, message, content) = bench();
        let partial = of(&bench, message, (inbox, 1));
        push(&bench, &partial, 0, &content[..300_000]);
        bench.write(|writer| {
            let mut row = writer.mailbox(inbox)?.unwrap();
            row.remote.as_mut().unwrap().uid_validity += 1;
            writer.update_mailbox(&row)
        });
        let renumbered = of(&bench, message, (inbox, 1));
        assert_eq!(bench.read(|reader| renumbered.came(reader)), 0);
        assert_eq!(bench.write(|writer| writer.drop_staged(NOW.seconds())), 0);
        assert_eq!(bench.write(|writer| writer.drop_staged(NOW.seconds() + 1)), 1);
        assert_eq!(push(&bench, &partial, 300_000, &content[300_000..]), 0);
        assert_eq!(push(&bench, &partial, 0, &content), content.len() as u64);
    }
}
