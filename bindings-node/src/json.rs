//! Rows of messages, written as JSON text directly: a tree of values for each would cost more than the message.
//!
//! The text is ASCII, whatever the messages hold: V8 parses one byte a character faster than two.

use mailtide::Message;
use mailtide::imap::{Address, Envelope, InternalDate};
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
        self.addresses(message);
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

    /// Six columns. Servers repeat `From` as `Sender` and `Reply-To` where the header has none: then these are 0.
    fn addresses(&mut self, message: &Message) {
        let envelope = message.envelope();
        let repeats = |other: fn(&Envelope) -> &Vec<Address>| envelope.is_some_and(|e| *other(e) == e.from);
        self.raw(",");
        self.list(&message.from_(), Self::address);
        for (same, addresses) in [
            (repeats(|e| &e.sender), Message::sender as fn(&Message) -> Vec<EmailAddress>),
            (repeats(|e| &e.reply_to), Message::reply_to),
            (false, Message::to),
            (false, Message::cc),
            (false, Message::bcc),
        ] {
            self.raw(",");
            if same { self.raw("0") } else { self.list(&addresses(message), Self::address) }
        }
    }

    /// In the form that users see: nothing is left to make of it.
    fn address(&mut self, address: &EmailAddress) {
        self.raw("{\"name\":");
        self.maybe(address.name.as_ref(), |out, name| out.text(name));
        self.raw(",\"email\":");
        self.text(&address.email);
        self.raw(",\"group\":");
        self.maybe(address.group.as_ref(), |out, group| out.text(group));
        self.raw("}");
    }

    fn attachment(&mut self, attachment: &Attachment) {
        self.raw("[");
        self.text(&attachment.path());
        self.raw(",");
        self.maybe(attachment.filename.as_ref(), |out, name| out.text(name));
        self.raw(",");
        self.text(&attachment.media_type);
        self.raw(",");
        self.maybe(attachment.size().as_ref(), |out, size| out.number(*size));
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
        while let Some(at) = rest.bytes().position(|b| !(0x20..0x7f).contains(&b) || b == b'"' || b == b'\\') {
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
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    self.raw(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_ascii_and_says_the_same() {
        for text in ["plain", "", "\"quoted\" \\ and \r\n\t\0", "Möwe", "日本語 🐛 ends", "\u{7f}\u{2028}"] {
            let mut row = Row(String::new());
            row.text(text);
            assert!(row.0.is_ascii(), "{}", row.0);
            assert_eq!(serde_json::from_str::<String>(&row.0).unwrap(), text);
        }
    }
}
