//! What a server says it can do, in its answer to EHLO (RFC 5321 section 4.1.1.1).

use super::reply::Reply;

/// The extensions that sending makes use of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// `SIZE` (RFC 1870): whether it is offered, and the most bytes that are taken, where that is said.
    pub size: Option<Option<u64>>,
    /// `8BITMIME` (RFC 6152).
    pub eight_bit: bool,
    /// `SMTPUTF8` (RFC 6531).
    pub utf8: bool,
    /// `PIPELINING` (RFC 2920).
    pub pipelining: bool,
    /// `STARTTLS` (RFC 3207).
    pub starttls: bool,
    /// Names after `AUTH` (RFC 4954).
    pub auth: Vec<String>,
}

impl Capabilities {
    /// From the reply to EHLO. What is not known, or malformed, is passed over.
    pub fn of(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines.iter().skip(1) {
            found.line(line);
        }
        found
    }

    fn line(&mut self, line: &str) {
        // `AUTH=PLAIN` is what servers wrote before RFC 4954 for clients that are older still.
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            // 0 says that there is no fixed bound.
            "SIZE" => self.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0)),
            "8BITMIME" => self.eight_bit = true,
            "SMTPUTF8" => self.utf8 = true,
            "PIPELINING" => self.pipelining = true,
            "STARTTLS" => self.starttls = true,
            "AUTH" => self.auth.extend(words.map(str::to_ascii_uppercase)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities(lines: &[&str]) -> Capabilities {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Capabilities::of(&Reply { code: 250, enhanced: None, lines })
    }

    #[test]
    fn the_answer_of_postfix_is_understood() {
        let found = capabilities(&[
            "mail.example.org",
            "PIPELINING",
            "SIZE 10240000",
            "VRFY",
            "ETRN",
            "STARTTLS",
            "AUTH PLAIN LOGIN",
            "AUTH=PLAIN LOGIN",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
            "CHUNKING",
        ]);
        assert_eq!(found.size, Some(Some(10_240_000)));
        assert!(found.pipelining && found.starttls && found.eight_bit && found.utf8);
        assert_eq!(found.auth, ["PLAIN", "LOGIN", "PLAIN", "LOGIN"]);
    }

    #[test]
    fn nothing_is_taken_for_granted() {
        assert_eq!(capabilities(&["PIPELINING"]), Capabilities::default());
        assert_eq!(capabilities(&["x", "SIZE"]).size, Some(None));
        assert_eq!(capabilities(&["x", "size 0"]).size, Some(None));
        assert_eq!(capabilities(&["x", "SIZE -1"]).size, Some(None));
        assert_eq!(capabilities(&["x", "XSTARTTLS", "8BITMIMEX", ""]), Capabilities::default());
    }
}
