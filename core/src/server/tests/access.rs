//! Who comes in, and how: STARTTLS, users and their passwords, tokens.

use super::*;
use crate::error::MailError;
use crate::secret::Secret;
use crate::server::TokenCheck;
use crate::server::options::{TlsMode, certificate_in};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A certificate of our own, and what trusts it.
struct Certificate {
    tls: Tls,
    trust: tokio_rustls::TlsConnector,
}

impl Certificate {
    fn new(mode: TlsMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = ServerTls::SelfSigned { folder: folder.path().to_owned(), name: "localhost".to_owned() };
        let tls = Tls::new(&own, mode).unwrap();
        Self { tls, trust: trust(folder.path()) }
    }

    async fn shake<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<Client<TlsStream<S>>> {
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        Ok(Client::new(self.trust.connect(name, stream).await?))
    }
}

/// Trusts the server whose certificate lies in that folder.
pub(super) fn trust(folder: &std::path::Path) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(certificate_in(folder)).unwrap();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into()
}

#[tokio::test]
async fn nobody_logs_in_before_starttls_and_everything_begins_anew_after_it() {
    let (world, certificate) = (World::new().await, Certificate::new(TlsMode::StartTls));
    let mut client = Client::new(world.line(Some(certificate.tls.clone())));
    let greeting = client.until("\r\n").await;
    assert!(greeting.contains(" STARTTLS LOGINDISABLED]") && !greeting.contains("AUTH="), "{greeting}");
    for command in ["LOGIN ada secret", "AUTHENTICATE PLAIN AGFkYQBzZWNyZXQ=", "AUTHENTICATE SCRAM-SHA-256"] {
        assert_eq!(client.run(command).await, "t NO [PRIVACYREQUIRED] First STARTTLS\r\n", "{command}");
    }
    client.ok("ID NIL").await;
    assert_eq!(client.ok("STARTTLS").await, "t OK Begin TLS\r\n");

    let mut client = certificate.shake(client.stream).await.unwrap();
    let answer = client.ok("CAPABILITY").await;
    assert!(answer.starts_with("* CAPABILITY ") && !answer.contains("STARTTLS"), "{answer}");
    assert!(answer.contains("AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN\r\n"), "{answer}");
    assert!(client.run("STARTTLS").await.contains("t BAD"));
    assert!(client.run("SELECT INBOX").await.contains("t BAD"));
    client.ok("LOGIN ada secret").await;
    client.ok("SELECT INBOX").await;
    assert!(client.run("STARTTLS").await.contains("t BAD"));
}

#[tokio::test]
async fn nothing_that_came_with_starttls_is_ever_used() {
    let (world, certificate) = (World::new().await, Certificate::new(TlsMode::StartTls));
    for more in ["b LOGIN ada secret\r\nc CREATE Stolen\r\n", "b NOOP\r\n", "b", "\r\n"] {
        let mut client = Client::new(world.line(Some(certificate.tls.clone())));
        client.until("ready\r\n").await;
        client.send(&format!("a STARTTLS\r\n{more}")).await;
        assert_eq!(client.rest().await, "a OK Begin TLS\r\n", "{more:?}");
    }
    // In the next segment it is no handshake.
    let mut client = Client::new(world.line(Some(certificate.tls.clone())));
    client.until("ready\r\n").await;
    client.ok("STARTTLS").await;
    client.send("b LOGIN ada secret\r\nc CREATE Stolen\r\n").await;
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("OK"));
    let mailboxes = world.store().read(|reader| reader.mailboxes()).await.unwrap();
    assert!(mailboxes.iter().all(|row| row.name != "Stolen"));
}

#[tokio::test]
async fn starttls_is_offered_only_where_it_is_set_up() {
    let world = World::new().await;
    let mut client = world.connect();
    assert!(!client.until("\r\n").await.contains("STARTTLS"));
    assert!(client.run("STARTTLS").await.contains("t BAD"));
    client.ok("LOGIN ada secret").await;
    let certificate = Certificate::new(TlsMode::Implicit);
    let mut client = certificate.shake(world.line(Some(certificate.tls.clone()))).await.unwrap();
    assert!(client.until("\r\n").await.contains("AUTH=SCRAM-SHA-256-PLUS"));
    assert!(client.run("STARTTLS").await.contains("t BAD"));
}

#[tokio::test]
async fn the_time_before_login_is_one_with_and_without_tls() {
    let (mut world, certificate) = (World::new().await, Certificate::new(TlsMode::StartTls));
    Arc::get_mut(&mut world.shared).unwrap().options.login = Duration::from_millis(300);
    let mut client = Client::new(world.line(Some(certificate.tls.clone())));
    client.until("ready\r\n").await;
    client.ok("STARTTLS").await;
    // It never shakes hands.
    client.rest().await;
}

