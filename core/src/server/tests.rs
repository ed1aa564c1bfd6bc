//! Whole conversations with the server, over streams in memory and over sockets.

use super::connection::{Guest, Shared};
use super::listen::attend;
use super::manage::begin;
use super::session::Offer;
use super::{Server, ServerOptions, ServerTls, access::Access, tls::Tls};
use crate::error::Code;
use crate::imap::InternalDate;
use crate::store::{BodySource, Flags, MailboxId, arrive, describe};
use crate::store::{Durability, Handle, MailboxState, NewMailbox, Now, RemoteMailbox, SqliteOptions, SqliteStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

mod access;
mod bounds;
mod large;
mod parts;

const MESSAGE: &str = "Subject: one\r\nFrom: ada@example.org\r\n\r\nfirst\r\n";
const NOW: Now = Now::from_seconds(1_700_000_000);

/// A store with a user, and what its server shares.
struct World {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.mail"), SqliteOptions::default()).unwrap();
        let handle = Handle::new(Arc::new(store)).unwrap();
        handle.write(Durability::Bulk, begin).await.unwrap();
        let access = Access::new(handle).unwrap();
        access.users().set("ada", "secret".into()).await.unwrap();
        let mut options = ServerOptions { append_limit: 300_000, ..ServerOptions::default() };
        set(&mut options);
        Self {
            folder,
            shared: Arc::new(Shared { access, bodies: None, options, arrived: Arc::default(), lately: Arc::default() }),
        }
    }

    /// As at a gateway.
    fn with_bodies(mut self, bodies: Arc<dyn BodySource>) -> Self {
        Arc::get_mut(&mut self.shared).unwrap().bodies = Some(bodies);
        self
    }

    fn store(&self) -> &Handle {
        self.shared.access.store()
    }

    fn connect(&self) -> Client {
        Client::new(self.line(None))
    }

    /// The client's end of a connection.
    fn line(&self, tls: Option<Tls>) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let guest = Guest::new([127, 0, 0, 1].into(), None, &self.shared.options);
        tokio::spawn(attend(theirs, tls, guest, Arc::clone(&self.shared)));
        ours
    }

    async fn client(&self) -> Client {
        let mut client = self.connect();
        client.until("ready\r\n").await;
        client.ok("LOGIN ada secret").await;
        client
    }
}

struct Client<S = DuplexStream> {
    stream: S,
    read: String,
    tags: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    fn new(stream: S) -> Self {
        Self { stream, read: String::new(), tags: 0 }
    }

