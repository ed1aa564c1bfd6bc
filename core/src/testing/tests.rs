//! What a client sees of a server that does wrong what it is told to.

use super::*;
use crate::error::Code;
use crate::imap::quirk::RULES;
use crate::message::Draft;
use bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MESSAGE: &str = "Subject: one\r\nFrom: ada@example.org\r\n\r\nfirst line\r\n";

/// A client that knows no IMAP beyond tags.
struct Client {
    stream: TcpStream,
    tags: u32,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        Self { stream: TcpStream::connect(server.address()).await.unwrap(), tags: 0 }
    }

    async fn log_in(server: &Server) -> Self {
        let mut client = Self::connect(server).await;
        client.until("\r\n").await;
        client.run("LOGIN ada secret").await;
        client
    }

    /// All up to that, or to the end of the connection.
    async fn until(&mut self, end: &str) -> String {
        let read = async {
            let mut text = Vec::new();
            while !text.ends_with(end.as_bytes()) {
                match self.stream.read_u8().await {
                    Ok(byte) => text.push(byte),
                    Err(_) => return String::from_utf8_lossy(&text).into_owned() + "<end>",
                }
            }
            String::from_utf8_lossy(&text).into_owned()
        };
        tokio::time::timeout(Duration::from_secs(60), read).await.unwrap()
    }

    /// The answer to a command, its tag shown as `t`; `<end>` where the connection ends.
    async fn run(&mut self, command: &str) -> String {
        self.tags += 1;
        let tag = format!("x{}", self.tags);
        self.stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        loop {
            let line = self.until("\r\n").await;
            answer += &line;
            if line.starts_with(&format!("{tag} ")) || line.ends_with("<end>") {
                return answer.replace(&format!("{tag} "), "t ");
            }
        }
    }
}

async fn start(change: impl FnOnce(&mut TestOptions)) -> Server {
    let mut options = TestOptions::default();
    options.mail.push(("INBOX".to_owned(), vec![MESSAGE.into()]));
    change(&mut options);
    Server::start(options).await.unwrap()
}

async fn quirky(rule: &str) -> Server {
    start(|options| options.quirks.push(rule.to_owned())).await
}

#[tokio::test]
async fn mail_comes_in_and_both_sides_see_it() {
    let server = start(|options| options.mail.push(("Archive/2025".to_owned(), vec![MESSAGE.into()]))).await;
    let mut client = Client::log_in(&server).await;
    assert!(client.run("LIST \"\" *").await.contains("Archive/2025"));
    assert!(client.run("SELECT INBOX").await.contains("* 1 EXISTS"));
    let draft = Draft::new().subject("moth").text("relay 70");
    assert_eq!(server.deliver("INBOX", draft, &[Flag::FLAGGED]).await.unwrap(), 2);
    assert!(client.run("NOOP").await.contains("* 2 EXISTS"));
    assert!(client.run("UID STORE 1 +FLAGS (\\Seen)").await.contains("t OK"));
    let messages = server.messages("INBOX").await.unwrap();
    assert_eq!(messages[1].subject().as_deref(), Some("moth"));
    assert_eq!((messages[0].flags(), messages[1].flags()), (&[Flag::SEEN][..], &[Flag::FLAGGED][..]));
    assert_eq!(server.messages("Nowhere").await.unwrap_err().code(), Code::MailboxMissing);
    assert_eq!(server.deliver("INBOX", "", &[]).await.unwrap_err().code(), Code::UsageArgument);
    let commands = server.commands();
    assert_eq!(commands[..2], ["LOGIN …", "LIST \"\" *"]);
    assert_eq!(commands.last().unwrap(), "UID STORE 1 +FLAGS (\\Seen)");
}

#[tokio::test]
async fn its_folder_goes_with_it() {
    let server = start(|_| {}).await;
    let folder = server.folder.path().to_owned();
    assert!(folder.exists());
    server.close().await.unwrap();
    server.close().await.unwrap();
    assert!(!folder.exists());
    assert!(TcpStream::connect(server.address()).await.is_err());
}

