//! The outbox of a real device: what is sent is queued in its store, and leaves for the modelled submission server under
//! the lease, as `Mail` does it.

use mailtide::imap::InternalDate;
use mailtide::message::Composed;
use mailtide::outbox::{Dial, Io, Ledger, LiveSent, Moment, Outbox, State, StoreLedger};
use mailtide::store::{Durability, Handle, Lease, Now, OutboxRow, Store, Writer, lease};
use mailtide::{Code, MailError, Result, SendOptions, Session};
use mailtide_simulation::device::{Sent, Ticket};
use mailtide_simulation::letter;
use mailtide_simulation::smtp::Sink;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Tickets of messages to be sent: their numbers in the outbox, above all others.
const SENT: Ticket = 1 << 41;
const LASTS: Duration = Duration::from_secs(60);

/// The device's clock, and dice that always fall the same way.
pub struct Clock(pub Arc<dyn Fn() -> i64 + Send + Sync>);

impl Moment for Clock {
    fn now(&self) -> i64 {
        (self.0)().div_euclid(1000)
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// Queues a message; its ticket.
pub async fn queue(handle: &Handle, sink: &Sink, clock: Clock, bytes: Vec<u8>) -> Result<Ticket> {
    let token = letter::token(&bytes).unwrap();
    let message = Composed {
        raw: bytes.into(),
        message_id: format!("m{token}@example.org"),
        date: InternalDate { seconds: clock.now(), offset: 0 },
        sender: "ada@example.org".to_owned(),
        recipients: vec!["charles@example.org".to_owned()],
    };
    let ledger = Arc::new(StoreLedger::new(handle.clone()));
    let outbox = Outbox::dialling(ledger, dial(sink), None, "model.invalid").with_moment(Arc::new(clock));
    let entry = outbox.send_composed(&message, &SendOptions::default()).await?;
    Ok(SENT + u64::try_from(entry.id).unwrap())
}

/// Sends what is due. What keeps a message from being sent stands in its entry.
pub async fn send_due(handle: &Handle, sink: &Sink, session: &Session, clock: Clock) -> Result<()> {
    let now = Now::from_millis((clock.0)());
    let take = move |writer: &mut dyn Writer| lease::take(writer, lease::SYNC, "process, sending", LASTS, now);
    let Some(taken) = handle.write(Durability::Full, take).await? else {
        return Err(MailError::new(Code::StoreLocked, "Somebody else has the lease"));
    };
    let ledger: Arc<dyn Ledger> = Arc::new(StoreLedger::leased(handle.clone(), taken.clone()));
    let filed = Arc::new(LiveSent(session.clone()));
    let outbox = Outbox::dialling(ledger, dial(sink), Some(filed), "model.invalid").with_moment(Arc::new(clock));
    let sent = outbox.pass().await;
    release(handle, taken).await?;
    sent.map(drop)
}

async fn release(handle: &Handle, taken: Lease) -> Result<()> {
    handle.write(Durability::Bulk, move |writer| lease::release(writer, &taken)).await
}

fn dial(sink: &Sink) -> Dial {
    let sink = sink.clone();
    Arc::new(move || {
        let wire = Box::new(sink.connect()) as Box<dyn Io>;
        Box::pin(async move { Ok(wire) })
    })
}

/// What has become of every message to be sent, read past all trouble.
pub fn states(store: &dyn Store) -> BTreeMap<Ticket, Sent> {
    let reader = store.read().unwrap();
    let over = reader.outbox_over(i64::MAX, 100_000).unwrap().into_iter().filter_map(|id| reader.outbox(id).unwrap());
    let rows: Vec<OutboxRow> = reader.outbox_open().unwrap().into_iter().chain(over).collect();
    let sent = |state: &str| match State::parse(state).unwrap() {
        State::Accepted => Sent::Accepted,
        State::Rejected | State::Cancelled => Sent::Rejected,
        State::Uncertain => Sent::Uncertain,
        _ => Sent::Queued,
    };
    rows.iter().map(|row| (SENT + u64::try_from(row.id.0).unwrap(), sent(&row.state))).collect()
}