    /// Reads until that has come; all up to there.
    async fn until(&mut self, end: &str) -> String {
        let read = async {
            loop {
                if let Some(at) = self.read.find(end) {
                    let rest = self.read.split_off(at + end.len());
                    return std::mem::replace(&mut self.read, rest);
                }
                let mut buffer = vec![0; 1 << 16];
                let count = self.stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the connection ended after {:?}", self.read);
                self.read.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        };
        tokio::time::timeout(Duration::from_secs(60), read).await.unwrap()
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The whole answer to a command, the tag shown as `t`.
    async fn run(&mut self, command: &str) -> String {
        self.tags += 1;
        let tag = format!("tag{}", self.tags);
        self.send(&format!("{tag} {command}\r\n")).await;
        let before = self.until(&format!("{tag} ")).await;
        let last = self.until("\r\n").await;
        format!("{}t {last}", before.strip_suffix(&format!("{tag} ")).unwrap())
    }

    async fn ok(&mut self, command: &str) -> String {
        let answer = self.run(command).await;
        assert!(answer.contains("t OK"), "{command}: {answer}");
        answer
    }

    async fn append(&mut self, mailbox: &str, message: &str) -> String {
        self.ok(&format!("APPEND {mailbox} {{{}+}}\r\n{message}", message.len())).await
    }

    /// What comes until the server hangs up.
    async fn rest(mut self) -> String {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(60), self.stream.read_to_end(&mut rest)).await.unwrap().unwrap();
        self.read + &String::from_utf8_lossy(&rest)
    }
}

#[tokio::test]
async fn nobody_reads_without_a_password() {
    let world = World::new().await;
    let mut client = world.connect();
    client.until("\r\n").await;
    for command in ["SELECT INBOX", "LIST \"\" *", "IDLE", "ENABLE QRESYNC", "APPEND INBOX {1+}\r\nx"] {
        assert!(client.run(command).await.contains("t BAD"), "{command}");
    }
    for wrong in ["LOGIN ada wrong", "LOGIN eve secret"] {
        assert_eq!(client.run(wrong).await, "t NO [AUTHENTICATIONFAILED] The user name or password is wrong\r\n");
    }
    client.send("x LOGIN ada \"\"\r\n").await;
    assert!(client.rest().await.ends_with("* BYE Too many refused logins\r\n"));
}

#[tokio::test]
async fn plain_is_taken_with_and_without_an_initial_response() {
    let world = World::new().await;
    let mut client = world.connect();
    client.ok("AUTHENTICATE PLAIN AGFkYQBzZWNyZXQ=").await;
    let mut client = world.connect();
    client.send("a AUTHENTICATE PLAIN\r\n").await;
    client.until("+ \r\n").await;
    client.send("AGFkYQBzZWNyZXQ=\r\n").await;
    client.until("a OK [CAPABILITY IMAP4rev1").await;
    let mut client = world.connect();
    client.send("a AUTHENTICATE PLAIN\r\n").await;
    client.until("+ \r\n").await;
    client.send("*\r\n").await;
    client.until("a BAD").await;
    assert!(client.run("AUTHENTICATE GSSAPI").await.contains("t NO [CANNOT]"));
}

#[tokio::test]
async fn a_client_that_never_logs_in_is_sent_away() {
    let mut world = World::new().await;
    Arc::get_mut(&mut world.shared).unwrap().options.login = Duration::from_millis(200);
    let mut client = world.connect();
    client.until("ready\r\n").await;
    client.send("a NO").await;
    client.rest().await;
}

#[tokio::test]
async fn before_login_nothing_large_is_taken() {
    let world = World::new().await;
    let mut client = world.connect();
    client.until("ready\r\n").await;
    client.send("a LOGIN {5000}\r\n").await;
    client.until("a NO [TOOBIG]").await;
    client.send(&format!("a LOGIN {} x\r\n", "a".repeat(20_000))).await;
    assert!(client.rest().await.contains("* BYE [TOOBIG]"));
    let mut client = world.connect();
    client.send("a LOGIN {70000+}\r\n").await;
    assert!(client.rest().await.contains("* BYE [TOOBIG]"));
}

#[tokio::test]
async fn a_message_that_was_added_is_described_and_read() {
    let world = World::new().await;
    let mut client = world.client().await;
    assert!(client.append("INBOX", MESSAGE).await.contains("[APPENDUID"));
    client.ok("SELECT INBOX").await;
    let answer = client.ok("FETCH 1 (UID RFC822.SIZE ENVELOPE BODYSTRUCTURE EMAILID PREVIEW)").await;
    let from = "((NIL NIL \"ada\" \"example.org\"))";
    assert_eq!(
        answer.lines().next().unwrap(),
        format!(
            "* 1 FETCH (UID 1 RFC822.SIZE {} ENVELOPE (NIL \"one\" {from} {from} {from} NIL NIL NIL NIL NIL) \
             BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1 NIL NIL NIL NIL) \
             EMAILID (M1) PREVIEW \"first\")",
            MESSAGE.len()
        )
    );
    let answer = client.ok("UID FETCH 1 (BODY.PEEK[] BINARY.SIZE[1])").await;
    assert!(answer.contains(&format!("(UID 1 BODY[] {{{}}}\r\n{MESSAGE} BINARY.SIZE[1] 7)", MESSAGE.len())));
    assert!(client.ok("FETCH 1 RFC822.TEXT").await.contains("RFC822.TEXT {7}\r\nfirst\r\n FLAGS (\\Seen))"));
}

#[tokio::test]
async fn large_messages_come_in_and_go_out_in_pieces() {
    let world = World::new().await;
    let mut client = world.client().await;
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(15_000));
    client.append("INBOX", &large).await;
    let two = format!("APPEND INBOX {{{0}+}}\r\n{large} (\\Seen) {{{0}+}}\r\n{large}", large.len());
    assert!(client.ok(&two).await.contains(" 2:3]"));
    client.ok("SELECT INBOX").await;
    let answer = client.ok("FETCH 1:3 BODY.PEEK[]").await;
    assert_eq!(answer.matches(&large).count(), 3);
    assert!(client.ok("FETCH 2 BODY.PEEK[]<270000.100>").await.contains("BODY[]<270000> {18}\r\n"));
    client.send("big APPEND INBOX {300001}\r\n").await;
    client.until("big NO [TOOBIG]").await;
    client.ok("NOOP").await;
    client.send("big APPEND INBOX {300001+}\r\n").await;
    assert!(client.rest().await.contains("* BYE [TOOBIG]"));
}

