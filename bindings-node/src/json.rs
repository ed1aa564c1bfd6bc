//! Rows of messages, written as JSON text directly: a tree of values for each would cost more than the message.

use mailtide::Message;
use mailtide::imap::InternalDate;
use mailtide::message::{Attachment, EmailAddress};

/// `{place: [account, mailbox, uidValidity], rows: [[…], …]}`; all messages of a batch are of one mailbox.
pub fn batch(messages: &[Message]) -> String {
    let mut out = Row(String::with_capacity(messages.len() * 512));
    out.raw("{\"place\":");
    out.place(messages.first());
    out.raw(",\"rows\":[");
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.raw(",");
        }
        out.message(message);
    }
    out.raw("]}");
    out.0
}

/// `"place":[…],"row":[…]`, the inside of an event.
pub fn single(message: &Message) -> String {
    let mut out = Row(String::with_capacity(512));
    out.raw("\"place\":");
    out.place(Some(message));
    out.raw(",\"row\":");
    out.message(message);
    out.0
}

/// JSON being written. The order of a row's columns is that of `MessageRow` in `ts/message.ts`.
struct Row(String);

impl Row {
    fn place(&mut self, message: Option<&Message>) {
        let Some(reference) = message.map(Message::reference) else { return self.raw("null") };
        self.raw("[");
        self.text(&reference.account);
        self.raw(",");
        self.text(&reference.mailbox);
        self.raw(&format!(",{}]", reference.uid_validity));
    }

    fn message(&mut self, message: &Message) {
        self.raw("[");
        self.number(message.uid());
        self.raw(",");
        self.list(message.flags(), |out, flag| out.text(flag.as_str()));
        self.raw(",");
        self.maybe(message.size().as_ref(), |out, size| out.number(*size));
        self.date(message.received());
        self.date(message.date());
        self.field(message.subject());
        for addresses in
            [message.from_(), message.sender(), message.reply_to(), message.to(), message.cc(), message.bcc()]
        {
            self.raw(",");
            self.list(&addresses, Self::address);
        }
        self.field(message.message_id());
        self.field(message.in_reply_to());
        self.raw(",");
        self.list(&message.attachments(), Self::attachment);
        self.raw(",");
        self.list(message.problems(), |out, problem| out.text(problem));
        // 63 bits do not fit a number of JavaScript.
        self.field(message.mod_seq().map(|n| n.to_string()));
        self.raw("]");
    }

    fn address(&mut self, address: &EmailAddress) {
        self.raw("[");
        self.maybe(address.name.as_ref(), |out, name| out.text(name));
        self.raw(",");
        self.text(&address.email);
        if let Some(group) = &address.group {
            self.raw(",");
            self.text(group);
        }
        self.raw("]");
    }

    fn attachment(&mut self, attachment: &Attachment) {
        let path: Vec<String> = attachment.section.iter().map(u32::to_string).collect();
        self.raw("[");
        self.text(&path.join("."));
        self.raw(",");
        self.maybe(attachment.filename.as_ref(), |out, name| out.text(name));
        self.raw(",");
        self.text(&attachment.media_type);
        self.raw(",");
        self.maybe(attachment.octets.as_ref(), |out, octets| out.number(*octets));
        self.raw(if attachment.inline { ",true" } else { ",false" });
        self.raw(",");
        self.maybe(attachment.content_id.as_ref(), |out, id| out.text(id));
        self.raw("]");
    }

    /// Two columns: seconds since 1970, offset in minutes.
    fn date(&mut self, date: Option<InternalDate>) {
        match date {
            Some(date) => self.raw(&format!(",{},{}", date.seconds, date.offset)),
            None => self.raw(",null,null"),
        }
    }

    /// A column of text, its comma before it.
    fn field(&mut self, text: Option<String>) {
        self.raw(",");
        self.maybe(text.as_ref(), |out, text| out.text(text));
    }

    fn maybe<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    fn number(&mut self, number: impl Into<u64>) {
        self.raw(&number.into().to_string());
    }

    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn text(&mut self, text: &str) {
        self.raw("\"");
        let mut rest = text;
        // Runs without anything to escape are copied whole.
        while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
            let (plain, special) = rest.split_at(at);
            self.raw(plain);
            let mut special = special.chars();
            if let Some(c) = special.next() {
                self.escape(c);
            }
            rest = special.as_str();
        }
        self.raw(rest);
        self.raw("\"");
    }

    fn escape(&mut self, c: char) {
        match c {
            '"' => self.raw("\\\""),
            '\\' => self.raw("\\\\"),
            '\n' => self.raw("\\n"),
            other => self.raw(&format!("\\u{:04x}", u32::from(other))),
        }
    }
}
