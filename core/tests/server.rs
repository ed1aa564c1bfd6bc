//! The server under our own client, and as a gateway: what is done at it while the account's server is down arrives there
//! later, once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use futures_util::future::BoxFuture;
use mailtide::imap::{Flag, Role};
use mailtide::server::{Server, ServerOptions, ServerTls, TlsMode, TokenCheck};
use mailtide::store::{Keep, KeepRule};
use mailtide::sync::SyncOptions;
use mailtide::{
    Account, AppendOptions, AppendSource, Code, Credentials, Engine, EngineOptions, FetchOptions, FlagChange,
    FollowOptions, Mail, MailOptions, Mechanism, Messages, NetOptions, Roots, Secret, Security, Selection, Session,
    Target, Token, WriteOptions,
};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

const PASSWORD: &str = "s3cret";

async fn serve(file: &Path, address: Option<SocketAddr>) -> Server {
    let mut options = ServerOptions::default();
    options.address = address.unwrap_or(options.address);
    options.user = Some(("ada".to_owned(), PASSWORD.into()));
    Server::open(file, options).await.unwrap()
}

fn account(address: SocketAddr) -> Account {
    let mut account = Account::new("127.0.0.1", "ada", Credentials::Password(PASSWORD.into()));
    (account.port, account.security) = (address.port(), Security::Cleartext);
    account
}

async fn connect(account: Account) -> Session {
    Engine::new(EngineOptions::default(), tokio::runtime::Handle::current()).connect(account).await.unwrap()
}

fn message(name: &str) -> AppendSource {
    let text =
        format!("Subject: {name}\r\nFrom: Ada <ada@example.org>\r\nMessage-ID: <{name}@x>\r\n\r\nabout {name}\r\n");
    AppendSource::Bytes(text.into_bytes().into())
}

fn seen() -> FlagChange {
    FlagChange { add: vec![Flag::SEEN], ..FlagChange::default() }
}

async fn subjects(mut messages: Messages) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(batch) = messages.next_batch().await.unwrap() {
        found.extend(batch.iter().map(|message| message.subject().unwrap()));
    }
    found.sort();
    found
}

async fn all_of(session: &Session, mailbox: impl Into<Target>) -> Vec<String> {
    subjects(session.mailbox(mailbox).unwrap().fetch(Selection::All, FetchOptions::default())).await
}

#[tokio::test]
async fn our_own_client_reads_and_changes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&folder.path().join("a.mail"), None).await;
    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256] {
        let mut wrong = account(server.address());
        wrong.credentials = Credentials::Password("wrong".into());
        for (mut account, is_right) in [(account(server.address()), true), (wrong, false)] {
            account.mechanism = Some(mechanism);
            let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
            match engine.connect(account).await {
                Ok(_) => assert!(is_right, "{mechanism}"),
                Err(error) => assert_eq!((error.code(), is_right), (Code::AuthRejected, false), "{error}"),
            }
        }
    }
    let session = connect(account(server.address())).await;
    let inbox = session.mailbox("INBOX").unwrap();
    for name in ["one", "two", "three"] {
        inbox.append(message(name), AppendOptions::default()).await.unwrap().unwrap();
    }
    assert_eq!(all_of(&session, "INBOX").await, ["one", "three", "two"]);
    let mut found = inbox.fetch(mailtide::Query::parse("text:two").unwrap(), FetchOptions::default());
    let two = found.next_batch().await.unwrap().unwrap().remove(0);
    assert_eq!(two.text().await.unwrap(), "about two\n");
    inbox.flag(&two, seen(), WriteOptions::default()).await.unwrap();
    let unread = mailtide::Query::parse("is:unread").unwrap();
    assert_eq!(inbox.count(unread, None).await.unwrap(), 2);
    inbox.move_to(&two, Target::Role(Role::Archive), WriteOptions::default()).await.unwrap();
    assert_eq!(all_of(&session, Target::Role(Role::Archive)).await, ["two"]);
    inbox.expunge(1, WriteOptions::default()).await.unwrap();
    assert_eq!(all_of(&session, "INBOX").await, ["three"]);
    session.close().await.unwrap();
    server.close().await;
}

/// Knows one token.
struct Issuer;

impl TokenCheck for Issuer {
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> BoxFuture<'a, mailtide::Result<bool>> {
        Box::pin(async move { Ok(user == "ada" && token.reveal() == "good") })
    }
}

fn token(text: &'static str) -> Credentials {
    Credentials::Token(Arc::new(move |_| Box::pin(async move { Ok(Token { secret: text.into(), expires_at: None }) })))
}