#[tokio::test]
async fn commands_may_follow_each_other_without_waiting() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.append("INBOX", MESSAGE).await;
    client.send("a SELECT INBOX\r\nb FETCH 1 FLAGS\r\nc STORE 1 +FLAGS (\\Seen)\r\nd NOOP\r\n").await;
    let answer = client.until("d OK").await;
    let places: Vec<_> = ["a OK", "* 1 FETCH (FLAGS ())", "b OK", "* 1 FETCH (FLAGS (\\Seen))", "c OK"]
        .iter()
        .map(|part| answer.find(part).unwrap())
        .collect();
    assert!(places.is_sorted(), "{answer}");
}

#[tokio::test]
async fn keywords_are_named_before_they_are_used() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.append("INBOX", MESSAGE).await;
    client.ok("SELECT INBOX").await;
    let answer = client.ok("STORE 1 +FLAGS ($Invoice)").await;
    assert!(answer.starts_with("* FLAGS (\\Answered") && answer.contains("$Invoice)\r\n* OK [PERMANENTFLAGS"));
    assert!(!client.ok("STORE 1 +FLAGS ($invoice)").await.contains("PERMANENTFLAGS"));
}

#[tokio::test]
async fn imap4rev2_speaks_utf8_and_esearch() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ok("CREATE Entw&APw-rfe").await;
    assert!(client.ok("LIST \"\" E*").await.contains("\"/\" Entw&APw-rfe\r\n"));
    assert_eq!(client.ok("ENABLE IMAP4rev2").await, "* ENABLED IMAP4REV2\r\nt OK Enabled\r\n");
    assert!(client.ok("LIST \"\" E*").await.contains("\"/\" \"Entwürfe\"\r\n"));
    client.append("\"Entwürfe\"", MESSAGE).await;
    let answer = client.ok("SELECT \"Entwürfe\"").await;
    assert!(answer.contains("* LIST () \"/\" \"Entwürfe\"\r\n") && !answer.contains("RECENT"), "{answer}");
    assert!(client.ok("SEARCH ALL").await.contains("* ESEARCH (TAG \"tag8\") ALL 1\r\n"));
}

#[tokio::test]
async fn select_tells_the_delimiter_that_list_tells() {
    let world = World::new().await;
    let dots = |writer: &mut dyn crate::store::Writer| {
        writer.mailboxes()?.into_iter().try_for_each(|mut row| {
            row.delimiter = Some('.');
            writer.update_mailbox(&row)
        })
    };
    world.store().write(Durability::Full, dots).await.unwrap();
    let mut client = world.client().await;
    client.ok("ENABLE IMAP4rev2").await;
    let listed = client.ok("LIST \"\" INBOX").await;
    assert!(listed.contains(" \".\" INBOX\r\n"), "{listed}");
    let answer = client.ok("SELECT INBOX").await;
    assert!(answer.contains("* LIST () \".\" INBOX\r\n"), "{answer}");
}

