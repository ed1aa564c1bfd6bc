//! LOGIN (draft-murchison-sasl-login): two prompts, two answers.

use super::{Exchange, Identity, Response, incomplete};
use crate::error::{Code, MailError, Result};

/// Prompts are counted, not read: servers send `User Name\0`, `Username:`, their own language, or nothing.
pub(super) struct Login {
    answers: std::vec::IntoIter<Response>,
}

impl Login {
    pub(super) fn new(identity: &Identity<'_>) -> Self {
        let answers = [identity.user, identity.secret.reveal()].map(|text| Response::new(text.as_bytes().to_vec()));
        Self { answers: Vec::from(answers).into_iter() }
    }
}

impl Exchange for Login {
    fn initial(&mut self) -> Option<Response> {
        None
    }

    fn step(&mut self, _challenge: &[u8]) -> Result<Response> {
        let asked_again = || MailError::new(Code::ServerProtocol, "The server asked for more than LOGIN has to say");
        self.answers.next().ok_or_else(asked_again)
    }

    fn finish(&self) -> Result<()> {
        if self.answers.as_slice().is_empty() { Ok(()) } else { Err(incomplete()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::test_identity;
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn prompts_may_be_anything_or_nothing() {
        let secret = Secret::from("pass");
        for prompts in [[&b"User Name\0"[..], b"Password\0"], [b"", b""], [b"Username:", b"Password:"]] {
            let mut login = Login::new(&test_identity(&secret));
            assert!(login.initial().is_none());
            let answers = prompts.map(|prompt| login.step(prompt).unwrap().to_vec());
            assert_eq!(answers, [b"ada".to_vec(), b"pass".to_vec()]);
            assert_eq!(login.step(b"").unwrap_err().code(), Code::ServerProtocol);
        }
    }
}