#[tokio::test]
async fn our_own_client_logs_in_over_tls_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, security) in [(TlsMode::Implicit, Security::Tls), (TlsMode::StartTls, Security::StartTls)] {
        let mut options = ServerOptions::default();
        options.user = Some(("ada".to_owned(), PASSWORD.into()));
        options.tls = Some(ServerTls::SelfSigned { folder: folder.path().to_owned(), name: "localhost".to_owned() });
        options.tls_mode = mode;
        options.tokens = Some(Arc::new(Issuer));
        let server = Server::open(&folder.path().join("a.mail"), options).await.unwrap();
        let label = format!("{mode:?}");
        let app = server.users().add_app_password("ada", &label).await.unwrap();
        let password = |text: &str| Credentials::Password(text.into());
        let mut tries = Vec::new();
        for mechanism in [Mechanism::ScramSha256Plus, Mechanism::ScramSha256, Mechanism::Plain] {
            tries.push((mechanism, "ada".to_owned(), password(PASSWORD), true));
            tries.push((mechanism, format!("ada+{label}"), password(app.reveal()), true));
        }
        for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
            tries.push((mechanism, "ada".to_owned(), token("good"), true));
        }
        // Refusals take longer each time.
        if mode == TlsMode::Implicit {
            tries.push((Mechanism::ScramSha256Plus, format!("ada+{label}"), password(PASSWORD), false));
            tries.push((Mechanism::OAuthBearer, "ada".to_owned(), token("bad"), false));
        }
        for (mechanism, user, credentials, is_right) in tries {
            let mut account = Account::new("127.0.0.1", &user, credentials);
            account.net = trusting(folder.path());
            (account.port, account.security) = (server.address().port(), security);
            account.mechanism = Some(mechanism);
            let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
            match engine.connect(account).await {
                Ok(_) => assert!(is_right, "{mode:?} {mechanism} {user}"),
                Err(error) => assert!(!is_right && error.code().as_str().starts_with("auth."), "{mechanism} {error}"),
            }
        }
        server.close().await;
    }
}

fn trusting(folder: &Path) -> NetOptions {
    let mut net = NetOptions::default();
    net.roots = Roots::File(folder.join("mailtide-server.crt"));
    net.server_name = Some("localhost".to_owned());
    net
}

/// A gateway over headers alone, and the provider that has the bodies.
struct Headers {
    _folder: tempfile::TempDir,
    provider: Server,
    mirror: Mail,
    gateway: Server,
}

impl Headers {
    async fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = serve(&folder.path().join("provider.mail"), None).await;
        let session = connect(account(provider.address())).await;
        for name in names {
            session.mailbox("INBOX").unwrap().append(message(name), AppendOptions::default()).await.unwrap();
        }
        session.close().await.unwrap();
        let keep = KeepRule { keep: Keep::Headers, days: None, largest: None };
        let options =
            MailOptions { account: Some(account(provider.address())), keep: Some(keep), ..MailOptions::default() };
        let mirror = Mail::open(&folder.path().join("mirror.mail"), options).await.unwrap();
        mirror.sync(SyncOptions::default()).await.unwrap();
        let mut options = ServerOptions::default();
        options.user = Some(("ada".to_owned(), PASSWORD.into()));
        let gateway = Server::gateway(mirror.store().clone(), Arc::new(mirror.clone()), options).await.unwrap();
        Self { _folder: folder, provider, mirror, gateway }
    }
}

#[tokio::test]
async fn a_body_that_is_not_held_is_fetched_or_refused_but_never_empty() {
    let world = Headers::of(&["one", "two"]).await;
    let client = connect(account(world.gateway.address())).await;
    let mut found = client.mailbox("INBOX").unwrap().fetch(Selection::All, FetchOptions::default());
    let messages = found.next_batch().await.unwrap().unwrap();
    assert_eq!(messages[1].text().await.unwrap(), "about two\n");
    world.provider.close().await;
    assert_eq!(messages[0].text().await.unwrap_err().code(), Code::ServerUnavailable);
    client.close().await.unwrap();
    world.gateway.close().await;
    world.mirror.close().await.unwrap();
}

/// A line of IMAP, for what our client does not ask.
struct Line(BufStream<TcpStream>);

impl Line {
    async fn open(address: SocketAddr) -> Self {
        let mut line = Self(BufStream::new(TcpStream::connect(address).await.unwrap()));
        line.0.read_line(&mut String::new()).await.unwrap();
        assert!(line.run(&format!("LOGIN ada {PASSWORD}")).await.contains("t OK"));
        line
    }

