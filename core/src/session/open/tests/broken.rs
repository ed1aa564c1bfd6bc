//! What becomes of a session whose encrypted connection breaks: a fault of TLS is not taken for a lost network.

use super::*;
use crate::error::Retry;
use crate::session::{Engine, EngineOptions, Session};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A TLS record that nobody who knows the keys has made.
const FORGED: &[u8] = b"\x17\x03\x03\x00\x18not what the keys would do";

/// Logs everybody in; the command after that is answered by a record that cannot be decrypted, the first time.
async fn forger() -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Authority::shared().good());
    let task = tokio::spawn(async move {
        for forges in [true, false] {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(acceptor.accept(tcp).await.unwrap());
            stream.write_all(b"* OK [CAPABILITY IMAP4rev1] hi\r\n").await.unwrap();
            stream.flush().await.unwrap();
            let (mut line, mut commands) = (String::new(), 0);
            while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                commands += 1;
                let tag = line.split(' ').next().unwrap_or_default();
                if commands > 1 && forges {
                    stream.get_mut().get_mut().0.write_all(FORGED).await.unwrap();
                    break;
                }
                let answer = format!("{tag} OK [CAPABILITY IMAP4rev1] done\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                line.clear();
            }
        }
    });
    (port, task)
}

async fn session(port: u16) -> Session {
    let mut account = Account::new("127.0.0.1", "ada-7", password());
    (account.port, account.security) = (port, Security::Tls);
    account.net.server_name = Some("imap.example.org".to_owned());
    account.net.roots = Roots::Pem(Authority::shared().pem.clone().into());
    Engine::new(EngineOptions::default(), tokio::runtime::Handle::current()).connect(account).await.unwrap()
}

#[tokio::test]
async fn a_record_that_cannot_be_decrypted_is_a_fault_of_tls_and_a_new_connection_helps() {
    let (port, server) = forger().await;
    let session = session(port).await;
    let error = session.noop().await.unwrap_err();
    assert_eq!((error.code(), error.retry()), (Code::NetTls, Retry::Reconnect), "{error}");
    session.noop().await.unwrap();
    session.close().await.unwrap();
    server.await.unwrap();
}
