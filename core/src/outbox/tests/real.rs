//! Postfix and OpenSMTPD out of Debian's packages, started privately (tests/servers); their Maildirs say what came of it.
//!
//! They start as root only; for anybody else these tests have nothing to run against, and say nothing.

use super::super::{Entry, LiveSent, Outbox, RecipientState as R, SendOptions, SentFolder, SmtpAccount, State};
use super::smuggling::{bodies, raw_message};
use super::support::{MemoryLedger, composed, draft};
use crate::imap::{Flag, Role};
use crate::message::{Composed, DraftAttachment, ForwardOptions, ParsedMessage, ReplyOptions};
use crate::net::{Roots, Security};
use crate::{Account, Code, Credentials, Engine, EngineOptions, FetchOptions, Mechanism, Secret, Selection, Token};
use futures_util::FutureExt;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Ends with its standard input, so nothing is left running.
pub struct Server {
    child: Child,
    env: Value,
}

impl Server {
    /// `None` where it may not be started at all.
    pub fn start(name: &str) -> Option<Self> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/servers/{name}.py"));
        let mut python = Command::new("python3");
        let mut child = python
            .args([script.as_os_str(), "run".as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the servers need python3 on the path");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        match serde_json::from_str(&line) {
            Ok(env) => Some(Self { child, env }),
            Err(_) => {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                child.wait().unwrap();
                assert!(why.contains("as root only"), "{why}");
                None
            }
        }
    }

    pub fn text(&self, key: &str) -> &str {
        self.env[key].as_str().unwrap()
    }

    pub fn account(&self, security: Security, credentials: Credentials) -> SmtpAccount {
        let port = if security == Security::Tls { "smtps_port" } else { "smtp_port" };
        let mut account = SmtpAccount::of(&Account::new("localhost", self.text("user"), credentials), "localhost");
        account.port = u16::try_from(self.env[port].as_u64().unwrap()).unwrap();
        account.security = security;
        account.net.roots = Roots::File(self.text("ca").into());
        account
    }

    /// What its name, port and trust are for IMAP.
    fn imap(&self, credentials: Credentials) -> Account {
        let mut account = Account::new("localhost", self.text("user"), credentials);
        account.port = u16::try_from(self.env["imaps_port"].as_u64().unwrap()).unwrap();
        account.net.roots = Roots::File(self.text("ca").into());
        account
    }

    fn password(&self) -> Credentials {
        Credentials::Password(self.text("password").into())
    }