#[tokio::test]
async fn what_is_taken_away_is_neither_announced_nor_done() {
    let gone = ["move", "UIDPLUS", "CONDSTORE", "SPECIAL-USE", "CHILDREN", "ESEARCH", "LITERAL+", "THREAD"];
    let server = start(|options| options.without = gone.map(str::to_owned).to_vec()).await;
    let mut client = Client::connect(&server).await;
    let greeting = client.until("\r\n").await;
    assert!(greeting.contains("IMAP4rev1 SASL-IR") && !greeting.contains("rev2"), "{greeting}");
    let login = client.run("LOGIN ada secret").await;
    let words = client.run("CAPABILITY").await;
    for name in [" MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC", "SPECIAL-USE", "CHILDREN", "ESEARCH", "THREAD", "rev2"] {
        assert!(!words.contains(name) && !login.contains(name), "{name}: {words}");
    }
    assert!(!client.run("LIST \"\" *").await.contains("\\Sent"));
    let selected = client.run("SELECT INBOX").await;
    assert!(selected.contains("EXISTS") && !selected.contains("HIGHESTMODSEQ"), "{selected}");
    for refused in [
        "UID MOVE 1 Archive",
        "UID EXPUNGE 1",
        "FETCH 1 (MODSEQ)",
        "UID SEARCH RETURN (COUNT) ALL",
        "UID SEARCH MODSEQ 5",
        "THREAD REFERENCES UTF-8 ALL",
        "SELECT Archive (CONDSTORE)",
        "STATUS Archive (HIGHESTMODSEQ)",
        "SEARCH SUBJECT {3+}\r\none",
    ] {
        assert!(client.run(refused).await.contains("t BAD This server has no "), "{refused}");
    }
    assert!(client.run("ENABLE CONDSTORE UTF8=ACCEPT").await.contains("* ENABLED UTF8=ACCEPT\r\n"));
    assert_eq!(client.run("UID COPY 1 Archive").await, "t OK Copied\r\n");
    assert_eq!(client.run("UID SEARCH SUBJECT one").await, "* SEARCH 1\r\nt OK That is what was found\r\n");
    let unknown = TestOptions { without: vec!["COMPRESS".to_owned()], ..TestOptions::default() };
    assert_eq!(Server::start(unknown).await.err().unwrap().code(), Code::UsageArgument);
}

#[tokio::test]
async fn faults_strike_the_command_they_are_meant_for() {
    let server = start(|_| {}).await;
    let mut client = Client::log_in(&server).await;
    client.run("SELECT INBOX").await;
    let no = FaultKind::No("[OVERQUOTA] Full\r\nup".to_owned());
    server.fault(Fault { nth: 2, ..Fault::at("uid noop", no) }).unwrap();
    server.fault(Fault { command: None, ..Fault::at("", FaultKind::Bad("What?".to_owned())) }).unwrap();
    assert_eq!(client.run("NOOP").await, "t BAD What?\r\n");
    assert_eq!(client.run("NOOP").await, "t NO [OVERQUOTA] Full??up\r\n");
    assert!(client.run("NOOP").await.starts_with("t OK"));

    server.fault(Fault { after: Some(3), ..Fault::at("FETCH", FaultKind::Garbage("\0?".into())) }).unwrap();
    let answer = client.run("FETCH 1 (UID)").await;
    assert_eq!(answer, "* 1\0? FETCH (UID 1)\r\nt OK That is all\r\n");
    server.fault(Fault::at("FETCH", FaultKind::Delay(Duration::from_millis(1)))).unwrap();
    assert!(client.run("FETCH 1 (UID)").await.contains("t OK"));

    // Done, though nobody hears of it.
    server.fault(Fault { after: Some(1000), ..Fault::at("STORE", FaultKind::Cut) }).unwrap();
    client.run("STORE 1 +FLAGS (\\Flagged)").await;
    assert!(client.until("\n").await.ends_with("<end>"));
    let mut client = Client::log_in(&server).await;
    server.fault(Fault { after: Some(10), ..Fault::at("SELECT", FaultKind::Cut) }).unwrap();
    assert_eq!(client.run("SELECT INBOX").await.trim_end_matches("<end>").len(), 10);
    let mut client = Client::log_in(&server).await;
    client.run("SELECT INBOX").await;
    server.fault(Fault::at("STORE", FaultKind::Cut)).unwrap();
    assert_eq!(client.run("STORE 1 +FLAGS (\\Answered)").await, "<end>");
    assert_eq!(server.messages("INBOX").await.unwrap()[0].flags(), [Flag::FLAGGED]);

    server.fault(Fault::at("GREETING", FaultKind::No("Too busy".to_owned()))).unwrap();
    assert_eq!(Client::connect(&server).await.until("<end>").await, "* BYE Too busy\r\n<end>");
    for wrong in [
        Fault { nth: 0, ..Fault::at("FETCH", FaultKind::Cut) },
        Fault { after: Some(1), ..Fault::at("FETCH", FaultKind::No(String::new())) },
        Fault::at("FETCH 1", FaultKind::Cut),
    ] {
        assert_eq!(server.fault(wrong).unwrap_err().code(), Code::UsageArgument);
    }
}

