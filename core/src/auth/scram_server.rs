//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

/// What a client has begun with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScramBegun {
    /// The user that it names.
    pub user: String,
    /// `n,,` or `y,,`, perhaps with the name of whom it wants to act for.
    header: String,
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
    /// Reads `n,,n=user,r=nonce`. `None` for what is none, for a client that wants channel binding, and for one that
    /// would act for somebody else.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let mut fields = text.splitn(3, ',');
        let (binding, authorize, bare) = (fields.next()?, fields.next()?, fields.next()?);
        if !matches!(binding, "n" | "y") {
            return None;
        }
        let mut attributes = bare.split(',');
        let user = unescaped(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?.to_owned();
        let is_own = match authorize.strip_prefix("a=") {
            Some(other) => unescaped(other)? == user,
            None => authorize.is_empty(),
        };
        let is_whole = is_own && !nonce.is_empty() && !user.is_empty();
        is_whole.then(|| Self { user, header: format!("{binding},{authorize},"), bare: bare.to_owned(), nonce })
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
        let expected = format!("c={},r={}", STANDARD.encode(&self.begun.header), self.nonce);
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
fn unescaped(name: &str) -> Option<String> {
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
    fn exchange(password: &str, binding: Binding) -> Option<bool> {
        let secret = Secret::from(password);
        let identity = Identity { user: "a,d=a", binding, ..test_identity(&secret) };
        let mut client = Scram::new(&identity).unwrap();
        let begun = ScramBegun::read(&client.initial().unwrap())?;
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
        assert_eq!(exchange("secret", Binding::None), Some(true));
        assert_eq!(exchange("secret", Binding::NotOffered), Some(true));
        assert_eq!(exchange("wrong", Binding::None), None);
        assert_eq!(exchange("secret", Binding::TlsExporter([0; 32])), None);
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
            assert_eq!(ScramBegun::read(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(ScramBegun::read(b"y,a=ada,n=ada,r=x").is_some());
    }

    #[test]
    fn a_proof_for_another_exchange_is_refused() {
        let server = ScramBegun::read(b"n,,n=ada,r=x").unwrap().challenge("y", b"salt", 1);
        let keys = derive_keys(&Secret::from("secret"), b"salt", 1);
        for wrong in
            ["", "c=biws,r=x,p=AAAA", "c=biws,r=xy,p=!", "c=biws,r=xyz,p=AAAA", "c=eSws,r=xy,p=AAAA", "c=biws,r=xy,p="]
        {
            assert_eq!(server.finish(wrong.as_bytes(), &keys.stored_key, &keys.server_key), None, "{wrong}");
        }
    }
}