#[tokio::test]
async fn threads_and_orders_follow_the_messages() {
    let world = World::new().await;
    let mut client = world.client().await;
    let message = |id: &str, subject: &str, rest: &str| {
        format!("Message-ID: <{id}@x>\r\nSubject: {subject}\r\nFrom: {id}@x\r\n{rest}\r\ntext\r\n")
    };
    client.append("INBOX", &message("b", "tea", "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n")).await;
    client.append("INBOX", &message("a", "milk", "Date: Mon, 1 Jan 2024 09:00:00 +0000\r\n")).await;
    let reply = "Date: Mon, 1 Jan 2024 11:00:00 +0000\r\nReferences: <b@x>\r\n";
    client.append("INBOX", &message("c", "Re: tea", reply)).await;
    client.ok("SELECT INBOX").await;
    assert!(client.ok("SORT (SUBJECT REVERSE DATE) UTF-8 ALL").await.starts_with("* SORT 2 3 1\r\n"));
    assert!(client.ok("UID SORT (FROM) UTF-8 1:2").await.starts_with("* SORT 2 1\r\n"));
    let answer = client.ok("SORT RETURN (MIN ALL COUNT) (FROM) UTF-8 ALL").await;
    assert!(answer.contains("ALL 2,1,3 COUNT 3 MIN 2\r\n"), "{answer}");
    assert!(client.ok("THREAD REFERENCES UTF-8 ALL").await.starts_with("* THREAD (2)(1 3)\r\n"));
    assert!(client.ok("THREAD ORDEREDSUBJECT UTF-8 ALL").await.starts_with("* THREAD (2)(1 3)\r\n"));
    assert!(client.ok("THREAD REFERENCES UTF-8 SUBJECT none").await.starts_with("* THREAD\r\n"));
}

/// A mailbox of an account, of which three UIDs are known and nothing else.
async fn far(world: &World) -> MailboxId {
    let remote = RemoteMailbox { name: b"Far".to_vec(), uid_validity: 7, ..RemoteMailbox::default() };
    let mailbox = NewMailbox {
        name: "Far".to_owned(),
        delimiter: Some('/'),
        role: None,
        attributes: Vec::new(),
        uid_validity: 1,
        state: MailboxState::Fresh,
        remote: Some(remote),
    };
    let write = move |writer: &mut dyn crate::store::Writer| {
        let id = writer.insert_mailbox(&mailbox)?;
        arrive::reserve(writer, id, &"10:12".parse()?, NOW)?;
        Ok(id)
    };
    world.store().write(Durability::Full, write).await.unwrap()
}

/// The headers of these have come.
async fn ready(world: &World, mailbox: MailboxId, uids: &[u32]) {
    let arrived = |uid: &u32| {
        let date = InternalDate { seconds: 0, offset: 0 };
        let new = describe(&MESSAGE.into(), date);
        let (headers, flags) = (new.headers, Flags::new());
        let (uid, size, save_date, same_as) = (*uid, new.size, None, None);
        arrive::Arrived { uid, flags, size, internal_date: date, headers, email_id: None, save_date, same_as }
    };
    let rows: Vec<_> = uids.iter().map(arrived).collect();
    let write = move |writer: &mut dyn crate::store::Writer| {
        arrive::headers(writer, mailbox, &rows, NOW)?;
        let mut row = writer.mailbox(mailbox)?.unwrap();
        row.state = MailboxState::Ready;
        writer.update_mailbox(&row)
    };
    world.store().write(Durability::Full, write).await.unwrap();
}

