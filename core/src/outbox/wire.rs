//! The bytes between a machine and a server.

use super::smtp::{Machine, Patience, Replies, Reply, Step};
use crate::error::{Code, MailError, Result};
use crate::limits::Limits;
use crate::net::{self, within};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// Anything that bytes go over.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// RFC 5321 section 4.5.3.2: ten minutes after the final dot, two to five for what makes a server ask others.
const AFTER_DOT: Duration = Duration::from_secs(600);
const SLOW: Duration = Duration::from_secs(300);
/// How long a server that no longer reads may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A connection, one reply at a time.
pub(super) struct Wire<S> {
    stream: S,
    replies: Replies,
    limits: Limits,
    /// Whether everybody on the way may read and write.
    in_clear: bool,
    /// What must not be shown, should the server repeat it.
    hidden: Vec<Zeroizing<String>>,
}

impl<S: Io> Wire<S> {
    pub fn new(stream: S, limits: &Limits) -> Self {
        Self { stream, replies: Replies::default(), limits: limits.clone(), in_clear: false, hidden: Vec::new() }
    }

    /// A connection that is to become TLS.
    pub fn in_clear(stream: S, limits: &Limits) -> Self {
        Self { in_clear: true, ..Self::new(stream, limits) }
    }

    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// The stream alone; what has been read of it and not been used is an error of the caller's.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Whether something has been read that nobody has asked for.
    pub fn has_more(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Takes a secret out of everything that the server may say about it.
    pub fn hide(&mut self, user: &str, secret: &Secret) {
        let secret = secret.reveal();
        let forms = [secret.to_owned(), STANDARD.encode(secret), STANDARD.encode(format!("\0{user}\0{secret}"))];
        self.hidden.extend(forms.into_iter().filter(|form| !form.is_empty()).map(Zeroizing::new));
    }

    /// Runs a machine that commits nothing.
    pub async fn run(&mut self, machine: &mut dyn Machine) -> Result<()> {
        let mut heard = None;
        loop {
            let step = machine.step(heard.take())?;
            let sends = matches!(step, Step::Send(_));
            heard = match step {
                Step::Done => return Ok(()),
                step => self.perform(step).await?,
            };
            if let Some(reply) = heard.as_ref().filter(|_| sends) {
                return Err(reply.refused("this connection"));
            }
        }
    }

    /// One step that is not a commit; the reply that it has brought. Sending brings one only from a server that refuses to
    /// read on.
    pub async fn perform(&mut self, step: Step) -> Result<Option<Reply>> {
        match step {
            Step::Send(bytes) => self.send(&bytes).await,
            Step::Hear(patience) => self.hear(patience).await.map(Some),
            Step::Quiet => self.overheard().await,
            // Whoever has the message sends it.
            Step::Body(_) | Step::Commit(_) | Step::Done => Ok(None),
        }
    }

    /// A command goes out only when nothing is waiting: what was said before it cannot be its answer.
    async fn send(&mut self, bytes: &[u8]) -> Result<Option<Reply>> {
        if self.has_more() {
            let code = if self.in_clear { Code::NetTampered } else { Code::ServerProtocol };
            return Err(MailError::new(code, "The server said more than it was asked"));
        }
        let sending = async {
            self.stream.write_all(bytes).await.map_err(|e| net::lost(&e))?;
            self.stream.flush().await.map_err(|e| net::lost(&e))
        };
        match within(self.limits.slow_progress, "Sending", sending).await {
            Ok(()) => Ok(None),
            // What is said in clear is nobody's word.
            Err(error) if self.in_clear => Err(error),
            Err(error) => self.last_words().await.map(Some).ok_or(error),
        }
    }

    /// A server that closes in the middle has mostly said why.
    async fn last_words(&mut self) -> Option<Reply> {
        let reply = tokio::time::timeout(LAST_WORDS, self.read()).await.ok()?.ok()?;
        (reply.is_refusal() || reply.is_temporary()).then_some(reply)
    }

    async fn hear(&mut self, patience: Patience) -> Result<Reply> {
        let time = match patience {
            Patience::Greeting => self.limits.greeting,
            Patience::Command => self.limits.progress,
            Patience::Slow => SLOW.max(self.limits.slow_progress),
            Patience::Dot => AFTER_DOT.max(self.limits.slow_progress),
        };
        within(time, "Waiting for the server's reply", self.read()).await
    }

    async fn read(&mut self) -> Result<Reply> {
        loop {
            if let Some(reply) = self.replies.next()? {
                return Ok(self.concealed(reply));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await.map_err(|e| net::lost(&e))? {
                0 => return Err(MailError::new(Code::NetLost, "The server closed the connection")),
                count => self.replies.push(bytes.get(..count).unwrap_or_default()),
            }
        }
    }

    /// A reply that is there already; one that has begun is waited for.
    async fn overheard(&mut self) -> Result<Option<Reply>> {
        match self.read().now_or_never() {
            None if self.has_more() => self.hear(Patience::Command).await.map(Some),
            heard => heard.transpose(),
        }
    }

    fn concealed(&self, mut reply: Reply) -> Reply {
        for line in &mut reply.lines {
            for secret in self.hidden.iter().filter(|secret| line.contains(secret.as_str())).collect::<Vec<_>>() {
                *line = line.replace(secret.as_str(), "…");
            }
        }
        reply
    }
}
