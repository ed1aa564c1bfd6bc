//! What a user did here that the server is to learn. The store keeps each as its kind and this JSON.
//!
//! A target names the message by what outlives the local database: mailbox, UIDVALIDITY, UID and digest. The local ids
//! beside them are short cuts; a mirror that was rebuilt has others, and finds its rows by the rest.

use super::{Digest, State, Step};
use crate::imap::{Flag, InternalDate, MailboxName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One local change. Every variant has a stable name ([`Intent::kind`]), and concerns one message or one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intent {
    /// Flags and keywords set and taken away: the differences only, never the whole list (RFC 4549 section 4.2.3).
    Flag {
        /// The message.
        target: Target,
        /// Flags to set.
        #[serde(with = "flags")]
        add: Vec<Flag>,
        /// Flags to take away.
        #[serde(with = "flags")]
        remove: Vec<Flag>,
    },
    /// A message goes from one mailbox to another: one thing, not a copy and a deletion.
    Move {
        /// The message where the server has it.
        target: Target,
        /// Where it goes.
        to: Landing,
    },
    /// A message is copied on the server.
    Copy {
        /// The original.
        target: Target,
        /// Where the copy goes.
        to: Landing,
    },
    /// A message is removed for good: marked, and expunged by its UID alone.
    Delete {
        /// The message.
        target: Target,
    },
    /// A message from here is added.
    Append {
        /// Where it goes.
        to: Landing,
        /// What it is known by should the reply be lost.
        digest: Digest,
        /// The hash of its header ([`Digest::of_header`]): INTERNALDATE may be rounded by the server.
        header: Digest,
        /// Its size in octets, as it is sent.
        size: u64,
        /// Flags it begins with.
        #[serde(with = "flags")]
        flags: Vec<Flag>,
        /// INTERNALDATE it begins with.
        #[serde(with = "date")]
        internal_date: Option<InternalDate>,
    },
    /// A mailbox is made.
    CreateMailbox {
        /// Which.
        mailbox: Place,
        /// Its special use, such as `\Archive`, where one is wanted (RFC 6154).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
    },
    /// A mailbox gets another name; those below it go with it.
    RenameMailbox {
        /// As the server knows it.
        mailbox: Place,
        /// Its new name.
        #[serde(with = "name")]
        to: MailboxName,
    },
    /// A mailbox is removed with what is in it.
    DeleteMailbox {
        /// Which.
        mailbox: Place,
        /// UIDVALIDITY and UIDNEXT that were known when the user decided: what arrived since was never seen by them.
        seen: Option<(u32, u32)>,
    },
    /// A mailbox is subscribed to.
    Subscribe {
        /// Which.
        mailbox: Place,
    },
    /// A subscription ends.
    Unsubscribe {
        /// Which.
        mailbox: Place,
    },
}

/// A mailbox: the local id, and the name by which the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The local id. Follows the mailbox through a rename by somebody else.
    pub id: i64,
    /// Its name on the server when this was written.
    #[serde(with = "name")]
    pub name: MailboxName,
}

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The mailbox.
    pub mailbox: Place,
    /// Our own UID for it in that mailbox. A placement that an earlier intent brings to the server gets its UID there.
    pub local: u32,
    /// The mailbox's UIDVALIDITY on the server; `None` while the server does not have the message there.
    pub uid_validity: Option<u32>,
    /// The message's UID on the server; `None` while the server does not have the message there.
    pub uid: Option<u32>,
    /// What the message is known by otherwise.
    pub digest: Digest,
}

/// Where a message is to arrive: the placement exists here already, and waits for its UID on the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Landing {
    /// The mailbox.
    pub mailbox: Place,
    /// Our own UID for it in that mailbox.
    pub local: u32,
}

/// What a store keeps of an intent: the intent, and beside it what its step has to remember.
///
/// The JSON of a bare [`Intent`] is one too, of an intent that was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The intent.
    #[serde(flatten)]
    pub intent: Intent,
    /// The step that was begun last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Step>,
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The row's id: ascending in the order of the user's actions, never reused.
    pub id: i64,
    /// What is wanted.
    pub intent: Intent,
    /// How far it is.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before this moment, in seconds since 1970; 0 for at once.
    pub not_before: i64,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

