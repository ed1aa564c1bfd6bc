//! Replies and forwarded messages: who gets them, how they thread, what they quote.

use super::body::message_id;
use super::quote::{forward_subject, one_line, quoted, reply_subject};
use super::{AddrSpec, Draft, DraftAttachment};
use crate::imap::InternalDate;
use crate::message::thread::written_ids;
use crate::message::{EmailAddress, Headers, ParsedMessage};
use std::collections::BTreeSet;

/// Most `References` that are kept: the first, which names the thread, and the newest.
const REFERENCES: usize = 50;

/// What a reply or a forwarded message needs to know of the message it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// `Message-ID`, without its angle brackets.
    pub message_id: Option<String>,
    /// `In-Reply-To`.
    pub in_reply_to: Vec<String>,
    /// `References`, the oldest first.
    pub references: Vec<String>,
    /// `From`.
    pub from: Vec<EmailAddress>,
    /// `Reply-To`.
    pub reply_to: Vec<EmailAddress>,
    /// `To`.
    pub to: Vec<EmailAddress>,
    /// `Cc`.
    pub cc: Vec<EmailAddress>,
    /// `Subject`, decoded.
    pub subject: String,
    /// `Date`.
    pub date: Option<InternalDate>,
    /// The plain text.
    pub text: String,
    /// The attachments, which a forwarded message carries on.
    pub attachments: Vec<DraftAttachment>,
}

/// How to reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyOptions {
    /// Answer everybody who got it, not only the sender.
    pub all: bool,
    /// The writer's own addresses: they get no copy, and a reply to a message of one's own goes to its recipients.
    pub me: Vec<String>,
    /// What is written, above the quoted text.
    pub text: String,
    /// Leave the quoted text out.
    pub no_quote: bool,
    /// The line above the quoted text, instead of `On 4 Jan 2024 at 09:05, Ada wrote:`.
    pub attribution: Option<String>,
}

/// How to pass a message on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardOptions {
    /// Who gets it.
    pub to: Vec<EmailAddress>,
    /// What is written, above the message.
    pub text: String,
    /// Leave its attachments behind.
    pub no_attachments: bool,
}

impl Original {
    /// From the header and the text, without attachments.
    #[must_use]
    pub fn new(headers: &Headers, text: String) -> Self {
        let ids = |name| {
            let ids = headers.get_raw(name).map(written_ids).unwrap_or_default();
            ids.into_iter().filter(|id| message_id(id).is_ok()).collect::<Vec<_>>()
        };
        Self {
            message_id: ids("Message-ID").into_iter().next(),
            in_reply_to: ids("In-Reply-To"),
            references: ids("References"),
            from: headers.addresses("From"),
            reply_to: headers.addresses("Reply-To"),
            to: headers.addresses("To"),
            cc: headers.addresses("Cc"),
            subject: headers.get("Subject").map(|s| one_line(&s)).unwrap_or_default(),
            date: headers.date(),
            text,
            attachments: Vec::new(),
        }
    }

    /// RFC 5322 section 3.6.4: the references of the original, or what it answered if that is one, and itself.
    fn thread(&self) -> Vec<String> {
        let before = match (self.references.as_slice(), self.in_reply_to.as_slice()) {
            ([], one @ [_]) => one,
            (references, _) => references,
        };
        let mut seen = BTreeSet::new();
        let ids = before.iter().chain(&self.message_id).filter(|id| seen.insert((*id).clone())).cloned();
        let mut ids: Vec<String> = ids.collect();
        if ids.len() > REFERENCES {
            ids.drain(1..=ids.len() - REFERENCES);
        }
        ids
    }

    fn attribution(&self) -> String {
        let who = self.from.first().map(|a| a.name.clone().unwrap_or_else(|| a.email.clone())).unwrap_or_default();
        let when = self.date.and_then(InternalDate::to_zoned).map(|z| z.strftime("%-d %b %Y at %H:%M").to_string());
        match (when, who.as_str()) {
            (Some(when), "") => format!("On {when}:"),
            (Some(when), who) => format!("On {when}, {who} wrote:"),
            (None, who) => format!("{who} wrote:"),
        }
    }

    /// The block that forwarded text begins with.
    fn description(&self) -> String {
        let list = |all: &[EmailAddress]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let date = self.date.and_then(InternalDate::to_zoned).and_then(|z| jiff::fmt::rfc2822::to_string(&z).ok());
        let lines = [
            ("From", list(&self.from)),
            ("Date", date.unwrap_or_default()),
            ("Subject", self.subject.clone()),
            ("To", list(&self.to)),
            ("Cc", list(&self.cc)),
        ];
        let lines =
            lines.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}\n"));
        format!("---------- Forwarded message ----------\n{}", lines.collect::<String>())
    }
}