#[tokio::test]
async fn somebody_who_is_not_there_is_challenged_like_anybody() {
    let world = World::new().await;
    let challenge = async |user: &str| {
        let mut client = world.connect();
        client.until("ready\r\n").await;
        let first = STANDARD.encode(format!("n,,n={user},r=x"));
        client.send(&format!("a AUTHENTICATE SCRAM-SHA-256 {first}\r\n")).await;
        let answer = client.until("\r\n").await;
        let text = STANDARD.decode(answer.trim_end().strip_prefix("+ ").unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.split(',').skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    for user in ["ada", "eve", "ada+phone", "eve+phone"] {
        let fields = challenge(user).await;
        assert_eq!(fields, challenge(user).await, "{user}");
        assert_eq!((fields[0].len(), fields[1].as_str()), ("s=".len() + 24, "i=15000"), "{user}");
    }
}

async fn reach(address: SocketAddr) -> Client<TcpStream> {
    let mut client = Client::new(TcpStream::connect(address).await.unwrap());
    client.until("ready\r\n").await;
    client
}

/// Whether a password lets somebody in.
async fn comes_in(address: SocketAddr, user: &str, password: &Secret) -> bool {
    let answer = reach(address).await.run(&format!("LOGIN \"{user}\" \"{}\"", password.reveal())).await;
    assert!(answer.contains("t OK") || answer == "t NO [AUTHENTICATIONFAILED] The user name or password is wrong\r\n");
    answer.contains("t OK")
}

async fn server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { user: Some(("ada".to_owned(), "secret".into())), ..ServerOptions::default() };
    let server = Server::open(&folder.path().join("a.mail"), options).await.unwrap();
    (folder, server)
}

#[tokio::test]
async fn users_come_and_go_while_the_server_runs() {
    let (_folder, server) = server().await;
    let at = server.address();
    server.users().set("bob", "b0b".into()).await.unwrap();
    let names: Vec<_> =
        server.users().all().await.unwrap().into_iter().map(|user| (user.name, user.disabled)).collect();
    assert_eq!(names, [("ada".to_owned(), false), ("bob".to_owned(), false)]);
    assert!(comes_in(at, "ada", &"secret".into()).await && comes_in(at, "bob", &"b0b".into()).await);
    assert!(!comes_in(at, "bob", &"secret".into()).await);

    server.users().disable("bob", true).await.unwrap();
    assert!(!comes_in(at, "bob", &"b0b".into()).await && comes_in(at, "ada", &"secret".into()).await);
    assert!(server.users().all().await.unwrap()[1].disabled);
    server.users().disable("bob", false).await.unwrap();
    assert!(comes_in(at, "bob", &"b0b".into()).await);

    server.users().remove("bob").await.unwrap();
    assert!(!comes_in(at, "bob", &"b0b".into()).await);
    for refused in [
        server.users().remove("bob").await,
        server.users().disable("bob", true).await,
        server.users().add_app_password("bob", "phone").await.map(drop),
        server.users().app_passwords("bob").await.map(drop),
        server.users().revoke_app_password("bob", "phone").await,
        server.users().set("", "x".into()).await,
        server.users().set("a\r\nb", "x".into()).await,
        server.users().set("eve", "".into()).await,
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::UsageArgument);
    }
}

#[tokio::test]
async fn an_app_password_lets_one_program_in_until_it_is_taken_back() {
    let (_folder, server) = server().await;
    let at = server.address();
    let phone = server.users().add_app_password("ada", "phone").await.unwrap();
    let laptop = server.users().add_app_password("ada", "laptop").await.unwrap();
    assert!(phone.reveal() != laptop.reveal() && phone.reveal().len() == 24);
    assert!(comes_in(at, "ada+phone", &phone).await && comes_in(at, "ada+laptop", &laptop).await);
    for (user, password) in [("ada", &phone), ("ada+phone", &laptop), ("ada+phone", &"secret".into())] {
        assert!(!comes_in(at, user, password).await, "{user}");
    }
    let labels: Vec<_> = server.users().app_passwords("ada").await.unwrap().into_iter().map(|one| one.label).collect();
    assert_eq!(labels, ["laptop", "phone"]);
    for wrong in ["", "a+b", "a\nb", "phone"] {
        assert_eq!(
            server.users().add_app_password("ada", wrong).await.unwrap_err().code(),
            Code::UsageArgument,
            "{wrong:?}"
        );
    }
    server.users().revoke_app_password("ada", "phone").await.unwrap();
    assert!(!comes_in(at, "ada+phone", &phone).await && comes_in(at, "ada+laptop", &laptop).await);
    server.users().disable("ada", true).await.unwrap();
    assert!(!comes_in(at, "ada+laptop", &laptop).await);
}

#[tokio::test]
async fn whoever_came_in_by_what_was_taken_back_is_sent_away() {
    let (_folder, server) = server().await;
    let phone = server.users().add_app_password("ada", "phone").await.unwrap();
    let mut owner = reach(server.address()).await;
    owner.ok("LOGIN ada secret").await;
    let mut program = reach(server.address()).await;
    program.ok(&format!("LOGIN ada+phone {}", phone.reveal())).await;
    program.ok("SELECT INBOX").await;
    program.send("i IDLE\r\n").await;
    program.until("+ Waiting\r\n").await;
    server.users().revoke_app_password("ada", "phone").await.unwrap();
    program.rest().await;
    owner.ok("NOOP").await;
    server.users().set("ada", "another".into()).await.unwrap();
    owner.rest().await;
}