    /// The whole answer to a command.
    async fn run(&mut self, command: &str) -> String {
        self.0.write_all(format!("t {command}\r\n").as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
        let mut answer = String::new();
        loop {
            let mut row = String::new();
            assert!(self.0.read_line(&mut row).await.unwrap() > 0, "the connection ended after {answer:?}");
            answer.push_str(&row);
            if row.starts_with("t ") {
                return answer;
            }
        }
    }
}

#[tokio::test]
async fn a_search_that_hangs_on_bodies_that_are_not_held_fetches_them_or_is_refused() {
    const SEARCHES: &[(&str, &str)] = &[
        ("SEARCH BODY two", "* SEARCH 2\r\n"),
        ("SEARCH NOT BODY two", "* SEARCH 1 3\r\n"),
        ("SEARCH OR SUBJECT one BODY two", "* SEARCH 1 2\r\n"),
        ("SEARCH TEXT \"about t\"", "* SEARCH 2 3\r\n"),
        ("SEARCH BODY nowhere", "* SEARCH\r\n"),
        ("SEARCH RETURN (MIN MAX COUNT) BODY about", "* ESEARCH (TAG \"t\") MIN 1 MAX 3 COUNT 3\r\n"),
        ("UID SEARCH RETURN () NOT BODY two", "* ESEARCH (TAG \"t\") UID ALL 1,3\r\n"),
        ("SORT (REVERSE SUBJECT) UTF-8 BODY about", "* SORT 2 3 1\r\n"),
        ("SORT RETURN (COUNT ALL) (SUBJECT) UTF-8 BODY \"about t\"", "* ESEARCH (TAG \"t\") ALL 3,2 COUNT 2\r\n"),
        ("THREAD REFERENCES UTF-8 OR SUBJECT three BODY one", "* THREAD (1)(3)\r\n"),
        ("SEARCH RETURN (SAVE) BODY two", ""),
    ];
    let world = Headers::of(&["one", "two", "three"]).await;
    let mut line = Line::open(world.gateway.address()).await;
    line.run("SELECT INBOX").await;
    for (command, expected) in SEARCHES {
        let answer = line.run(command).await;
        assert!(answer.starts_with(&format!("{expected}t OK")), "{command}: {answer}");
    }
    assert!(line.run("FETCH $ UID").await.starts_with("* 2 FETCH (UID 2)\r\nt OK"));
    let held = world.mirror.store().read(|reader| reader.message(mailtide::store::MessageId(1))).await.unwrap();
    assert!(held.unwrap().body.is_none(), "what was looked at is not kept against the rule");

    world.provider.close().await;
    for (command, _) in SEARCHES {
        let answer = line.run(command).await;
        assert!(answer.starts_with("t NO [UNAVAILABLE]"), "{command}: {answer}");
    }
    assert!(line.run("SEARCH SUBJECT none BODY two").await.starts_with("* SEARCH\r\nt OK"), "the header decides");
    // What was saved before is not taken for what a failed search has found (RFC 5182 section 2.1).
    for failing in ["SEARCH RETURN (SAVE) BODY two", "SORT RETURN (SAVE) (SUBJECT) UTF-8 BODY two"] {
        assert!(line.run("SEARCH RETURN (SAVE) ALL").await.starts_with("t OK"));
        assert!(line.run(failing).await.starts_with("t NO"));
        assert!(line.run("FETCH $ UID").await.starts_with("t OK"), "{failing}");
    }
    world.gateway.close().await;
    world.mirror.close().await.unwrap();
}

#[tokio::test]
async fn what_is_done_at_a_gateway_while_the_provider_is_down_arrives_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let provider_file = folder.path().join("provider.mail");
    let provider = serve(&provider_file, None).await;
    let address = provider.address();
    let session = connect(account(address)).await;
    let inbox = session.mailbox("INBOX").unwrap();
    for name in ["one", "two", "three"] {
        inbox.append(message(name), AppendOptions::default()).await.unwrap();
    }
    session.close().await.unwrap();

    let mirror_file = folder.path().join("mirror.mail");
    let options = MailOptions { account: Some(account(address)), ..MailOptions::default() };
    let mirror = Mail::open(&mirror_file, options).await.unwrap();
    mirror.sync(SyncOptions::default()).await.unwrap();
    provider.close().await;

    // The provider is down: a client reads, flags, moves, removes and files a draft.
    let gateway = serve(&mirror_file, None).await;
    let client = connect(account(gateway.address())).await;
    assert_eq!(all_of(&client, "INBOX").await, ["one", "three", "two"]);
    let here = client.mailbox("INBOX").unwrap();
    here.flag(1, seen(), WriteOptions::default()).await.unwrap();
    here.move_to(2, "Archive", WriteOptions::default()).await.unwrap();
    here.expunge(3, WriteOptions::default()).await.unwrap();
    client.mailbox("Drafts").unwrap().append(message("draft"), AppendOptions::default()).await.unwrap();
    client.close().await.unwrap();
    gateway.close().await;