impl From<&ParsedMessage> for Original {
    fn from(message: &ParsedMessage) -> Self {
        let attachments = message.attachments().iter().map(|attachment| DraftAttachment {
            media_type: Some(attachment.media_type.clone()),
            ..DraftAttachment::bytes(attachment.safe_filename(), message.content(attachment))
        });
        Self { attachments: attachments.collect(), ..Self::new(message.headers(), message.text()) }
    }
}

impl Draft {
    /// A reply: to `Reply-To` or the sender, or to everybody; with `In-Reply-To` and `References` that put it into the
    /// thread, the subject with one `Re:`, and the text quoted below an attribution.
    ///
    /// Addresses of the original that cannot be written to are left out; see [`AddrSpec`].
    ///
    /// ```
    /// use mailtide::message::{Draft, Original, ParsedMessage, ReplyOptions};
    ///
    /// let raw = "From: Ada <ada@example.org>\r\nSubject: moth\r\nMessage-ID: <1@example.org>\r\n\r\nFound it.\r\n";
    /// let reply = Draft::reply(&Original::from(&ParsedMessage::parse(raw)), &ReplyOptions::default());
    /// assert_eq!(reply.to[0].email, "ada@example.org");
    /// assert_eq!(reply.subject, "Re: moth");
    /// assert_eq!(reply.in_reply_to.as_deref(), Some("1@example.org"));
    /// assert!(reply.text.unwrap().ends_with("> Found it.\n"));
    /// ```
    #[must_use]
    pub fn reply(original: &Original, options: &ReplyOptions) -> Self {
        let mut known: BTreeSet<String> = options.me.iter().map(|me| key(me)).collect();
        let mine = !original.from.is_empty() && original.from.iter().all(|a| known.contains(&key(&a.email)));
        let answer = if original.reply_to.is_empty() { &original.from } else { &original.reply_to };
        let (to, others) = match (mine, options.all) {
            // Whoever answers himself goes on talking to the same people.
            (true, _) => (original.to.clone(), Vec::new()),
            (false, true) => (answer.clone(), original.to.clone()),
            (false, false) => (answer.clone(), Vec::new()),
        };
        let copies = if options.all { original.cc.as_slice() } else { &[] };
        // Only the sender's own wish may send a copy to oneself.
        let to = if mine { fresh(to, &mut known) } else { fresh(to, &mut BTreeSet::new()) };
        known.extend(to.iter().map(|a| key(&a.email)));
        let cc = fresh(others.into_iter().chain(copies.iter().cloned()).collect(), &mut known);
        Self {
            to,
            cc,
            subject: reply_subject(&original.subject),
            text: Some(reply_text(original, options)),
            in_reply_to: original.message_id.clone(),
            references: original.thread(),
            ..Self::default()
        }
    }

    /// The message passed on, with its attachments, below a description of it. It belongs to the thread
    /// (`References`), but answers nothing.
    #[must_use]
    pub fn forward(original: &Original, options: &ForwardOptions) -> Self {
        let text = options.text.trim_end();
        Self {
            to: options.to.clone(),
            subject: forward_subject(&original.subject),
            text: Some(format!("{text}\n\n{}\n{}", original.description(), original.text)),
            attachments: if options.no_attachments { Vec::new() } else { original.attachments.clone() },
            references: original.thread(),
            ..Self::default()
        }
    }
}

fn reply_text(original: &Original, options: &ReplyOptions) -> String {
    let text = options.text.trim_end();
    if options.no_quote {
        return text.to_owned();
    }
    let attribution = options.attribution.clone().unwrap_or_else(|| original.attribution());
    format!("{text}\n\n{attribution}\n{}", quoted(&original.text))
}

/// Those that can be written to and are not known yet, without the groups they stood in.
fn fresh(addresses: Vec<EmailAddress>, known: &mut BTreeSet<String>) -> Vec<EmailAddress> {
    let mut out = Vec::new();
    for address in addresses {
        let Ok(email) = AddrSpec::parse(&address.email) else { continue };
        let email = email.to_string();
        if known.insert(key(&email)) {
            out.push(EmailAddress { name: address.name.map(|n| one_line(&n)), email, group: None });
        }
    }
    out
}

/// Whether two addresses are one: in practice the case of neither part counts.
fn key(email: &str) -> String {
    email.trim().to_lowercase()
}
