//! TLS: whom we trust, and the handshake.

use super::own::OwnCertificates;
use super::stream::Socket;
use super::{NetOptions, Stream, fault};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use bytes::Bytes;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, client::WantsClientCert};
use rustls_platform_verifier::BuilderVerifierExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_rustls::TlsConnector;

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the operating system, by its own rules.
    #[default]
    Platform,
    /// Mozilla's list as it was when this library was built, for systems that carry none (slim containers).
    Bundled,
    /// Only those in this PEM file.
    File(PathBuf),
    /// Only those in this PEM text.
    Pem(Bytes),
}

/// A certificate of ours, for servers that ask for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate and those that lead to its authority, in PEM.
    pub chain: Bytes,
    /// The private key, in PEM.
    pub key: Secret,
}

/// When the handshake takes place: what garbage in it means depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// Right after connecting: garbage is a server that does not speak TLS on this port.
    Implicit,
    /// After STARTTLS: garbage is an answer injected before the handshake.
    AfterStartTls,
}

impl Stream {
    /// Makes a plain stream a TLS stream to `host`. The caller sets the deadline.
    pub(crate) async fn secure(self, host: &str, options: &NetOptions, when: Handshake) -> Result<Self> {
        let tcp = match self {
            Self::Tcp(tcp) => tcp,
            Self::Tls(_) => return Ok(self),
            #[cfg(feature = "test-support")]
            Self::Given(_) => return Err(MailError::new(Code::NetTls, "A stream that was given cannot be encrypted")),
        };
        let name = options.server_name.as_deref().unwrap_or(host).trim_end_matches('.');
        let server = ServerName::try_from(name.to_owned()).map_err(|_| not_a_name(name))?;
        let connector = TlsConnector::from(config(options).await?);
        let result = connector.connect(server, tcp).await;
        let mut stream = result.map_err(|e| fault::tls(&e, name, when))?;
        stream.get_mut().0.read_ahead();
        Ok(Self::Tls(Box::<tokio_rustls::client::TlsStream<Socket>>::new(stream)))
    }
}

/// What a configuration is made from; the file's content is part of it.
#[derive(Clone, PartialEq, Eq)]
struct Policy {
    roots: Roots,
    certificate: Option<ClientCertificate>,
}

/// Configurations are shared: a thousand connections hold one list of authorities, and reconnecting resumes.
static SHARED: Mutex<Vec<(Policy, Arc<ClientConfig>)>> = Mutex::new(Vec::new());

/// Most policies that are kept; a process rarely has more than two.
const KEPT: usize = 16;

async fn config(options: &NetOptions) -> Result<Arc<ClientConfig>> {
    let (roots, certificate) = (options.roots.clone(), options.client_certificate.clone());
    // Reading the system's authorities takes some 10 ms of disk and parsing.
    let work = tokio::task::spawn_blocking(move || shared(&Policy { roots: loaded(roots)?, certificate }));
    work.await.map_err(|_| MailError::new(Code::Internal, "Setting TLS up was interrupted"))?
}

fn shared(policy: &Policy) -> Result<Arc<ClientConfig>> {
    let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = kept.iter().find(|(p, _)| p == policy) {
        return Ok(Arc::clone(config));
    }
    let config = Arc::new(build(policy)?);
    if kept.len() >= KEPT {
        kept.remove(0);
    }
    kept.push((policy.clone(), Arc::clone(&config)));
    Ok(config)
}

fn loaded(roots: Roots) -> Result<Roots> {
    let Roots::File(path) = roots else { return Ok(roots) };
    let unreadable = |e| MailError::new(Code::FileIo, format!("The CA file {} cannot be read: {e}", path.display()));
    std::fs::read(&path).map(|pem| Roots::Pem(pem.into())).map_err(unreadable)
}

fn build(policy: &Policy) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verified = verifier(&policy.roots, provider)?;
    let mut config = match &policy.certificate {
        None => verified.with_no_client_auth(),
        Some(certificate) => with_certificate(verified, certificate)?,
    };
    // Enough for the servers of many accounts; a session ticket keeps the server's certificates alive.
    config.resumption = Resumption::in_memory_sessions(64);
    Ok(config)
}

/// TLS 1.2 and 1.3, with the provider named: two in one program would make the default ambiguous.
fn verifier(roots: &Roots, provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| unusable("TLS", &e))?;
    Ok(match roots {
        Roots::Platform => builder.with_platform_verifier().map_err(|e| {
            unusable("The system's list of certificate authorities", &e)
                .hint("Install the package ca-certificates, or choose the bundled list")
        })?,
        Roots::Bundled => {
            builder.with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
        }
        Roots::Pem(pem) => builder.dangerous().with_custom_certificate_verifier(Arc::new(own(pem, provider)?)),
        Roots::File(_) => builder.with_root_certificates(RootCertStore::empty()),
    })
}

fn own(pem: &[u8], provider: Arc<CryptoProvider>) -> Result<OwnCertificates> {
    let given = certificates(pem)?;
    let mut store = RootCertStore::empty();
    for certificate in &given {
        store.add(certificate.clone()).map_err(|e| unusable("A certificate of the CA file", &e))?;
    }
    let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    Ok(OwnCertificates { webpki: webpki.map_err(|e| unusable("The CA file", &e))?, given })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let read: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|e| unusable("The PEM text", &e))?;
    if read.is_empty() {
        Err(MailError::new(Code::UsageArgument, "The PEM text holds no certificate"))
    } else {
        Ok(read)
    }
}

fn with_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificate: &ClientCertificate,
) -> Result<ClientConfig> {
    let chain = certificates(&certificate.chain)?;
    // The parser's error could quote the key.
    let key = PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes());
    let key = key.map_err(|_| MailError::new(Code::UsageArgument, "The client certificate's key is not a PEM key"))?;
    builder.with_client_auth_cert(chain, key).map_err(|e| unusable("The client certificate", &e))
}

fn unusable(what: &str, error: &dyn std::fmt::Display) -> MailError {
    MailError::new(Code::UsageArgument, format!("{what} cannot be used: {error}"))
}

fn not_a_name(name: &str) -> MailError {
    MailError::new(Code::UsageAddress, format!("{name:?} is not a server name that a certificate can carry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(roots: Roots) -> Policy {
        Policy { roots, certificate: None }
    }

    #[test]
    fn one_configuration_serves_all_connections_of_a_policy() {
        let one = shared(&policy(Roots::Bundled)).unwrap();
        assert!(Arc::ptr_eq(&one, &shared(&policy(Roots::Bundled)).unwrap()));
        let pem: Bytes = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem().into();
        assert!(!Arc::ptr_eq(&one, &shared(&policy(Roots::Pem(pem))).unwrap()));
    }

    #[test]
    fn a_ca_that_is_none_is_refused() {
        let code = |roots| loaded(roots).and_then(|r| shared(&policy(r))).unwrap_err().code();
        assert_eq!(code(Roots::Pem(Bytes::from_static(b"no certificate"))), Code::UsageArgument);
        assert_eq!(code(Roots::File("/does/not/exist.pem".into())), Code::FileIo);
    }

    #[test]
    fn a_client_key_never_shows_in_an_error_or_in_debug() {
        let chain = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem().into();
        let key = Secret::from("-----BEGIN PRIVATE KEY-----\nplanted-secret\n-----END PRIVATE KEY-----\n");
        let certificate = ClientCertificate { chain, key };
        assert!(!format!("{certificate:?}").contains("planted"));
        let error = shared(&Policy { roots: Roots::Bundled, certificate: Some(certificate) }).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
