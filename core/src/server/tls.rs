//! The certificate of a server, and the TLS that it speaks.

use super::options::{ServerTls, TlsMode, certificate_in};
use crate::auth::Bindings;
use crate::error::{Code, MailError, Result};
use ring::digest;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ProtocolVersion, ServerConfig};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// TLS as a server has it.
#[derive(Clone)]
pub(super) struct Tls {
    pub acceptor: TlsAcceptor,
    pub mode: TlsMode,
    /// The chain in PEM.
    pub certificate: String,
    /// What `tls-server-end-point` is for its certificate.
    end_point: Option<Vec<u8>>,
}

impl Tls {
    /// TLS 1.2 and 1.3 with that certificate.
    pub(super) fn new(tls: &ServerTls, mode: TlsMode) -> Result<Self> {
        let (certificate, key) = match tls {
            ServerTls::Pem { certificates, key } => (certificates.clone(), key.reveal().to_owned()),
            ServerTls::SelfSigned { folder, name } => self_signed(folder, name)?,
        };
        let (config, end_point) = config(&certificate, &key)?;
        Ok(Self { acceptor: TlsAcceptor::from(config), mode, certificate, end_point })
    }

    /// What a login can be bound to over that connection. The exporter only in TLS 1.3, which alone makes it unique by
    /// itself (RFC 9266 section 4.2).
    pub(super) fn bindings<S>(&self, stream: &TlsStream<S>) -> Bindings {
        let (_, connection) = stream.get_ref();
        let is_new = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let export = || connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok();
        Bindings { exporter: if is_new { export() } else { None }, end_point: self.end_point.clone() }
    }
}

fn config(certificates: &str, key: &str) -> Result<(Arc<ServerConfig>, Option<Vec<u8>>)> {
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(certificates.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| refused(&format!("This is no certificate in PEM: {error}")))?;
    let end_point = chain.first().and_then(|own| end_point(own));
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    let key = key.map_err(|_| refused("This is no private key in PEM"))?;
    let config =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let config = config.map_err(|error| refused(&format!("The certificate cannot be used: {error}")))?;
    Ok((Arc::new(config), end_point))
}

/// The hash of a certificate by the hash of its own signature, SHA-256 in place of older ones (RFC 5929 section 4.1).
/// `None` for a signature that has none, such as Ed25519's.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (certificate_fields, _) = der(certificate)?;
    let (_, after_content) = der(certificate_fields)?;
    let (algorithm, _) = der(after_content)?;
    let (name, _) = der(algorithm)?;
    // PKCS #1 (RFC 8017 appendix A.2), then ECDSA (RFC 5758 section 3.2).
    let hash = match name {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => &digest::SHA512,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => &digest::SHA256,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => &digest::SHA384,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// The content of the first value of DER, and what comes after it.
fn der(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The certificate and key in that folder; made where there is none yet.
fn self_signed(folder: &Path, name: &str) -> Result<(String, String)> {
    let certificate = certificate_in(folder);
    let key = certificate.with_extension("key");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_point_is_the_hash_of_the_certificate_by_its_signatures_own_hash() {
        let own = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.der().to_vec();
        assert_eq!(end_point(&own).unwrap(), digest::digest(&digest::SHA256, &own).as_ref());
        // ecdsa-with-SHA384 in place of ecdsa-with-SHA256, twice: in what is signed, and beside the signature.
        let name = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        let mut other = own.clone();
        let places: Vec<usize> = (0..own.len()).filter(|at| own[*at..].starts_with(&name)).collect();
        places.iter().for_each(|at| other[at + 7] = 3);
        assert_eq!(end_point(&other).unwrap(), digest::digest(&digest::SHA384, &other).as_ref());
        places.iter().for_each(|at| other[at + 7] = 9);
        assert_eq!(end_point(&other), None);
        for length in 0..64 {
            assert_eq!(end_point(&own[..length]), None, "{length}");
        }
    }
}