    /// The messages in the Maildir, as soon as there are so many; those that come later are another call's.
    pub fn messages(&self, count: usize) -> Vec<ParsedMessage> {
        let folder = PathBuf::from(self.text("mail")).join("new");
        let began = Instant::now();
        loop {
            let files: Vec<_> =
                std::fs::read_dir(&folder).map(|f| f.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
            if files.len() >= count {
                return files.iter().map(|path| ParsedMessage::parse(std::fs::read(path).unwrap())).collect();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{} of {count} messages:\n{}", files.len(), self.log());
            // Another process writes there, and gives no event.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.text("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Sends all of these, over one connection where that holds; what has become of them.
async fn sent(account: SmtpAccount, messages: &[Composed]) -> Vec<Entry> {
    let ledger = Arc::<MemoryLedger>::default();
    let outbox = Outbox::new(ledger.clone(), account, None);
    for (number, message) in messages.iter().enumerate() {
        let options = SendOptions { key: Some(number.to_string()), ..SendOptions::default() };
        outbox.send_composed(message, &options).await.unwrap();
    }
    let report = outbox.pass().await.unwrap();
    assert!(report.trouble.is_none(), "{:?}", report.trouble);
    ledger.all()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_smuggle_are_one_message_on_real_servers() {
    for name in ["postfix", "opensmtpd"] {
        let Some(server) = Server::start(name) else { return };
        let messages: Vec<Composed> = bodies().iter().map(|body| raw_message(body)).collect();
        let sendable: Vec<Composed> =
            messages.into_iter().filter(|m| super::super::smtp::wire_form(&m.raw).is_ok()).collect();
        assert!(sendable.len() >= 30);
        let security = if name == "postfix" { Security::StartTls } else { Security::Cleartext };
        let entries = sent(server.account(security, Credentials::None), &sendable).await;
        for entry in &entries {
            assert_eq!(entry.state, State::Accepted, "{name}: {entry:?}");
        }
        let stored = server.messages(sendable.len());
        assert_eq!(stored.len(), sendable.len(), "{name}");
        for message in &stored {
            assert_eq!(message.headers().get("Subject").as_deref(), Some("honest"), "{name}");
        }
        assert!(!server.log().contains("evil@x.org"), "{name} was handed a second message:\n{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_as_it_was_written_over_every_way_in() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    let full = draft().text("Grüße,\n.\n..\nFrom me\n").attach(DraftAttachment::bytes("a b.bin", every_byte.clone()));
    for name in ["postfix", "opensmtpd"] {
        let Some(server) = Server::start(name) else { return };
        let mut ways = vec![(Security::Cleartext, Credentials::None)];
        if name == "postfix" {
            ways.extend([(Security::Tls, server.password()), (Security::StartTls, server.password())]);
        }
        for (number, (security, credentials)) in ways.into_iter().enumerate() {
            let entries = sent(server.account(security, credentials), &[composed(&full)]).await;
            assert_eq!(entries[0].state, State::Accepted, "{name} {security:?}: {entries:?}");
            for message in server.messages(number + 1) {
                assert_eq!(message.text(), "Grüße,\n.\n..\nFrom me\n", "{name} {security:?}");
                assert_eq!(message.content(&message.attachments()[0]), every_byte, "{name} {security:?}");
                assert_eq!(message.headers().get("Message-ID"), Some(format!("<{}>", composed(&full).message_id)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_taken_and_refused_by_a_real_server() {
    let Some(server) = Server::start("postfix") else { return };
    let token = |name: &str| {
        let secret = Secret::from(server.text(name));
        let answer = move |_| async move { Ok(Token { secret, expires_at: None }) }.boxed();
        Credentials::Token(Arc::new(move |request| answer.clone()(request)))
    };
    for (mechanism, credentials) in [
        (Mechanism::Plain, server.password()),
        (Mechanism::Login, server.password()),
        (Mechanism::ScramSha256, server.password()),
        (Mechanism::XOAuth2, token("token")),
        (Mechanism::OAuthBearer, token("token")),
    ] {
        for security in [Security::Tls, Security::StartTls] {
            let account = server.account(security, credentials.clone());
            let account = SmtpAccount { mechanism: Some(mechanism), ..account };
            let entries = sent(account, &[composed(&draft())]).await;
            assert!(entries[0].state == State::Accepted && entries[0].is_finished(), "{mechanism}");
        }
    }
    for (credentials, code) in
        [(Credentials::Password("wrong".into()), Code::AuthRejected), (token("expired_token"), Code::AuthTokenExpired)]
    {
        let outbox = Outbox::new(Arc::<MemoryLedger>::default(), server.account(Security::Tls, credentials), None);
        outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
        let trouble = outbox.pass().await.unwrap().trouble.unwrap();
        assert!(trouble.code() == code || trouble.code() == Code::AuthRejected, "{trouble}");
        assert_eq!(outbox.unfinished().await.unwrap()[0].state, State::Queued);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_filed_once_on_a_real_server_and_found_there() {
    let Some(server) = Server::start("postfix") else { return };
    let session = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current())
        .connect(server.imap(server.password()))
        .await
        .unwrap();
    let folder = Arc::new(LiveSent(session.clone()));
    let ledger = Arc::<MemoryLedger>::default();
    let account = server.account(Security::Tls, server.password());
    let outbox = Outbox::new(ledger.clone(), account, Some(folder.clone()));
    let message = composed(&draft());
    assert!(!folder.contains(&message.message_id, 500).await.unwrap());
    outbox.send_composed(&message, &SendOptions::default()).await.unwrap();
    for _ in 0..3 {
        let report = outbox.pass().await.unwrap();
        assert!(report.trouble.is_none(), "{:?}", report.trouble);
    }
    assert!(ledger.only().is_finished());
    assert!(folder.contains(&message.message_id, 500).await.unwrap());
    let filed = session.mailbox(Role::Sent).unwrap();
    assert_eq!(filed.count(Selection::All, None).await.unwrap(), 1);
    let copies = filed.fetch(Selection::All, FetchOptions::default()).next_batch().await.unwrap().unwrap();
    assert_eq!(copies[0].raw().await.unwrap(), message.raw);
    assert!(copies[0].flags().contains(&Flag::SEEN));
    // It can be answered and passed on from there.
    let reply = copies[0].reply(&ReplyOptions::default()).await.unwrap();
    assert_eq!((reply.to[0].email.as_str(), &reply.in_reply_to), ("ada@example.org", &Some(message.message_id)));
    let forward = copies[0].forward(&ForwardOptions::default()).await.unwrap();
    assert!(forward.text.unwrap().contains("Found it.\n.\n"));
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_answers_for_each_recipient_and_each_size() {
    let Some(server) = Server::start("postfix") else { return };
    let some = draft().to("refused@example.org, later@example.org, 用户@example.org").unwrap();
    let large = draft().attach(DraftAttachment::bytes("a.bin", vec![0; 1_000_000]));
    let entries = sent(server.account(Security::Tls, Credentials::None), &[composed(&some), composed(&large)]).await;
    let states: Vec<R> = entries[0].recipients.iter().map(|r| r.state).collect();
    assert_eq!(states, [R::Accepted, R::Rejected, R::Waiting, R::Accepted], "{entries:?}");
    assert_eq!(entries[0].state, State::Queued);
    assert_eq!(entries[1].state, State::Rejected);
    assert!(entries[1].recipients[0].reply.as_deref().unwrap().contains("takes 1000000"), "{entries:?}");
    // One file for each recipient that was taken.
    assert_eq!(server.messages(2).len(), 2);
}
