//! A few mailboxes in memory. What a message holds is a function of its UID, unless it was appended.

use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Clone, Debug)]
pub struct Mail {
    pub uid: u32,
    pub flags: Vec<String>,
    pub appended: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
pub struct Folder {
    pub validity: u32,
    pub next: u32,
    pub mails: Vec<Mail>,
    pub role: &'static str,
}

pub type Store = BTreeMap<String, Folder>;

/// Messages of `INBOX`.
pub const INBOX: u32 = 600;
/// Octets of the attachment of message 2, before base64.
pub const ATTACHED: usize = 600;

impl Folder {
    pub fn new(validity: u32, count: u32, role: &'static str) -> Self {
        let mails = (1..=count).map(|uid| Mail { uid, flags: flags_of(uid), appended: None }).collect();
        Self { validity, next: count + 1, mails, role }
    }

    pub fn add(&mut self, flags: Vec<String>, content: Option<Vec<u8>>) -> u32 {
        let uid = self.next;
        self.next += 1;
        self.mails.push(Mail { uid, flags, appended: content });
        uid
    }

    pub fn unseen(&self) -> usize {
        self.mails.iter().filter(|m| !m.has("\\Seen")).count()
    }
}

fn flags_of(uid: u32) -> Vec<String> {
    if uid.is_multiple_of(3) { vec!["\\Seen".to_owned()] } else { Vec::new() }
}

pub fn store() -> Store {
    let folders =
        [("INBOX", 7, INBOX, ""), ("Archive", 8, 0, "\\Archive"), ("Stable", 9, 3, ""), ("Trash", 10, 0, "\\Trash")];
    folders
        .into_iter()
        .map(|(name, validity, count, role)| (name.to_owned(), Folder::new(validity, count, role)))
        .collect()
}

impl Mail {
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
    }

    pub fn subject(&self) -> String {
        format!("Message {}", self.uid)
    }

    pub fn text(&self) -> String {
        format!("Text of message {}.\r\nIt has two lines.\r\n", self.uid)
    }

    fn is_multipart(&self) -> bool {
        self.uid == 2 && self.appended.is_none()
    }

    pub fn header(&self) -> String {
        if let Some(content) = &self.appended {
            let text = String::from_utf8_lossy(content);
            return text.split_inclusive("\r\n\r\n").next().unwrap_or_default().to_owned();
        }
        let kind = if self.is_multipart() { "multipart/mixed; boundary=b" } else { "text/plain; charset=utf-8" };
        format!("From: Ada <ada@example.org>\r\nSubject: {}\r\nContent-Type: {kind}\r\n\r\n", self.subject())
    }

    /// The attachment as it is on the wire.
    fn encoded(&self) -> String {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(attachment());
        text.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
    }

    pub fn raw(&self) -> Vec<u8> {
        if let Some(content) = &self.appended {
            return content.clone();
        }
        let mut raw = self.header();
        if self.is_multipart() {
            let _ = write!(raw, "--b\r\n\r\n{}\r\n--b\r\n\r\n{}--b--\r\n", self.text(), self.encoded());
        } else {
            raw.push_str(&self.text());
        }
        raw.into_bytes()
    }

    pub fn section(&self, section: &str) -> Option<Vec<u8>> {
        match section {
            "" => Some(self.raw()),
            "HEADER" => Some(self.header().into_bytes()),
            "1" => Some(self.text().into_bytes()),
            "2" if self.is_multipart() => Some(self.encoded().into_bytes()),
            _ => None,
        }
    }

    pub fn envelope(&self) -> String {
        let ada = "((\"Ada\" NIL \"ada\" \"example.org\"))";
        format!(
            "(\"Mon, 2 Nov 2026 10:00:00 +0000\" \"{}\" {ada} {ada} {ada} NIL NIL NIL NIL \"<{}@example.org>\")",
            self.subject(),
            self.uid
        )
    }

    pub fn structure(&self) -> String {
        let text = format!("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" {} 2)", self.text().len());
        if !self.is_multipart() {
            return text;
        }
        let name = "(\"NAME\" \"log.bin\")";
        let size = self.encoded().len();
        let kept = "NIL (\"ATTACHMENT\" (\"FILENAME\" \"log.bin\")) NIL";
        format!(
            "({text}(\"APPLICATION\" \"OCTET-STREAM\" {name} NIL NIL \"BASE64\" {size} {kept}) \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL)"
        )
    }
}

/// The attachment of message 2.
pub fn attachment() -> Vec<u8> {
    (0..ATTACHED).map(|n| (n * 7 % 251) as u8).collect()
}
