//! The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; RFC 5929, RFC 9266).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

/// What of a TLS connection an exchange can be bound to. Nothing of a connection in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bindings {
    /// `tls-exporter` (RFC 9266).
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point`: the hash of the server's certificate (RFC 5929 section 4).
    pub end_point: Option<Vec<u8>>,
}

impl Bindings {
    /// Whether there is anything to bind to, and so SCRAM-SHA-256-PLUS to offer.
    pub(crate) fn are_there(&self) -> bool {
        self.exporter.is_some() || self.end_point.is_some()
    }

    fn value(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }
}

/// What a client has begun with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScramBegun {
    /// The user that it names.
    pub user: String,
    /// `n,,`, `y,,` or `p=tls-exporter,,`, perhaps with the name of whom it wants to act for; then what it is bound to.
    bound: Vec<u8>,
    bare: String,
    nonce: String,
}

/// An exchange whose challenge was given.
pub(crate) struct ScramServer {
    begun: ScramBegun,
    nonce: String,
    challenge: String,
}

impl ScramBegun {
    /// Reads `n,,n=user,r=nonce`; `plus` says that SCRAM-SHA-256-PLUS was asked for. `None` for what is none, for a
    /// binding that is not there, and for one who would act for somebody else. Also for `y` where PLUS was offered: the
    /// client has not seen it, so somebody took it out (RFC 5802 section 6).
    pub(crate) fn read(message: &[u8], plus: bool, bindings: &Bindings) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let mut fields = text.splitn(3, ',');
        let (binding, authorize, bare) = (fields.next()?, fields.next()?, fields.next()?);
        let value: &[u8] = match (binding, binding.strip_prefix("p=")) {
            (_, Some(name)) if plus => bindings.value(name)?,
            ("n", _) if !plus => &[],
            ("y", _) if !plus && !bindings.are_there() => &[],
            _ => return None,
        };
        let mut attributes = bare.split(',');
        let user = unescaped(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?.to_owned();
        let is_own = match authorize.strip_prefix("a=") {
            Some(other) => unescaped(other)? == user,
            None => authorize.is_empty(),
        };
        let is_whole = is_own && !nonce.is_empty() && !user.is_empty();
        let bound = [binding.as_bytes(), b",", authorize.as_bytes(), b",", value].concat();
        is_whole.then(|| Self { user, bound, bare: bare.to_owned(), nonce })
    }

    /// The challenge: `ours` is added to the client's nonce, printable random text without a comma.
    pub(crate) fn challenge(self, ours: &str, salt: &[u8], iterations: u32) -> ScramServer {
        let nonce = format!("{}{ours}", self.nonce);
        let challenge = format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt));
        ScramServer { begun: self, nonce, challenge }
    }
}

impl ScramServer {
    /// What is sent to the client.
    pub(crate) fn text(&self) -> &str {
        &self.challenge
    }

    /// Checks the client's proof against StoredKey; what proves to it that ServerKey is known. `None` where the proof is
    /// wrong.
    pub(crate) fn finish(&self, message: &[u8], stored_key: &[u8], server_key: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(message).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let expected = format!("c={},r={}", STANDARD.encode(&self.begun.bound), self.nonce);
        // Extensions may follow the nonce.
        let rest = without_proof.strip_prefix(&expected)?;
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        let proof = STANDARD.decode(proof).ok()?;
        let signed = format!("{},{},{without_proof}", self.begun.bare, self.challenge);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, stored_key), signed.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let hashed = digest::digest(&digest::SHA256, &client_key);
        let difference = hashed.as_ref().iter().zip(stored_key).fold(0, |difference, (a, b)| difference | (a ^ b));
        if proof.len() != 32 || stored_key.len() != 32 || difference != 0 {
            return None;
        }
        let proved = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, server_key), signed.as_bytes());
        Some(format!("v={}", STANDARD.encode(proved)))
    }
}

/// A user name out of its `=2C` and `=3D` (RFC 5802 section 5.1); any other `=` is none.
pub(super) fn unescaped(name: &str) -> Option<String> {
    let plain = name.replace("=2C", "\u{0}").replace("=3D", "\u{1}");
    (!plain.contains('=')).then(|| plain.replace('\u{0}', ",").replace('\u{1}', "="))
}

#[cfg(test)]
mod tests {
    use super::super::scram::Scram;
    use super::super::tests::test_identity;
    use super::super::{Binding, Exchange, Identity, derive_keys};
    use super::*;
    use crate::secret::Secret;

    /// A whole exchange between our two sides; the client's verdict.
    fn exchange(password: &str, binding: Binding, bindings: &Bindings) -> Option<bool> {
        let plus = matches!(binding, Binding::TlsExporter(_));
        let secret = Secret::from(password);
        let identity = Identity { user: "a,d=a", binding, ..test_identity(&secret) };
        let mut client = Scram::new(&identity).unwrap();
        let begun = ScramBegun::read(&client.initial().unwrap(), plus, bindings)?;
        assert_eq!(begun.user, "a,d=a");
        let keys = derive_keys(&Secret::from("secret"), b"salt", 4096);
        let server = begun.challenge("ours", b"salt", 4096);
        let answer = client.step(server.text().as_bytes()).unwrap();
        let proof = server.finish(&answer, &keys.stored_key, &keys.server_key)?;
        client.step(proof.as_bytes()).unwrap();
        Some(client.finish().is_ok())
    }

    #[test]
    fn both_sides_prove_that_they_know_the_password() {
        let clear = Bindings::default();
        assert_eq!(exchange("secret", Binding::None, &clear), Some(true));
        assert_eq!(exchange("secret", Binding::NotOffered, &clear), Some(true));
        assert_eq!(exchange("wrong", Binding::None, &clear), None);
        assert_eq!(exchange("secret", Binding::TlsExporter([0; 32]), &clear), None);
    }

    #[test]
    fn an_exchange_of_another_connection_is_refused() {
        let tls = Bindings { exporter: Some([7; 32]), end_point: None };
        assert_eq!(exchange("secret", Binding::TlsExporter([7; 32]), &tls), Some(true));
        assert_eq!(exchange("wrong", Binding::TlsExporter([7; 32]), &tls), None);
        assert_eq!(exchange("secret", Binding::TlsExporter([8; 32]), &tls), None, "another connection's");
        assert_eq!(exchange("secret", Binding::None, &tls), Some(true), "a client that knows no binding");
        assert_eq!(exchange("secret", Binding::NotOffered, &tls), None, "somebody took the offer out");
    }

    #[test]
    fn a_binding_is_the_one_that_was_named() {
        let bindings = Bindings { exporter: Some([7; 32]), end_point: Some(vec![9]) };
        let read = |text: &str, plus| ScramBegun::read(text.as_bytes(), plus, &bindings).map(|begun| begun.bound);
        let first = "p=tls-server-end-point,,n=ada,r=x";
        assert_eq!(read(first, true), Some(b"p=tls-server-end-point,,\x09".to_vec()));
        assert_eq!(read(first, false), None);
        assert_eq!(read("p=tls-unique,,n=ada,r=x", true), None);
        assert_eq!(read("n,,n=ada,r=x", true), None);
    }

    #[test]
    fn what_is_no_beginning_is_refused() {
        for wrong in [
            "",
            "n,,",
            "n,,n=,r=x",
            "n,,n=a",
            "n,,n=a,r=",
            "p=x,,n=a,r=x",
            "n,a=b,n=a,r=x",
            "n,,n=a=b,r=x",
            "z,,n=a,r=x",
        ] {
            assert_eq!(ScramBegun::read(wrong.as_bytes(), false, &Bindings::default()), None, "{wrong}");
        }
        assert!(ScramBegun::read(b"y,a=ada,n=ada,r=x", false, &Bindings::default()).is_some());
    }

    #[test]
    fn a_proof_for_another_exchange_is_refused() {
        let begun = ScramBegun::read(b"n,,n=ada,r=x", false, &Bindings::default()).unwrap();
        let server = begun.challenge("y", b"salt", 1);
        let keys = derive_keys(&Secret::from("secret"), b"salt", 1);
        for wrong in
            ["", "c=biws,r=x,p=AAAA", "c=biws,r=xy,p=!", "c=biws,r=xyz,p=AAAA", "c=eSws,r=xy,p=AAAA", "c=biws,r=xy,p="]
        {
            assert_eq!(server.finish(wrong.as_bytes(), &keys.stored_key, &keys.server_key), None, "{wrong}");
        }
    }
}