#[tokio::test]
async fn what_another_process_takes_back_ends_connections_here_too() {
    let (folder, server) = server().await;
    let phone = server.users().add_app_password("ada", "phone").await.unwrap();
    let mut owner = reach(server.address()).await;
    owner.ok("LOGIN ada secret").await;
    let mut program = reach(server.address()).await;
    program.ok(&format!("LOGIN ada+phone {}", phone.reveal())).await;
    // Another store over the same file stands for another process.
    let elsewhere = crate::server::Users::of(crate::server::store_in(&folder.path().join("a.mail")).await.unwrap());
    elsewhere.set("bob", "b0b".into()).await.unwrap();
    program.ok("NOOP").await;
    elsewhere.revoke_app_password("ada", "phone").await.unwrap();
    program.rest().await;
    owner.ok("NOOP").await;
}

#[tokio::test]
async fn starttls_without_a_certificate_is_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { tls_mode: TlsMode::StartTls, ..ServerOptions::default() };
    let error = Server::open(&folder.path().join("a.mail"), options).await.err().unwrap();
    assert_eq!(error.code(), Code::UsageArgument);
}

/// Knows a token of ada's, and is out of order for some.
struct Issuer;

impl TokenCheck for Issuer {
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> BoxFuture<'a, crate::Result<bool>> {
        Box::pin(async move {
            match token.reveal() {
                "down" => Err(MailError::new(Code::NetTimeout, "The issuer does not answer")),
                token => Ok(user == "ada" && token == "good"),
            }
        })
    }
}

fn bearer(user: &str, token: &str) -> String {
    STANDARD.encode(format!("n,a={user},\x01host=h\x01port=143\x01auth=Bearer {token}\x01\x01"))
}

#[tokio::test]
async fn a_token_lets_in_whom_the_host_program_says() {
    let without =
        World::new().await.connect().run(&format!("AUTHENTICATE OAUTHBEARER {}", bearer("ada", "good"))).await;
    assert!(without.contains("t NO [CANNOT]"), "{without}");
    let mut world = World::new().await;
    Arc::get_mut(&mut world.shared).unwrap().options.tokens = Some(Arc::new(Issuer));
    let mut client = world.connect();
    let greeting = client.until("\r\n").await;
    assert!(greeting.contains("AUTH=SCRAM-SHA-256 AUTH=OAUTHBEARER AUTH=XOAUTH2 AUTH=PLAIN]"), "{greeting}");
    client.ok(&format!("AUTHENTICATE OAUTHBEARER {}", bearer("ada", "good"))).await;
    client.ok("SELECT INBOX").await;

    let mut client = world.connect();
    for (user, token) in [("ada", "bad"), ("eve", "good")] {
        client.send(&format!("a AUTHENTICATE OAUTHBEARER {}\r\n", bearer(user, token))).await;
        let challenge = STANDARD.encode(r#"{"status":"invalid_token"}"#);
        client.until(&format!("+ {challenge}\r\n")).await;
        client.send("AQ==\r\n").await;
        client.until("a NO [AUTHENTICATIONFAILED]").await;
    }
    let answer = client.run(&format!("AUTHENTICATE OAUTHBEARER {}", bearer("ada", "down"))).await;
    assert!(answer.contains("t NO [UNAVAILABLE]"), "{answer}");
    assert!(client.run("AUTHENTICATE OAUTHBEARER AAAA").await.contains("t BAD"));

    let mut client = world.connect();
    client.until("\r\n").await;
    client.send("a AUTHENTICATE XOAUTH2\r\n").await;
    client.until("+ \r\n").await;
    client.send(&format!("{}\r\n", STANDARD.encode("user=ada\x01auth=Bearer good\x01\x01"))).await;
    client.until("a OK").await;
}

#[tokio::test]
async fn a_disabled_user_stays_out_whatever_the_token() {
    let mut world = World::new().await;
    Arc::get_mut(&mut world.shared).unwrap().options.tokens = Some(Arc::new(Issuer));
    let shared = Arc::clone(&world.shared);
    let heeding = tokio::spawn(async move { shared.access.heed().await });
    let mut client = world.connect();
    client.until("\r\n").await;
    client.ok(&format!("AUTHENTICATE OAUTHBEARER {}", bearer("ada", "good"))).await;
    world.shared.access.users().disable("ada", true).await.unwrap();
    client.rest().await;
    heeding.abort();
    let mut client = world.connect();
    client.send(&format!("a AUTHENTICATE OAUTHBEARER {}\r\n", bearer("ada", "good"))).await;
    client.until("+ ").await;
    client.send("AQ==\r\n").await;
    client.until("a NO [AUTHENTICATIONFAILED]").await;
}
