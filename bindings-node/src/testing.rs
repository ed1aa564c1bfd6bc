//! Servers for tests.

use crate::bridge::Bridge;
use crate::draft::DraftInput;
use crate::error::{bad_argument, thrown};
use crate::mail::Mail;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::selection::TargetInput;
use bytes::Bytes;
use mailtide::imap::Flag;
use mailtide::testing::{Fault, FaultKind, Letter, Server, TestOptions};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::sync::Arc;
use std::time::Duration;

/// A running server for tests.
#[napi]
pub struct TestServer {
    queue: Arc<Queue>,
    inner: Arc<Server>,
}

/// Its bytes, or a draft.
#[napi(object)]
pub struct LetterInput {
    pub raw: Option<Uint8Array>,
    pub draft: Option<DraftInput>,
}

impl LetterInput {
    fn into_letter(self) -> napi::Result<Letter> {
        match (self.raw, self.draft) {
            (Some(raw), _) => Ok(Bytes::copy_from_slice(&raw).into()),
            (None, Some(draft)) => draft.into_draft().map(Letter::from),
            (None, None) => Err(bad_argument("A message is bytes or a draft")),
        }
    }
}

/// What a server is started with.
#[napi(object)]
pub struct TestInput {
    pub mail: Vec<MailInput>,
    pub without: Vec<String>,
    pub quirks: Vec<String>,
    pub user: Option<String>,
    pub password: Option<String>,
}

/// The messages of a mailbox.
#[napi(object)]
pub struct MailInput {
    pub mailbox: String,
    pub letters: Vec<LetterInput>,
}

impl TestInput {
    fn into_options(self) -> napi::Result<TestOptions> {
        let mut options = TestOptions::default();
        for MailInput { mailbox, letters } in self.mail {
            let letters = letters.into_iter().map(LetterInput::into_letter).collect::<napi::Result<_>>()?;
            options.mail.push((mailbox, letters));
        }
        (options.without, options.quirks) = (self.without, self.quirks);
        options.user = self.user.unwrap_or(options.user);
        options.password = self.password.map_or(options.password, Into::into);
        Ok(options)
    }
}

/// What goes wrong, and where.
#[napi(object)]
pub struct FaultInput {
    pub kind: String,
    pub command: Option<String>,
    pub nth: Option<u32>,
    pub after: Option<u32>,
    pub text: String,
    pub delay: f64,
    pub data: Option<Uint8Array>,
}

impl FaultInput {
    fn into_fault(self) -> napi::Result<Fault> {
        let kind = match self.kind.as_str() {
            "cut" => FaultKind::Cut,
            "delay" => FaultKind::Delay(Duration::try_from_secs_f64(self.delay / 1000.0).unwrap_or_default()),
            "no" => FaultKind::No(self.text),
            "bad" => FaultKind::Bad(self.text),
            "garbage" => FaultKind::Garbage(self.data.map_or_else(Bytes::new, |data| Bytes::copy_from_slice(&data))),
            _ => return Err(bad_argument("A fault is cut, delay, no, bad or garbage")),
        };
        let after = self.after.map(|bytes| bytes as usize);
        Ok(Fault { kind, command: self.command, nth: self.nth.unwrap_or(1), after })
    }
}

/// Starts a server for tests.
#[napi]
pub fn start_test_server(bridge: &Bridge, id: u32, options: TestInput) -> napi::Result<()> {
    let (options, queue) = (options.into_options()?, bridge.queue());
    bridge.queue().start(id, async move { Ok(Reply::TestServer(Server::start(options).await?.into(), queue)) });
    Ok(())
}

#[napi]
impl TestServer {
    /// The server itself.
    #[napi]
    pub fn server(&self) -> crate::server::Server {
        crate::server::Server::new(Arc::clone(&self.queue), Arc::clone(self.inner.server()))
    }

    #[napi(getter)]
    pub fn commands(&self) -> Vec<String> {
        self.inner.commands()
    }

    /// The mailbox behind it.
    #[napi]
    pub fn mail(&self) -> Mail {
        Mail::new(Arc::clone(&self.queue), self.inner.mail().clone())
    }

    #[napi]
    pub fn deliver(&self, id: u32, target: TargetInput, letter: LetterInput, flags: Vec<String>) -> napi::Result<()> {
        let (target, letter) = (target.into_target()?, letter.into_letter()?);
        let flags = flags.iter().map(|flag| Flag::parse(flag)).collect::<mailtide::Result<Vec<_>>>();
        let (flags, server) = (flags.map_err(|e| thrown(&e))?, Arc::clone(&self.inner));
        let deliver = async move { server.deliver(target, letter, &flags).await.map(|uid| Reply::Number(uid.into())) };
        self.queue.start(id, deliver);
        Ok(())
    }

    #[napi]
    pub fn fault(&self, fault: FaultInput) -> napi::Result<()> {
        self.inner.fault(fault.into_fault()?).map_err(|e| thrown(&e))
    }

    #[napi]
    pub fn close(&self, id: u32) {
        let server = Arc::clone(&self.inner);
        self.queue.start(id, async move { server.close().await.map(Reply::from) });
    }
}

impl TestServer {
    pub fn new(queue: Arc<Queue>, inner: Arc<Server>) -> Self {
        Self { queue, inner }
    }
}