#[tokio::test]
async fn a_mailbox_still_on_its_way_is_refused_and_a_body_not_held_is_never_empty() {
    let world = World::new().await;
    let id = far(&world).await;
    let mut client = world.client().await;
    assert!(client.run("SELECT Far").await.contains("t NO [UNAVAILABLE]"));

    // Headers of the first and the last are here, and the pass is over for now.
    ready(&world, id, &[10, 12]).await;
    let answer = client.ok("SELECT Far").await;
    assert!(answer.contains("* 1 EXISTS") && answer.contains("[UIDNEXT 2]"), "{answer}");
    ready(&world, id, &[11]).await;
    assert!(client.ok("NOOP").await.contains("* 3 EXISTS"));

    assert_eq!(
        client.run("FETCH 1:2 BODY.PEEK[]").await,
        "t NO [UNAVAILABLE] The body of some messages is not held here for now\r\n"
    );
    assert!(client.ok("FETCH 3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").await.contains("Subject: one"));
    assert!(client.run("SEARCH BODY first").await.contains("t NO [UNAVAILABLE]"));
    assert!(client.ok("SEARCH SUBJECT none BODY first").await.starts_with("* SEARCH\r\n"));
    client.ok("STORE 1 +FLAGS (\\Flagged)").await;
    let pending = world.store().read(|reader| reader.pending()).await.unwrap();
    assert_eq!(pending.len(), 1, "what a client changes stands in the journal");
}

#[tokio::test]
async fn beyond_this_machine_tls_and_a_password_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.mail");
    let mut options = ServerOptions { address: "0.0.0.0:0".parse().unwrap(), ..ServerOptions::default() };
    options.tls = Some(ServerTls::SelfSigned { folder: folder.path().to_owned(), name: "mail.example.org".to_owned() });
    let refused = Server::open(&file, options.clone()).await.err().unwrap();
    assert_eq!(refused.code(), Code::UsageArgument);
    options.tls = None;
    options.user = Some(("ada".to_owned(), "secret".into()));
    assert_eq!(Server::open(&file, options).await.err().unwrap().code(), Code::UsageArgument);
}

#[tokio::test]
async fn a_server_with_its_own_certificate_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let tls = ServerTls::SelfSigned { folder: folder.path().to_owned(), name: "localhost".to_owned() };
    let options =
        ServerOptions { user: Some(("ada".to_owned(), "secret".into())), tls: Some(tls), ..ServerOptions::default() };
    let server = Server::open(&folder.path().join("a.mail"), options).await.unwrap();
    let tcp = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let mut stream = access::trust(folder.path()).connect(name, tcp).await.unwrap();
    let mut greeting = vec![0; 5];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting, b"* OK ");
    server.close().await;
    // The key is nobody else's to read.
    #[cfg(unix)]
    {
        let key = std::fs::metadata(folder.path().join("mailtide-server.key")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    }
}

#[tokio::test]
async fn only_so_many_of_one_peer_may_wait_to_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { before_login: 2, ..ServerOptions::default() };
    let server = Server::open(&folder.path().join("a.mail"), options).await.unwrap();
    let mut streams = Vec::new();
    let mut greetings = Vec::new();
    for _ in 0..3 {
        let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let mut greeting = vec![0; 6];
        stream.read_exact(&mut greeting).await.unwrap();
        greetings.push(String::from_utf8(greeting).unwrap());
        streams.push(stream);
    }
    assert_eq!(greetings, ["* OK [", "* OK [", "* BYE "]);
}

