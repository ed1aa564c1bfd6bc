//! A batch of messages as columns: far fewer objects for JavaScript to make than a row for each would be.

use crate::json::Json;
use mailtide::imap::{Address, Envelope, Flag, InternalDate};
use mailtide::message::{Attachment, EmailAddress};
use mailtide::{Message, MessageRef};

/// The columns, by the names that `PackedBatch` in `ts/message.ts` has for them.
const NAMES: [&str; 18] = [
    "uid",
    "flags",
    "size",
    "received",
    "receivedOffset",
    "date",
    "dateOffset",
    "subject",
    "from",
    "sender",
    "replyTo",
    "to",
    "cc",
    "bcc",
    "messageId",
    "inReplyTo",
    "attachments",
    "problems",
];

/// `{"place":[account, mailbox, uidValidity], "flagSets":[[…]], "uid":[…], …}`; all messages are of one mailbox.
pub fn batch(messages: &[Message]) -> String {
    let mut columns = NAMES.map(|_| Json::default());
    let mut flag_sets = FlagSets::default();
    let mut mod_seqs = Json::default();
    for message in messages {
        columns.iter_mut().for_each(Json::next);
        write(&mut columns, &mut flag_sets, message);
        mod_seqs.next();
        // 63 bits do not fit a number of JavaScript.
        mod_seqs.maybe(message.mod_seq(), |out, number| out.text(&number.to_string()));
    }
    let mut out = Json(String::with_capacity(columns.iter().map(|c| c.0.len() + 32).sum()));
    out.raw("{\"place\":");
    out.maybe(messages.first().map(Message::reference), place);
    out.raw(",\"flagSets\":");
    out.list(&flag_sets.0, |out, flags| out.list(flags, |out, flag| out.text(flag.as_str())));
    for (name, column) in NAMES.iter().zip(&columns).chain([(&"modSeq", &mod_seqs)]) {
        out.raw(&format!(",\"{name}\":["));
        out.raw(&column.0);
        out.raw("]");
    }
    out.raw("}");
    out.0
}

fn write(columns: &mut [Json; 18], flag_sets: &mut FlagSets, message: &Message) {
    let [uid, flags, size, received, received_offset, date, date_offset, rest @ ..] = columns;
    let [subject, from, sender, reply_to, to, cc, bcc, message_id, in_reply_to, attachments, problems] = rest;
    uid.number(message.uid());
    flags.number(flag_sets.number(message.flags()));
    size.maybe(message.size(), Json::number);
    moment(received, received_offset, message.received());
    moment(date, date_offset, message.date());
    text(subject, message.subject());
    addresses(from, &message.from_());
    senders(sender, reply_to, message);
    several(to, &message.to(), address);
    several(cc, &message.cc(), address);
    several(bcc, &message.bcc(), address);
    text(message_id, message.message_id());
    text(in_reply_to, message.in_reply_to());
    several(attachments, &message.attachments(), attachment);
    several(problems, message.problems(), |out, problem| out.text(problem));
}

/// Most messages of a mailbox have one of a few sets of flags: each crosses once.
#[derive(Default)]
struct FlagSets(Vec<Vec<Flag>>);

impl FlagSets {
    fn number(&mut self, flags: &[Flag]) -> usize {
        self.0.iter().position(|known| known == flags).unwrap_or_else(|| {
            self.0.push(flags.to_vec());
            self.0.len() - 1
        })
    }
}

fn place(out: &mut Json, reference: &MessageRef) {
    out.raw("[");
    out.text(&reference.account);
    out.raw(",");
    out.text(&reference.mailbox);
    out.raw(",");
    out.number(reference.uid_validity);
    out.raw("]");
}

/// Seconds since 1970, and the zone's offset in minutes.
fn moment(seconds: &mut Json, offset: &mut Json, date: Option<InternalDate>) {
    seconds.maybe(date, |out, date| out.number(date.seconds));
    offset.maybe(date, |out, date| out.number(date.offset));
}

fn text(out: &mut Json, text: Option<String>) {
    out.maybe(text.as_deref(), Json::text);
}

/// Servers repeat `From` as `Sender` and `Reply-To` where the header has none: then these are 0.
fn senders(sender: &mut Json, reply_to: &mut Json, message: &Message) {
    let repeats = |other: fn(&Envelope) -> &Vec<Address>| message.envelope().is_some_and(|e| *other(e) == e.from);
    if repeats(|e| &e.sender) {
        sender.raw("0");
    } else {
        addresses(sender, &message.sender());
    }
    if repeats(|e| &e.reply_to) { reply_to.raw("0") } else { addresses(reply_to, &message.reply_to()) }
}

fn addresses(out: &mut Json, addresses: &[EmailAddress]) {
    out.list(addresses, address);
}

/// A list that is empty more often than not; then it is 0.
fn several<T>(out: &mut Json, items: &[T], write: impl Fn(&mut Json, &T)) {
    if items.is_empty() { out.raw("0") } else { out.list(items, write) }
}

/// In the form that users see: nothing is left to make of it.
fn address(out: &mut Json, address: &EmailAddress) {
    out.raw("{\"name\":");
    out.maybe(address.name.as_deref(), Json::text);
    out.raw(",\"email\":");
    out.text(&address.email);
    out.raw(",\"group\":");
    out.maybe(address.group.as_deref(), Json::text);
    out.raw("}");
}

fn attachment(out: &mut Json, attachment: &Attachment) {
    out.raw("[");
    out.text(&attachment.path());
    out.raw(",");
    out.maybe(attachment.filename.as_deref(), Json::text);
    out.raw(",");
    out.text(&attachment.media_type);
    out.raw(",");
    out.maybe(attachment.size(), Json::number);
    out.raw(if attachment.inline { ",true," } else { ",false," });
    out.maybe(attachment.content_id.as_deref(), Json::text);
    out.raw("]");
}
