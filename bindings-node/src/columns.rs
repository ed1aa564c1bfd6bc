//! A batch of messages as columns: far fewer objects for JavaScript to make than a row for each would be.

use crate::json::Json;
use mailtide::imap::{AddressList, Envelope, Flag, InternalDate};
use mailtide::message::{Attachment, EmailAddress, SingleAddress};
use mailtide::{Message, MessageRef};

/// The columns, by the names that `PackedBatch` in `ts/message.ts` has for them.
const NAMES: [&str; 19] = [
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
    "thread",
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

fn write(columns: &mut [Json; 19], flag_sets: &mut FlagSets, message: &Message) {
    let [uid, flags, size, received, received_offset, date, date_offset, rest @ ..] = columns;
    let [subject, from, sender, reply_to, to, cc, bcc, message_id, in_reply_to, thread, attachments, problems] = rest;
    uid.number(message.uid());
    flags.number(flag_sets.number(message.flags()));
    size.maybe(message.size(), Json::number);
    moment(received, received_offset, message.received());
    moment(date, date_offset, message.date());
    text(subject, message.subject());
    addresses(from, message, AddressList::From);
    senders(sender, reply_to, message);
    addresses(to, message, AddressList::To);
    addresses(cc, message, AddressList::Cc);
    addresses(bcc, message, AddressList::Bcc);
    text(message_id, message.message_id());
    text(in_reply_to, message.in_reply_to());
    text(thread, message.thread());
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
    for (out, list) in [(sender, AddressList::Sender), (reply_to, AddressList::ReplyTo)] {
        let repeats = |e: &Envelope| e.addresses(list).eq(e.addresses(AddressList::From));
        if message.envelope().is_some_and(repeats) { out.raw("0") } else { addresses(out, message, list) }
    }
}

/// All of them as one text, which JavaScript takes apart when it is looked at: `name DEL e-mail DEL group`, with another
/// DEL between two of them. No decoded text has control characters in it.
fn addresses(out: &mut Json, message: &Message, list: AddressList) {
    out.raw("\"");
    match message.single_addresses(list) {
        Some(singles) => singles.enumerate().for_each(|(index, one)| single(out, index, &one)),
        None => message.addresses(list).iter().enumerate().for_each(|(index, one)| address(out, index, one)),
    }
    out.raw("\"");
}

/// A list that is empty more often than not; then it is 0.
fn several<T>(out: &mut Json, items: &[T], write: impl Fn(&mut Json, &T)) {
    if items.is_empty() { out.raw("0") } else { out.list(items, write) }
}

fn single(out: &mut Json, index: usize, address: &SingleAddress<'_>) {
    let SingleAddress { name, local, domain } = address;
    let at = if domain.is_empty() { "" } else { "@" };
    fields(out, index, [name.as_deref().unwrap_or_default(), DEL, local, at, domain, DEL]);
}

fn address(out: &mut Json, index: usize, address: &EmailAddress) {
    let EmailAddress { name, email, group } = address;
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
    fields(out, index, [&text(name), DEL, email, DEL, &text(group)]);
}

const DEL: &str = "\u{7f}";

fn fields<const N: usize>(out: &mut Json, index: usize, pieces: [&str; N]) {
    if index > 0 {
        out.raw(DEL);
    }
    for piece in pieces {
        if piece == DEL { out.raw(DEL) } else { out.escaped(piece) }
    }
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
