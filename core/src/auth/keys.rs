//! What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 section 3), and checking passwords against it.

use super::scram::prepared;
use crate::secret::Secret;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The name of the only mechanism that keys are made for.
pub(crate) const SCRAM_SHA_256: &str = "SCRAM-SHA-256";

/// StoredKey and ServerKey.
pub(crate) struct Keys {
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
}

impl Keys {
    /// Whether that is the StoredKey, in a time that does not tell how much of it is right.
    pub(crate) fn has_stored_key(&self, stored_key: &[u8]) -> bool {
        let pairs = self.stored_key.iter().zip(stored_key);
        let difference = pairs.fold(0, |difference, (ours, theirs)| difference | (ours ^ theirs));
        self.stored_key.len() == stored_key.len() && difference == 0
    }
}

/// The keys of a password. `iterations` of 0 are one.
pub(crate) fn derive_keys(password: &Secret, salt: &[u8], iterations: u32) -> Keys {
    let password = prepared(password.reveal());
    let mut salted = Zeroizing::new([0u8; 32]);
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), salted.as_mut());
    let salted = hmac::Key::new(hmac::HMAC_SHA256, salted.as_ref());
    let client_key = hmac::sign(&salted, b"Client Key");
    Keys {
        stored_key: digest::digest(&digest::SHA256, client_key.as_ref()).as_ref().to_vec(),
        server_key: hmac::sign(&salted, b"Server Key").as_ref().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_server_key_signs_the_example_of_the_rfc() {
        // RFC 7677 section 3.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = derive_keys(&Secret::from("pencil"), &salt, 4096);
        let signed = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let key = hmac::Key::new(hmac::HMAC_SHA256, &keys.server_key);
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn only_the_same_password_has_the_stored_key() {
        let keys = |password: &str| derive_keys(&Secret::from(password), b"salt", 2);
        let stored = keys("secret").stored_key;
        assert!(keys("secret").has_stored_key(&stored));
        assert!(!keys("Secret").has_stored_key(&stored) && !keys("secret").has_stored_key(&stored[..31]));
        assert!(!keys("secret").has_stored_key(&[]));
    }
}