#[tokio::test]
async fn it_has_the_quirks_of_servers_that_are_known() {
    let server = quirky("NetEase and Coremail").await;
    let mut client = Client::log_in(&server).await;
    assert_eq!(client.run("SELECT INBOX").await, "t NO SELECT Unsafe Login\r\n");
    client.run("ID NIL").await;
    assert!(client.run("SELECT INBOX").await.contains("t OK"));

    let server = quirky("Tencent Exmail and QQ").await;
    let mut client = Client::log_in(&server).await;
    client.run("SELECT INBOX").await;
    let part = client.run("FETCH 1 (BODY.PEEK[TEXT]<2.3>)").await;
    assert!(part.contains("BODY[TEXT]<0> {12}\r\nfirst line\r\n"), "{part}");

    let server = quirky("Strato RZimapd").await;
    let mut client = Client::log_in(&server).await;
    client.run("ENABLE IMAP4rev2").await;
    client.run("SELECT INBOX").await;
    assert_eq!(client.run("UID SEARCH ALL").await, "* ESEARCH (TAG \"x4\") UID\r\nt OK That is what was found\r\n");

    let server = quirky("Exchange and Office 365").await;
    let mut client = Client::log_in(&server).await;
    assert_eq!(client.run("SELECT INBOX").await, "t BAD User is authenticated but not connected.\r\n");
    assert!(Client::log_in(&server).await.run("SELECT INBOX").await.contains("t OK"));

    let server = quirky("Cyrus IMAP 3.6").await;
    let mut client = Client::log_in(&server).await;
    assert!(client.run("LIST \"\" INBOX RETURN (STATUS (MAILBOXID))").await.contains("MAILBOXID (\u{1}\n\u{7f})"));

    let server = quirky("Naver").await;
    let mut client = Client::log_in(&server).await;
    client.run("SELECT INBOX").await;
    server.deliver("INBOX", MESSAGE, &[]).await.unwrap();
    assert_eq!(client.run("NOOP").await, "t OK Done\r\n");
    assert!(client.run("STATUS INBOX (MESSAGES)").await.contains("MESSAGES 2"));
}

#[tokio::test]
async fn it_resyncs_as_badly_as_those_who_cannot() {
    for (rule, enabled, gone) in [
        ("Apache James", true, Some("* VANISHED (EARLIER) 1:2\r\n")),
        ("iCloud", false, Some("* VANISHED EARLIER 2\r\n")),
        ("Amazon WorkMail", true, None),
    ] {
        let server = quirky(rule).await;
        let mut other = Client::log_in(&server).await;
        other.run("SELECT INBOX").await;
        server.deliver("INBOX", MESSAGE, &[]).await.unwrap();
        other.run("NOOP").await;
        other.run("UID STORE 2 +FLAGS (\\Deleted)").await;
        other.run("UID EXPUNGE 2").await;
        let mut client = Client::log_in(&server).await;
        assert_eq!(client.run("ENABLE QRESYNC").await.contains("* ENABLED QRESYNC"), enabled, "{rule}");
        let selected = client.run("EXAMINE INBOX").await;
        let validity = selected.split("UIDVALIDITY ").nth(1).unwrap().split(']').next().unwrap();
        let again = client.run(&format!("EXAMINE INBOX (QRESYNC ({validity} 1))")).await;
        match gone {
            Some(gone) => assert!(again.contains(gone), "{rule}: {again}"),
            None => assert!(!again.contains("VANISHED"), "{rule}: {again}"),
        }
    }
}

#[tokio::test]
async fn every_quirk_that_is_known_can_be_switched_on_together() {
    let quirks = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let server = Server::start(TestOptions { quirks, ..TestOptions::default() }).await.unwrap();
    assert!(Client::connect(&server).await.until("\r\n").await.contains("Coremail"));
    let raw = Bytes::from_static(b"Subject: x\r\n\r\n");
    assert_eq!(server.deliver("Elsewhere", raw, &[]).await.unwrap(), 1);
}
