//! JSON written as text directly, for what crosses in great numbers: a tree of values would cost more than a message.
//!
//! The text is ASCII, whatever it says: V8 parses one byte a character faster than two.

use std::fmt::{Display, Write};

/// JSON being written. Whoever writes sees to commas and brackets.
#[derive(Default)]
pub struct Json(pub String);

impl Json {
    /// Text as it is.
    pub fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// A comma, unless this is the first of something.
    pub fn next(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'[' | b'{' | b':')) {
            self.raw(",");
        }
    }

    pub fn number(&mut self, number: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{number}");
    }

    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Self, T)) {
        self.raw("[");
        for item in items {
            self.next();
            write(self, item);
        }
        self.raw("]");
    }

    pub fn text(&mut self, text: &str) {
        self.raw("\"");
        self.escaped(text);
        self.raw("\"");
    }

    /// What stands between the quotes of a text.
    pub fn escaped(&mut self, text: &str) {
        let mut rest = text;
        // Runs without anything to escape are copied whole.
        while let Some(at) = rest.bytes().position(|b| !(0x20..0x7f).contains(&b) || b == b'"' || b == b'\\') {
            let (plain, special) = rest.split_at(at);
            self.raw(plain);
            let mut special = special.chars();
            if let Some(c) = special.next() {
                self.escape(c);
            }
            rest = special.as_str();
        }
        self.raw(rest);
    }

    fn escape(&mut self, c: char) {
        match c {
            '"' => self.raw("\\\""),
            '\\' => self.raw("\\\\"),
            '\n' => self.raw("\\n"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(self.0, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_ascii_and_says_the_same() {
        for text in ["plain", "", "\"quoted\" \\ and \r\n\t\0", "Möwe", "日本語 🐛 ends", "\u{7f}\u{2028}"] {
            let mut json = Json::default();
            json.text(text);
            assert!(json.0.is_ascii(), "{}", json.0);
            assert_eq!(serde_json::from_str::<String>(&json.0).unwrap(), text);
        }
    }

    #[test]
    fn lists_of_lists_have_their_commas() {
        let mut json = Json::default();
        json.list(&[vec![1, 2], vec![], vec![3]], |json, inner| json.list(inner, Json::number));
        assert_eq!(json.0, "[[1,2],[],[3]]");
    }
}