impl Intent {
    /// The stable name of its kind, such as `move`; the same as `kind` in its JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Flag { .. } => "flag",
            Self::Move { .. } => "move",
            Self::Copy { .. } => "copy",
            Self::Delete { .. } => "delete",
            Self::Append { .. } => "append",
            Self::CreateMailbox { .. } => "create_mailbox",
            Self::RenameMailbox { .. } => "rename_mailbox",
            Self::DeleteMailbox { .. } => "delete_mailbox",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
        }
    }

    /// The message it begins at, where there is one.
    #[must_use]
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Flag { target, .. }
            | Self::Move { target, .. }
            | Self::Copy { target, .. }
            | Self::Delete { target } => Some(target),
            _ => None,
        }
    }

    /// The same, to be found again after its UID has changed.
    #[must_use]
    pub const fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::Flag { target, .. }
            | Self::Move { target, .. }
            | Self::Copy { target, .. }
            | Self::Delete { target } => Some(target),
            _ => None,
        }
    }

    /// Where a message arrives, where one does.
    #[must_use]
    pub const fn landing(&self) -> Option<&Landing> {
        match self {
            Self::Move { to, .. } | Self::Copy { to, .. } | Self::Append { to, .. } => Some(to),
            _ => None,
        }
    }

    /// The mailbox in which its first command is sent, or that it is about.
    #[must_use]
    pub const fn mailbox(&self) -> &Place {
        match self {
            Self::Flag { target, .. }
            | Self::Move { target, .. }
            | Self::Copy { target, .. }
            | Self::Delete { target } => &target.mailbox,
            Self::Append { to, .. } => &to.mailbox,
            Self::CreateMailbox { mailbox, .. }
            | Self::RenameMailbox { mailbox, .. }
            | Self::DeleteMailbox { mailbox, .. }
            | Self::Subscribe { mailbox }
            | Self::Unsubscribe { mailbox } => mailbox,
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { target, add, remove } => {
                write!(f, "flag {target}")?;
                add.iter().try_for_each(|flag| write!(f, " +{flag}"))?;
                remove.iter().try_for_each(|flag| write!(f, " -{flag}"))
            }
            Self::Move { target, to } => write!(f, "move {target} to {}", to.mailbox),
            Self::Copy { target, to } => write!(f, "copy {target} to {}", to.mailbox),
            Self::Delete { target } => write!(f, "delete {target}"),
            Self::Append { to, size, .. } => write!(f, "append {size} bytes to {}", to.mailbox),
            Self::CreateMailbox { mailbox, .. } => write!(f, "create mailbox {mailbox}"),
            Self::RenameMailbox { mailbox, to } => write!(f, "rename mailbox {mailbox} to {:?}", to.as_str()),
            Self::DeleteMailbox { mailbox, .. } => write!(f, "delete mailbox {mailbox}"),
            Self::Subscribe { mailbox } => write!(f, "subscribe to {mailbox}"),
            Self::Unsubscribe { mailbox } => write!(f, "unsubscribe from {mailbox}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name.as_str())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uid {
            Some(uid) => write!(f, "{}/{uid}", self.mailbox),
            None => write!(f, "{}/(new)", self.mailbox),
        }
    }
}

/// Mailbox names as the bytes that travel: text where they are, which is nearly always, else base64.
mod name {
    use crate::imap::MailboxName;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Raw {
        Text(String),
        Bytes { base64: String },
    }