/// Every capability, and where it is proved: a scripted group that Dovecot passes as well, or a test of this file.
const PROOFS: &[(&str, &str)] = &[
    ("IMAP4rev1", "fetch.imap"),
    ("IMAP4rev2", "rev2.imap"),
    ("LITERAL+", "literal.imap"),
    ("SASL-IR", "sasl-ir.imap"),
    ("AUTH=PLAIN", "login.imap"),
    ("AUTH=SCRAM-SHA-256", "our_own_client_reads_and_changes_everything"),
    ("AUTH=SCRAM-SHA-256-PLUS", "our_own_client_logs_in_over_tls_in_every_way"),
    ("AUTH=OAUTHBEARER", "our_own_client_logs_in_over_tls_in_every_way"),
    ("AUTH=XOAUTH2", "our_own_client_logs_in_over_tls_in_every_way"),
    ("STARTTLS", "nobody_logs_in_before_starttls_and_everything_begins_anew_after_it"),
    ("LOGINDISABLED", "nobody_logs_in_before_starttls_and_everything_begins_anew_after_it"),
    ("ENABLE", "qresync.imap"),
    ("ID", "states.imap"),
    ("IDLE", "idle.imap"),
    ("NAMESPACE", "states.imap"),
    ("UNSELECT", "states.imap"),
    ("UIDPLUS", "copy.imap"),
    ("MOVE", "copy.imap"),
    ("CHILDREN", "list.imap"),
    ("LIST-EXTENDED", "list.imap"),
    ("LIST-STATUS", "list.imap"),
    ("SPECIAL-USE", "list.imap"),
    ("CREATE-SPECIAL-USE", "special-use.imap"),
    ("STATUS=SIZE", "list.imap"),
    ("CONDSTORE", "condstore.imap"),
    ("QRESYNC", "qresync.imap"),
    ("ESEARCH", "search.imap"),
    ("SEARCHRES", "search.imap"),
    ("WITHIN", "within.imap"),
    ("SORT", "sort.imap"),
    ("ESORT", "sort.imap"),
    ("THREAD=ORDEREDSUBJECT", "orderedsubject.imap"),
    ("THREAD=REFERENCES", "thread.imap"),
    ("OBJECTID", "objectid.imap"),
    ("SAVEDATE", "savedate.imap"),
    ("PREVIEW", "preview.imap"),
    ("BINARY", "binary.imap"),
    ("MULTIAPPEND", "multiappend.imap"),
    ("UTF8=ACCEPT", "utf8.imap"),
    ("APPENDLIMIT=300000", "large_messages_come_in_and_go_out_in_pieces"),
];

#[tokio::test]
async fn nothing_is_offered_that_no_test_proves() {
    let world = World::new().await;
    let mut client = world.connect();
    let greeting = client.until("]").await;
    client.ok("LOGIN ada secret").await;
    let answer = client.ok("CAPABILITY").await;
    let everything =
        [Offer { starttls: true, ..Offer::default() }, Offer { starttls: false, binding: true, tokens: true }];
    let [before, over_tls] = everything.map(Offer::capabilities);
    let offered = [&greeting, &before, &over_tls, answer.lines().next().unwrap()].join(" ");
    let is_word = |word: &&str| !["*", "OK", "[CAPABILITY", "CAPABILITY"].contains(word);
    for word in offered.trim_end_matches(']').split([' ', ']']).filter(|word| !word.is_empty()).filter(is_word) {
        assert!(PROOFS.iter().any(|(known, _)| known == &word), "{word} is offered and not proved");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let outside = std::fs::read_to_string(root.join("tests/server.rs")).unwrap();
    let tests =
        [include_str!("tests.rs"), include_str!("tests/access.rs"), include_str!("tests/large.rs"), &outside].concat();
    for (word, proof) in PROOFS {
        assert!(offered.contains(word), "{word} is proved and not offered");
        let script = root.join("../tests/simulation/scripts").join(proof);
        let is_there = if proof.ends_with(".imap") { script.exists() } else { tests.contains(&format!("fn {proof}(")) };
        assert!(is_there, "{proof} is no test");
    }
}

#[tokio::test]
async fn a_uid_that_a_client_knows_from_another_connection_is_found() {
    let world = World::new().await;
    let (mut one, mut other) = (world.client().await, world.client().await);
    one.ok("SELECT INBOX").await;
    other.ok("SELECT INBOX").await;
    other.ok(&format!("APPEND INBOX {{{}+}}\r\n{MESSAGE}", MESSAGE.len())).await;
    let answer = one.ok("UID MOVE 1 Archive").await;
    assert!(answer.contains("* 1 EXISTS") && answer.contains("COPYUID"), "{answer}");
}