    // It is back, and was changed from elsewhere meanwhile.
    let provider = serve(&provider_file, Some(address)).await;
    let session = connect(account(address)).await;
    session.mailbox("INBOX").unwrap().append(message("four"), AppendOptions::default()).await.unwrap();
    for _ in 0..2 {
        mirror.sync(SyncOptions::default()).await.unwrap();
    }
    assert_eq!(mirror.pending().await.unwrap().len(), 0);
    for (mailbox, expected) in [("INBOX", vec!["four", "one"]), ("Archive", vec!["two"]), ("Drafts", vec!["draft"])] {
        assert_eq!(all_of(&session, mailbox).await, expected, "{mailbox}");
        let mirrored = mirror.mailbox(mailbox).unwrap().fetch(Selection::All, FetchOptions::default());
        assert_eq!(subjects(mirrored).await, expected, "{mailbox}");
    }
    let unread = mailtide::Query::parse("is:unread").unwrap();
    assert_eq!(session.mailbox("INBOX").unwrap().count(unread, None).await.unwrap(), 1);
    mirror.close().await.unwrap();
    provider.close().await;
}

#[tokio::test]
async fn another_rule_of_what_is_held_wakes_who_keeps_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(&folder.path().join("a.mail"), None).await;
    let session = connect(account(server.address())).await;
    session.mailbox("INBOX").unwrap().append(message("one"), AppendOptions::default()).await.unwrap();
    let rule = |keep| KeepRule { keep, days: None, largest: None };
    let keep = Some(rule(Keep::Headers));
    let options = MailOptions { account: Some(account(server.address())), keep, ..MailOptions::default() };
    let mirror = Mail::open(&folder.path().join("mirror.mail"), options).await.unwrap();
    let following = tokio::spawn({
        let mirror = mirror.clone();
        async move { mirror.keep_in_sync(FollowOptions::default()).await }
    });
    let mut changes = mirror.store().changes();
    let mut once = async |is_right: fn(&mailtide::store::MessageRow) -> bool| {
        let found = move |reader: &dyn mailtide::store::Reader| reader.message(mailtide::store::MessageId(1));
        while !mirror.store().read(found).await.unwrap().is_some_and(|row| is_right(&row)) {
            tokio::time::timeout(std::time::Duration::from_secs(30), changes.changed()).await.unwrap().unwrap();
        }
    };
    once(|row| row.body.is_none()).await;
    mirror.set_keep(None, Some(rule(Keep::All))).await.unwrap();
    once(|row| row.body.is_some()).await;
    mirror.close().await.unwrap();
    following.await.unwrap().unwrap();
    server.close().await;
}

/// What two mirrors do to one server that goes down and comes back, as in the demo.
#[tokio::test]
async fn what_one_mirror_has_moved_leaves_the_other_with_its_first_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.mail");
    let server = serve(&file, None).await;
    let address = server.address();
    let session = connect(account(address)).await;
    for n in 0..12 {
        session.mailbox("INBOX").unwrap().append(message(&format!("m{n}")), AppendOptions::default()).await.unwrap();
    }
    session.close().await.unwrap();
    let open = async |name: &str| {
        let options = MailOptions { account: Some(account(address)), ..MailOptions::default() };
        Mail::open(folder.path().join(name), options).await.unwrap()
    };
    let (first, second) = (open("first.mail").await, open("second.mail").await);
    first.sync(SyncOptions::default()).await.unwrap();
    let inbox = first.mailbox("INBOX").unwrap();
    inbox.flag(2, seen(), WriteOptions::default()).await.unwrap();
    inbox.move_to(1, "Archive", WriteOptions::default()).await.unwrap();
    first.sync(SyncOptions::default()).await.unwrap();
    second.sync(SyncOptions::default()).await.unwrap();
    server.close().await;

    let inbox = second.mailbox("INBOX").unwrap();
    inbox.flag(3, seen(), WriteOptions::default()).await.unwrap();
    inbox.move_to(5, "Archive", WriteOptions::default()).await.unwrap();
    let server = serve(&file, Some(address)).await;
    second.sync(SyncOptions::default()).await.unwrap();
    let session = connect(account(address)).await;
    session.mailbox("INBOX").unwrap().append(message("news"), AppendOptions::default()).await.unwrap();
    first.sync(SyncOptions::default()).await.unwrap();
    second.sync(SyncOptions::default()).await.unwrap();
    for mailbox in ["INBOX", "Archive"] {
        let there = all_of(&session, mailbox).await;
        for mirror in [&first, &second] {
            let here = mirror.mailbox(mailbox).unwrap().fetch(Selection::All, FetchOptions::default());
            assert_eq!(subjects(here).await, there, "{mailbox}");
        }
    }
    first.close().await.unwrap();
    second.close().await.unwrap();
    server.close().await;
}
