//! A server that follows a script, and certificates for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How the server writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Consecutive lines in one segment.
    Whole,
    /// Every byte in a segment of its own.
    Bytewise,
}

/// A server with a script for each connection, which has a step in each line:
///
/// - `S: text` sends the line; `{tag}` stands for the tag heard last
/// - `C: text` hears a command: a tag, and exactly this text; `c: text` hears a line without a tag
/// - `{port}` stands for the server's port, and `<<text>>` for the text in base64
/// - `TLS` is the handshake; `HELLO` waits until the client has begun one
/// - `CLOSE` ends the connection; without it the server waits until the client does
pub struct Server {
    pub port: u16,
    task: JoinHandle<Vec<u8>>,
}

impl Server {
    pub async fn start(script: &str, pace: Pace, tls: Arc<ServerConfig>) -> Self {
        Self::start_many(&[script.to_owned()], pace, tls).await
    }

    /// The scripts serve one connection after another.
    pub async fn start_many(scripts: &[String], pace: Pace, tls: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scripts: Vec<_> = scripts.iter().map(|s| steps(&s.replace("{port}", &port.to_string()))).collect();
        let task = tokio::spawn(async move {
            let mut clear = Vec::new();
            for script in scripts {
                let (tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                let play = Play { pace, tag: String::new(), clear: Vec::new() };
                clear.extend(play.run(tcp, &script, Arc::clone(&tls)).await);
            }
            clear
        });
        Self { port, task }
    }

    /// What it has heard in clear.
    pub async fn end(self) -> Vec<u8> {
        self.task.await.unwrap()
    }
}

struct Play {
    pace: Pace,
    tag: String,
    clear: Vec<u8>,
}

impl Play {
    async fn run(mut self, mut tcp: TcpStream, steps: &[String], tls: Arc<ServerConfig>) -> Vec<u8> {
        let mut handshake = steps.splitn(2, |s| s == "TLS");
        let (before, after) = (handshake.next().unwrap_or_default(), handshake.next());
        let mut alive = true;
        for part in before.split_inclusive(|s| s == "HELLO") {
            alive = alive && self.follow(&mut tcp, part).await;
            if part.last().is_some_and(|s| s == "HELLO") {
                alive = alive && tcp.peek(&mut [0]).await.is_ok_and(|n| n > 0);
            }
        }
        if let (true, Some(after)) = (alive, after) {
            let clear = std::mem::take(&mut self.clear);
            if let Ok(mut stream) = TlsAcceptor::from(tls).accept(tcp).await
                && self.follow(&mut stream, after).await
            {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            return clear;
        }
        let _ = tcp.read_to_end(&mut self.clear).await;
        self.clear
    }

    /// Whether the client was still there at the end.
    async fn follow<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, steps: &[String]) -> bool {
        let mut says = String::new();
        for step in steps {
            if let Some(text) = step.strip_prefix("S: ") {
                says.push_str(&text.replace("{tag}", &self.tag));
                says.push_str("\r\n");
                continue;
            }
            if !self.say(stream, &std::mem::take(&mut says)).await {
                return false;
            }
            if let Some(expected) = step.strip_prefix("C: ") {
                let Some(line) = self.hear(stream).await else { return false };
                let (tag, command) = line.split_once(' ').unwrap_or_else(|| panic!("no tag in {line:?}"));
                assert_eq!(command, expected);
                self.tag = tag.to_owned();
            } else if step == "CLOSE" {
                return false;
            } else if let Some(expected) = step.strip_prefix("c:").map(str::trim) {
                let Some(line) = self.hear(stream).await else { return false };
                assert_eq!(line, expected);
            }
        }
        self.say(stream, &says).await
    }

    async fn say<S: AsyncWrite + Unpin>(&self, stream: &mut S, text: &str) -> bool {
        let size = if self.pace == Pace::Bytewise { 1 } else { text.len().max(1) };
        for bytes in text.as_bytes().chunks(size) {
            if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
                return false;
            }
            tokio::task::yield_now().await;
        }
        true
    }

    async fn hear<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let byte = stream.read_u8().await.ok()?;
            line.push(byte);
            self.clear.push(byte);
        }
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }
}

fn steps(script: &str) -> Vec<String> {
    expanded(script).lines().map(|l| l.trim_start().to_owned()).filter(|l| !l.is_empty()).collect()
}

fn expanded(script: &str) -> String {
    let mut parts = script.split("<<");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| {
        let (text, rest) = part.split_once(">>").unwrap();
        done + &STANDARD.encode(text) + rest
    })
}

/// An authority of our own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Authority> = LazyLock::new(Authority::new);
        &SHARED
    }

    /// A server whose certificate leaves nothing to be desired.
    pub fn good(&self) -> Arc<ServerConfig> {
        self.server("imap.example.org", 2020, 2090)
    }

    /// A server that wants a certificate of ours from its client, and such a certificate with its key.
    pub fn mutual(&self) -> (Arc<ServerConfig>, String, String) {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let (key, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let server = params("imap.example.org", 2020, 2090).signed_by(&key, &self.issuer).unwrap();
        let client = params("ada.example.org", 2020, 2090).signed_by(&theirs, &self.issuer).unwrap();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            builder.with_client_cert_verifier(verifier).with_single_cert(vec![server.der().clone()], key).unwrap();
        (Arc::new(config), client.pem(), theirs.serialize_pem())
    }

    /// A server with a certificate for `name`, valid between these years.
    pub fn server(&self, name: &str, from: i32, to: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name, from, to).signed_by(&key, &self.issuer).unwrap();
        config(certificate.der().clone(), &key)
    }
}

/// A server that has signed its certificate itself, perhaps as an authority, and that certificate.
pub fn own(name: &str, until: i32, authority: bool) -> (Arc<ServerConfig>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = params(name, 2020, until);
    params.distinguished_name = DistinguishedName::new();
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let certificate = params.self_signed(&key).unwrap();
    (config(certificate.der().clone(), &key), certificate.pem())
}

fn params(name: &str, from: i32, to: i32) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

/// Everything logged in this process, at trace level, since somebody first asked for it.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Recorder;

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        logged().push_str(&format!("{}: {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// Records what is logged from now on. There is one logger in a process, so all tests share it.
pub fn record_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Recorder).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// What was recorded.
pub fn logged() -> MutexGuard<'static, String> {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner)
}
