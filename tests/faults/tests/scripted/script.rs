//! The script: what is done here, what somebody else does, and what goes over the network.

use bytes::Bytes;
use mailtide::imap::{Flag, InternalDate, UidSet};
use mailtide::store::search::{index, tidy as merge};
use mailtide::store::upkeep::{Retention, evict, tidy};
use mailtide::store::{
    Durability, Flags, Headers, MailboxId, NewMessage, Now, Page, Reader, Store, Writer, body, change, derive,
};
use mailtide::{Code, MailError, Result};
use mailtide_simulation::edit::flags;
use mailtide_simulation::letter;
use mailtide_simulation::model::{FOREIGN, Server};
use mailtide_simulation::personality::Personality;
use mailtide_simulation::random::Random;

/// One step.
pub enum Step {
    /// The store is made, or opened again.
    Open,
    /// A local change, in one transaction.
    Act(fn(&mut dyn Writer, Now) -> Result<()>),
    /// A message is queued.
    Send(u64),
    /// Somebody else does something on the server.
    Foreign(fn(&mut Server)),
    /// A pass.
    Sync,
    /// The outbox is sent.
    Outbox,
    /// The store is looked after.
    Care(fn(&dyn Store, Now) -> Result<()>),
}

/// Everything that a sync can do, in an order in which much of it is under way at once.
pub const SCRIPT: &[Step] = &[
    Step::Open,
    Step::Sync,
    Step::Act(|writer, now| flag(writer, 1, Flag::FLAGGED, now)),
    Step::Act(|writer, now| append(writer, "INBOX", 501, 200, now)),
    Step::Act(|writer, now| relocate(writer, 2, "Archive", now)),
    Step::Act(|writer, now| duplicate(writer, 3, "Archive", now)),
    Step::Act(|writer, now| remove(writer, 4, now)),
    Step::Act(|writer, now| change::create(writer, "Work", (Some('/'), None), now).map(drop)),
    Step::Act(|writer, now| relocate(writer, 5, "Work", now)),
    Step::Act(|writer, now| append(writer, "Work", 502, 20_000, now)),
    Step::Send(601),
    Step::Foreign(somebody),
    Step::Sync,
    Step::Outbox,
    Step::Care(words),
    // What has not reached the server is moved, changed and taken back.
    Step::Act(|writer, now| append(writer, "INBOX", 503, 100, now)),
    Step::Act(|writer, now| relocate(writer, 503, "Work", now)),
    Step::Act(|writer, now| append(writer, "INBOX", 504, 100, now)),
    Step::Act(|writer, now| remove(writer, 504, now)),
    Step::Act(|writer, now| flag(writer, 501, Flag::SEEN, now)),
    Step::Act(rename),
    Step::Send(602),
    Step::Outbox,
    Step::Sync,
    Step::Care(room),
    Step::Sync,
];

/// The server at the beginning.
pub fn server(personality: &str) -> Server {
    let mut server = Server::new(Personality::named(personality).unwrap(), Random::new(1));
    let named = |server: &Server, name: &str| server.named(name).unwrap().id;
    let (inbox, archive) = (named(&server, "INBOX"), named(&server, "Archive"));
    for number in 0..10u8 {
        let content = server.mint(number == 5, u16::from(number) * 700);
        server.add(FOREIGN, if number % 4 == 3 { archive } else { inbox }, &content, flags(number), None);
    }
    server
}

fn somebody(server: &mut Server) {
    let inbox = server.named("INBOX").unwrap().id;
    let content = server.mint(false, 400);
    server.add(FOREIGN, inbox, &content, flags(1), None);
    let uids: Vec<u32> = server.mailbox(inbox).unwrap().placements.keys().copied().collect();
    server.flag(FOREIGN, inbox, uids[0], "\\Answered", true);
    server.expunge(FOREIGN, inbox, uids[5]);
    let archive = server.named("Archive").unwrap().id;
    server.copy(FOREIGN, inbox, uids[6], archive);
}

fn words(store: &dyn Store, _: Now) -> Result<()> {
    for work in [|writer: &mut dyn Writer| index(writer, 100).map(drop), |writer: &mut dyn Writer| merge(writer)] {
        let mut writer = store.write(Durability::Bulk)?;
        work(&mut *writer)?;
        writer.commit()?;
    }
    Ok(())
}

/// What is deleted goes for good, some bodies go, and the file gets shorter.
fn room(store: &dyn Store, now: Now) -> Result<()> {
    tidy(store, &Retention { contents: 0, ..Retention::default() }, now)?;
    evict(store, 10_000, now).map(drop)
}

fn named(reader: &dyn Reader, name: &str) -> Result<MailboxId> {
    let row = reader.mailbox_named(name)?;
    row.map(|row| row.id).ok_or_else(|| MailError::new(Code::MailboxMissing, "There is no such mailbox"))
}

/// Where the message of a token is.
fn find(reader: &dyn Reader, token: u64) -> Result<(MailboxId, UidSet)> {
    for mailbox in reader.mailboxes()? {
        for row in reader.list(mailbox.id, Page { after: None, limit: 1000, newest_first: false })? {
            let header = reader.headers(row.message.id)?.map(|headers| headers.header);
            if header.and_then(|header| letter::token(&header)) == Some(token) {
                return Ok((mailbox.id, UidSet::range(row.placement.uid, row.placement.uid)));
            }
        }
    }
    Err(MailError::new(Code::MessageMissing, format!("message {token} is not there")))
}

fn flag(writer: &mut dyn Writer, token: u64, flag: Flag, now: Now) -> Result<()> {
    let (mailbox, uids) = find(writer, token)?;
    let delta = change::FlagDelta { add: [flag].into_iter().collect(), remove: Flags::new() };
    change::flag(writer, mailbox, &uids, &delta, now).map(drop)
}

fn relocate(writer: &mut dyn Writer, token: u64, to: &str, now: Now) -> Result<()> {
    let ((mailbox, uids), to) = (find(writer, token)?, named(writer, to)?);
    change::move_to(writer, mailbox, &uids, to, now).map(drop)
}

fn duplicate(writer: &mut dyn Writer, token: u64, to: &str, now: Now) -> Result<()> {
    let ((mailbox, uids), to) = (find(writer, token)?, named(writer, to)?);
    change::copy(writer, mailbox, &uids, to, now).map(drop)
}

fn remove(writer: &mut dyn Writer, token: u64, now: Now) -> Result<()> {
    let (mailbox, uids) = find(writer, token)?;
    change::expunge(writer, mailbox, &uids, now).map(drop)
}

fn rename(writer: &mut dyn Writer, now: Now) -> Result<()> {
    let work = named(writer, "Work")?;
    change::rename(writer, work, "Play", now)
}

fn append(writer: &mut dyn Writer, mailbox: &str, token: u64, size: u16, now: Now) -> Result<()> {
    let (to, bytes) = (named(writer, mailbox)?, letter::write(token, token, size));
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let header = Bytes::copy_from_slice(&bytes[..end]);
    let (size, internal_date) = (bytes.len() as u64, InternalDate { seconds: now.seconds(), offset: 0 });
    let content = body::put(writer, &bytes, &header, now)?;
    let new = NewMessage {
        size,
        internal_date,
        digest: Some(derive::digest(&header, size, internal_date)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers { header, ..Headers::default() },
    };
    change::append(writer, to, (&new, content), Flags::new(), now).map(drop)
}