    pub fn serialize<S: Serializer>(name: &MailboxName, to: S) -> Result<S::Ok, S::Error> {
        let raw = match std::str::from_utf8(name.raw()) {
            Ok(text) => Raw::Text(text.to_owned()),
            Err(_) => Raw::Bytes { base64: BASE64_STANDARD.encode(name.raw()) },
        };
        raw.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MailboxName, D::Error> {
        let raw = match Raw::deserialize(from)? {
            Raw::Text(text) => text.into_bytes(),
            Raw::Bytes { base64 } => BASE64_STANDARD.decode(base64).map_err(de::Error::custom)?,
        };
        Ok(MailboxName::from_server(raw, false))
    }
}

/// Flags as their words.
mod flags {
    use crate::imap::Flag;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(flags: &[Flag], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(flags.iter().map(Flag::as_str))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Flag>, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        Ok(words.iter().map(|word| Flag::from_server(word.as_bytes())).collect())
    }
}

/// INTERNALDATE as seconds since 1970 and minutes east of UTC.
mod date {
    use crate::imap::InternalDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(date: &Option<InternalDate>, to: S) -> Result<S::Ok, S::Error> {
        date.map(|date| (date.seconds, date.offset)).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<InternalDate>, D::Error> {
        let pair = Option::<(i64, i16)>::deserialize(from)?;
        Ok(pair.map(|(seconds, offset)| InternalDate { seconds, offset }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Cause, Note, Reason};

    fn place(name: &[u8]) -> Place {
        Place { id: 3, name: MailboxName::from_server(name.to_vec(), false) }
    }

    fn target() -> Target {
        let digest = Digest::of_header(b"Subject: x\r\n");
        Target { mailbox: place(b"INBOX"), local: 9, uid_validity: Some(7), uid: Some(42), digest }
    }

    fn every_kind() -> Vec<Intent> {
        let to = || Landing { mailbox: place(b"Entw&APw-rfe"), local: 10 };
        let digest = Digest::of_header(b"");
        let internal_date = Some(InternalDate { seconds: 836_732_665, offset: -420 });
        let flags = vec![Flag::SEEN];
        vec![
            Intent::Flag { target: target(), add: vec![Flag::SEEN], remove: vec![Flag::from_server(b"$Label1")] },
            Intent::Move { target: target(), to: to() },
            Intent::Copy { target: target(), to: to() },
            Intent::Delete { target: target() },
            Intent::Append { to: to(), digest, header: digest, size: 5, flags, internal_date },
            Intent::CreateMailbox { mailbox: place(b"A"), role: Some("\\Archive".to_owned()) },
            Intent::RenameMailbox { mailbox: place(b"A"), to: MailboxName::new("B", false) },
            Intent::DeleteMailbox { mailbox: place(b"\xff\xfe"), seen: Some((7, 1)) },
            Intent::Subscribe { mailbox: place(b"A") },
            Intent::Unsubscribe { mailbox: place(b"A") },
        ]
    }

    #[test]
    fn every_kind_reads_back_from_its_json_and_names_itself_there() {
        for intent in every_kind() {
            let json = serde_json::to_value(&intent).unwrap();
            assert_eq!(json.get("kind").unwrap(), intent.kind());
            assert_eq!(serde_json::from_value::<Intent>(json).unwrap(), intent);
        }
    }

    #[test]
    fn the_json_of_a_flag_change_is_the_same_in_every_version() {
        let json = serde_json::to_string(&every_kind()[0]).unwrap();
        let digest = target().digest;
        assert_eq!(
            json,
            format!(
                r#"{{"kind":"flag","target":{{"mailbox":{{"id":3,"name":"INBOX"}},"local":9,"uid_validity":7,"uid":42,"digest":"{digest}"}},"add":["\\Seen"],"remove":["$Label1"]}}"#
            )
        );
    }

    #[test]
    fn a_payload_is_the_intent_with_what_its_step_remembers() {
        let bare = serde_json::to_string(&every_kind()[1]).unwrap();
        let payload: Payload = serde_json::from_str(&bare).unwrap();
        assert_eq!(payload, Payload { intent: every_kind()[1].clone(), begun: None });
        let begun = Some(Step::Place { uid_validity: 7, uid_next: 12, unseen: None });
        let payload = Payload { begun, ..payload };
        let json = serde_json::to_string(&payload).unwrap();
        assert_eq!(serde_json::from_str::<Payload>(&json).unwrap(), payload);
    }

    #[test]
    fn every_state_reads_back_from_its_json() {
        let states = [
            State::Waiting,
            State::Started { step: Step::Send },
            State::Started { step: Step::Place { uid_validity: 7, uid_next: 9, unseen: Some(5) } },
            State::Started { step: Step::Mark { copy: Some((7, 9)) } },
            State::Started { step: Step::Expunge { copy: None } },
            State::Applied { note: None },
            State::Applied { note: Some(Note::LeftMarked) },
            State::Superseded { by: Cause::MessageGone },
            State::Parked { reason: Reason::OverQuota, server: Some("no room".to_owned()) },
        ];
        for state in states {
            let json = serde_json::to_value(&state).unwrap();
            assert_eq!(json.get("state").unwrap(), state.name());
            assert_eq!(serde_json::from_value::<State>(json).unwrap(), state);
        }
    }

    #[test]
    fn a_person_can_read_what_is_pending() {
        let shown: Vec<String> = every_kind().iter().map(ToString::to_string).collect();
        assert_eq!(shown[0], r#"flag "INBOX"/42 +\Seen -$Label1"#);
        assert_eq!(shown[1], r#"move "INBOX"/42 to "Entwürfe""#);
        assert_eq!(shown[4], r#"append 5 bytes to "Entwürfe""#);
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert!(reason.sentence().len() > 10);
        }
    }
}
