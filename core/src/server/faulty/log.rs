//! What clients have sent, as a test may read it: without passwords and without the contents of messages.

use crate::wire::Frame;
use std::collections::VecDeque;

/// Most commands that are remembered; the oldest go first.
const MOST: usize = 100_000;
/// Longest line of one, in bytes.
const LONGEST: usize = 2000;

/// Commands in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<String>);

impl Log {
    pub(super) fn push(&mut self, frame: &Frame) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(text(&frame.head));
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

/// The command's word in capitals, `UID` left out; empty where there is none.
pub(super) fn name(head: &[u8]) -> String {
    let mut words = words(head).skip(1).map(|word| String::from_utf8_lossy(word).to_ascii_uppercase());
    match words.next() {
        Some(word) if word == "UID" => words.next().unwrap_or_default(),
        word => word.unwrap_or_default(),
    }
}

/// The command without its tag, on one line.
fn text(head: &[u8]) -> String {
    let name = name(head);
    let words = || words(head).skip(1).map(String::from_utf8_lossy);
    let shown = match name.as_str() {
        "LOGIN" => "LOGIN …".to_owned(),
        // What follows the mechanism may be the secret.
        "AUTHENTICATE" => words().take(2).collect::<Vec<_>>().join(" ") + " …",
        // A literal holds a message.
        "APPEND" => {
            let end = head.iter().position(|byte| *byte == b'\r').unwrap_or(head.len());
            untagged(head.get(..end).unwrap_or_default())
        }
        _ => untagged(head.trim_ascii_end()),
    };
    shown.chars().take(LONGEST).collect()
}

fn untagged(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    rest.replace("\r\n", " ")
}

fn words(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| matches!(byte, b' ' | b'\r' | b'\n')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_named_and_shown_without_secrets_and_contents() {
        for (head, named, shown) in [
            ("a1 NOOP\r\n", "NOOP", "NOOP"),
            ("a1 uid fetch 1:* (FLAGS)\r\n", "FETCH", "uid fetch 1:* (FLAGS)"),
            ("a1 LOGIN ada hunter2\r\n", "LOGIN", "LOGIN …"),
            ("a1 LOGIN {3+}\r\nada {7+}\r\nhunter2\r\n", "LOGIN", "LOGIN …"),
            ("a1 AUTHENTICATE PLAIN AGFkYQBodW50ZXIy\r\n", "AUTHENTICATE", "AUTHENTICATE PLAIN …"),
            ("a1 APPEND INBOX (\\Seen) {3+}\r\nabc\r\n", "APPEND", "APPEND INBOX (\\Seen) {3+}"),
            ("a1 SEARCH SUBJECT {4+}\r\nmoth\r\n", "SEARCH", "SEARCH SUBJECT {4+} moth"),
            ("a1\r\n", "", ""),
        ] {
            assert_eq!(name(head.as_bytes()), named);
            assert_eq!(text(head.as_bytes()), shown);
        }
    }
}
