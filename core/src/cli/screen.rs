//! Where output goes: a terminal, a file, a program that reads JSON.

use super::table::{Cell, Column, Look, table};
use super::text::clip;
use crate::error::{Code, MailError, Result};
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the output is like.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    pub json: bool,
    pub colour: bool,
    /// Cells of a line.
    pub width: usize,
    bars: bool,
    drawn: Arc<AtomicBool>,
}

/// Cells of a line that goes to a file.
const FILE: usize = 160;
/// Neither narrower nor wider lines are of use.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=160;

impl Screen {
    /// That of this process.
    pub fn new(json: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let wished = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let found = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = columns.or_else(|| if is_terminal { found() } else { Some(FILE) }).unwrap_or(80);
        Self {
            json,
            colour: is_terminal && !json && !dumb && !wished("NO_COLOR"),
            width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            bars: std::io::stderr().is_terminal() && !json && !dumb,
            drawn: Arc::default(),
        }
    }

    /// Prints a line.
    pub fn line(&self, text: &str) -> Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Prints a line that looks so.
    pub fn styled(&self, look: Look, text: &str) -> Result<()> {
        self.line(&look.of(text, self.colour))
    }

    /// Prints a table.
    pub fn table(&self, columns: &[Column], rows: &[Vec<Cell>]) -> Result<()> {
        table(columns, rows, self.width, self.colour).iter().try_for_each(|line| self.line(line))
    }

    /// Prints a JSON value as a line. What would steer a terminal is escaped in it.
    pub fn value(&self, value: &Value) -> Result<()> {
        self.line(&escaped(&value.to_string()))
    }

    /// Prints bytes as they are.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.clear();
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // Whoever reads it has had enough, as `head` has.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Code::Cancelled.into()),
            written => {
                written.map_err(|error| MailError::new(Code::FileIo, format!("Output cannot be written: {error}")))
            }
        }
    }

    /// Says something beside the output.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.aside(text);
        }
    }

    /// Says what went wrong.
    pub fn error(&self, error: &MailError, exit: u8) {
        if self.json {
            let context = error.context();
            let (code, hint) = (error.code().as_str(), &context.hint);
            let value = serde_json::json!({
                "error": code, "message": error.message(), "hint": hint, "host": context.host,
                "mailbox": context.mailbox, "server": context.server, "retry": error.retry().as_str(), "exit": exit,
            });
            self.aside(&escaped(&value.to_string()));
        } else {
            self.aside(&format!("mailtide: {}", super::text::clean(&error.to_string())));
        }
    }

    /// Draws a line over the one before, where somebody looks.
    pub fn draw(&self, line: &str) {
        if self.bars {
            self.drawn.store(true, Ordering::Relaxed);
            let line = clip(line, self.width.saturating_sub(1));
            // Not seeing a bar is no failure.
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K{line}");
        }
    }

    /// Takes the drawn line away.
    pub fn clear(&self) {
        if self.drawn.swap(false, Ordering::Relaxed) {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }

    fn aside(&self, text: &str) {
        self.clear();
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// The moment, where we are.
pub(super) fn now() -> Zoned {
    Zoned::now()
}

/// A moment where we are.
pub(super) fn here(moment: Timestamp) -> Zoned {
    moment.to_zoned(jiff::tz::TimeZone::system())
}

/// JSON without characters that steer a terminal, which may only stand in its strings.
fn escaped(json: &str) -> String {
    let steers = |c: char| c.is_control() || crate::message::for_display(c.encode_utf8(&mut [0; 4])).is_empty();
    if json.is_ascii() && !json.bytes().any(|byte| byte == 0x7f) {
        return json.to_owned();
    }
    let escape = |c: char| if steers(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_does_not_steer_a_terminal_and_says_the_same() {
        let value = Value::from("\u{1b}[2J \u{9b}2J \u{202e} \u{7f} 会議 🦋");
        let shown = escaped(&value.to_string());
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}') && shown.contains("会議 🦋"), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
