//! What calls answer: JSON made on the engine's threads, bytes, or a handle.

use crate::draft::DraftOutput;
use crate::error::error_json;
use crate::mail::Mail;
use crate::messages::Batch;
use crate::queue::Queue;
use crate::session::Session;
use bytes::Bytes;
use mailtide::message::{Draft, Headers};
use mailtide::{BulkResult, MailError, Message, MessageRef};
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Either8, Null};
use serde_json::{Value, json};
use std::sync::Arc;

/// A finished call's value on its way to JavaScript.
pub enum Reply {
    /// Nothing to say, or nothing there.
    Null,
    /// Plain data.
    Json(String),
    /// Text as it is.
    Text(String),
    /// A number.
    Number(f64),
    /// Bytes.
    Bytes(Bytes),
    /// A session, and where its calls end.
    Session(mailtide::Session, Arc<Queue>),
    /// A local mailbox, and where its calls end.
    Mail(mailtide::Mail, Arc<Queue>),
    /// A draft.
    Draft(Box<Draft>),
    /// Messages and their rows, and where their calls end.
    Batch(String, Vec<Message>, Arc<Queue>),
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::Null
    }
}

/// What a queue entry becomes in JavaScript.
pub type JsValue<'env> = Either8<Null, f64, String, BufferSlice<'env>, Session, Batch, Mail, DraftOutput>;

impl Reply {
    /// Plain data of any shape.
    pub fn json(value: &Value) -> Self {
        Self::Json(value.to_string())
    }

    /// To be called on the JavaScript thread. Bytes are copied into memory of V8, which then knows when there is much of
    /// it: what is lent to it waits for a collection that nothing brings about.
    pub fn into_js(self, env: &Env) -> napi::Result<JsValue<'_>> {
        Ok(match self {
            Self::Null => Either8::A(Null),
            Self::Number(number) => Either8::B(number),
            Self::Json(text) | Self::Text(text) => Either8::C(text),
            Self::Bytes(bytes) => Either8::D(BufferSlice::copy_from(env, bytes)?),
            Self::Session(session, queue) => Either8::E(Session::new(queue, session)),
            Self::Mail(mail, queue) => Either8::G(Mail::new(queue, mail)),
            Self::Draft(draft) => Either8::H((*draft).into()),
            Self::Batch(rows, messages, queue) => Either8::F(Batch::new(queue, rows, messages)),
        })
    }
}

/// Gives each mailbox of a list of references a number, so that its name crosses once.
#[derive(Default)]
pub struct Places(Vec<(Arc<str>, Arc<str>, u32)>);

impl Places {
    /// The number of the mailbox that a reference is in.
    pub fn of(&mut self, reference: &MessageRef) -> usize {
        let same = |p: &(Arc<str>, Arc<str>, u32)| {
            p.2 == reference.uid_validity && p.1 == reference.mailbox && p.0 == reference.account
        };
        // A list is nearly always of one mailbox, or of a source and a target.
        self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push((reference.account.clone(), reference.mailbox.clone(), reference.uid_validity));
            self.0.len() - 1
        })
    }

    /// `[[account, mailbox, uidValidity], …]`.
    pub fn json(&self) -> Value {
        self.0
            .iter()
            .map(|(account, mailbox, validity)| json!([account.as_ref(), mailbox.as_ref(), validity]))
            .collect()
    }
}

/// One reference: `[account, mailbox, uidValidity, uid]`.
pub fn reference_json(reference: &MessageRef) -> Value {
    json!([reference.account.as_ref(), reference.mailbox.as_ref(), reference.uid_validity, reference.uid])
}

/// References as `{places, refs: [place, uid, place, uid, …]}`.
pub fn refs_json(refs: &[MessageRef]) -> Value {
    let mut places = Places::default();
    let refs: Vec<u64> = refs.iter().flat_map(|r| [places.of(r) as u64, u64::from(r.uid)]).collect();
    json!({ "places": places.json(), "refs": refs })
}

/// A bulk result, its references as pairs of place and UID.
pub fn bulk_json(result: &BulkResult) -> Value {
    let mut places = Places::default();
    let mut pair = |r: &MessageRef| json!([places.of(r), r.uid]);
    let done: Vec<Value> =
        result.done.iter().map(|d| json!([pair(&d.source), d.target.as_ref().map(&mut pair)])).collect();
    let failed: Vec<Value> =
        result.failed.iter().map(|(r, error): &(MessageRef, MailError)| json!([pair(r), error_json(error)])).collect();
    let unknown: Vec<Value> = result.unknown.iter().map(&mut pair).collect();
    json!({ "done": done, "failed": failed, "unknown": unknown, "places": places.json() })
}

/// A header as `[[name, value], …]`, values decoded.
pub fn headers_json(headers: &Headers) -> Value {
    headers.iter().map(|(name, value)| json!([name, value])).collect()
}
