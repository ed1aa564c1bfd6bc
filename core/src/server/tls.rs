//! The certificate of a server, and the TLS that it speaks.

use super::options::ServerTls;
use crate::error::{Code, MailError, Result};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// TLS 1.2 and 1.3 with that certificate.
pub(super) fn config(tls: &ServerTls) -> Result<Arc<ServerConfig>> {
    let (certificates, key) = match tls {
        ServerTls::Pem { certificates, key } => (certificates.clone(), key.reveal().to_owned()),
        ServerTls::SelfSigned { folder, name } => self_signed(folder, name)?,
    };
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(certificates.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| refused(&format!("This is no certificate in PEM: {error}")))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    let key = key.map_err(|_| refused("This is no private key in PEM"))?;
    let config =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    Ok(Arc::new(config.map_err(|error| refused(&format!("The certificate cannot be used: {error}")))?))
}

/// The certificate and key in that folder; made where there is none yet.
fn self_signed(folder: &Path, name: &str) -> Result<(String, String)> {
    let (certificate, key) = (folder.join("mailtide-server.crt"), folder.join("mailtide-server.key"));
    if !certificate.exists() || !key.exists() {
        let names = vec![name.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names);
        let made = made.map_err(|error| refused(&format!("No certificate could be made: {error}")))?;
        write_private(&key, &made.signing_key.serialize_pem())?;
        fs::write(&certificate, made.cert.pem()).map_err(|error| unwritten(&error))?;
    }
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| unwritten(&error));
    Ok((read(&certificate)?, read(&key)?))
}

/// A file that only its owner can read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| unwritten(&error))?;
    file.write_all(text.as_bytes()).map_err(|error| unwritten(&error))
}

fn refused(text: &str) -> MailError {
    MailError::new(Code::UsageArgument, text)
}

fn unwritten(error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("The server's certificate could not be read or written: {error}"))
}
