//! SCRAM against a server that checks the proof and the channel binding.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the server does wrong, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Honest,
    /// It shows a signature that no password leads to.
    Forges,
    /// It says OK without any signature.
    Skips,
    /// It checks against the binding of another connection, as one in between would have to.
    BoundElsewhere,
}

async fn log_in(offer: &'static str, server: Server, password: &str) -> (Result<Opened>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut account = Account::new("127.0.0.1", "ada-7", Credentials::Password(password.into()));
    account.port = listener.local_addr().unwrap().port();
    account.net.server_name = Some("imap.example.org".to_owned());
    account.net.roots = Roots::Pem(Authority::shared().pem.clone().into());
    let task = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let tls = TlsAcceptor::from(Authority::shared().good()).accept(tcp).await.unwrap();
        serve(BufReader::new(tls), offer, server).await
    });
    let result = opened(&account).await;
    (result, task.await.unwrap())
}

/// Serves one login with the password `pencil`; the GS2 header that the client has sent.
async fn serve(mut s: BufReader<TlsStream<TcpStream>>, offer: &str, server: Server) -> String {
    let exporter = s.get_ref().get_ref().1.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
    let exporter = if server == Server::BoundElsewhere { [0; 32] } else { exporter.unwrap() };
    say(&mut s, &format!("* OK [CAPABILITY IMAP4rev1 SASL-IR {offer}] hi")).await;
    let command = hear(&mut s).await;
    let words: Vec<&str> = command.split(' ').collect();
    let first = decoded(words[3]);
    let (header, bare) = first.split_at(first.find("n=ada-7").unwrap());
    let server_first = format!("r={}server,s={},i=4096", bare.split("r=").nth(1).unwrap(), STANDARD.encode("salt"));
    say(&mut s, &format!("+ {}", STANDARD.encode(&server_first))).await;
    let last = decoded(&hear(&mut s).await);
    let (without_proof, proof) = last.split_once(",p=").unwrap();
    let bound = STANDARD.decode(without_proof[2..].split(',').next().unwrap()).unwrap();
    let binding: &[u8] = if header.starts_with("p=") { &exporter } else { &[] };
    let (expected, signature) = keys(&format!("{bare},{server_first},{without_proof}"));
    if bound != [header.as_bytes(), binding].concat() || STANDARD.decode(proof).unwrap() != expected {
        say(&mut s, &format!("{} NO [AUTHENTICATIONFAILED] no", words[0])).await;
        return header.to_owned();
    }
    let signature = if server == Server::Forges { vec![7; 32] } else { signature };
    if server != Server::Skips {
        say(&mut s, &format!("+ {}", STANDARD.encode(format!("v={}", STANDARD.encode(signature))))).await;
        assert_eq!(hear(&mut s).await, if server == Server::Forges { "*" } else { "" });
    }
    let status = if server == Server::Forges { "BAD" } else { "OK [CAPABILITY IMAP4rev1]" };
    say(&mut s, &format!("{} {status} done", words[0])).await;
    header.to_owned()
}

/// The client's proof and the server's signature (RFC 5802 section 3).
fn keys(signed: &str) -> (Vec<u8>, Vec<u8>) {
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec();
    let mut salted = [0; 32];
    let rounds = 4096.try_into().unwrap();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, b"salt", b"pencil", &mut salted);
    let client_key = sign(&salted, b"Client Key");
    let client_signature = sign(digest::digest(&digest::SHA256, &client_key).as_ref(), signed.as_bytes());
    let proof = client_key.iter().zip(client_signature).map(|(a, b)| a ^ b).collect();
    (proof, sign(&sign(&salted, b"Server Key"), signed.as_bytes()))
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

async fn say(s: &mut BufReader<TlsStream<TcpStream>>, line: &str) {
    s.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    s.flush().await.unwrap();
}

async fn hear(s: &mut BufReader<TlsStream<TcpStream>>) -> String {
    let mut line = String::new();
    s.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

const PLUS: &str = "AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS";

#[tokio::test]
async fn the_strongest_form_is_bound_to_the_connection() {
    let (result, header) = log_in(PLUS, Server::Honest, "pencil").await;
    result.unwrap();
    assert_eq!(header, "p=tls-exporter,,");
    let (result, header) = log_in("AUTH=SCRAM-SHA-256", Server::Honest, "pencil").await;
    result.unwrap();
    assert_eq!(header, "y,,");
}

#[tokio::test]
async fn a_wrong_password_and_a_connection_that_ends_elsewhere_are_refused() {
    assert_eq!(log_in(PLUS, Server::Honest, "pen").await.0.unwrap_err().code(), Code::AuthRejected);
    assert_eq!(log_in(PLUS, Server::BoundElsewhere, "pencil").await.0.unwrap_err().code(), Code::AuthRejected);
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_is_not_believed() {
    for server in [Server::Forges, Server::Skips] {
        let error = log_in(PLUS, server, "pencil").await.0.unwrap_err();
        assert_eq!(error.code(), Code::NetTampered, "{server:?}");
    }
}
