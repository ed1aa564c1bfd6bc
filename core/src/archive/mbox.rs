//! Writing mbox, in the `mboxrd` dialect (RFC 4155, and the quoting that can be undone).
//!
//! Before a message's own header stand four lines of ours: `Status` and `X-Status` with the flags as mutt, Dovecot and
//! Python's `mailbox` have them, `X-Keywords` with everything else, and `X-Mailtide` with the line ends and the size of
//! the message as it was. A reader that knows the last one takes them out again.

use super::lines::{Ends, Lines, Quoting, each_piece, examine};
use super::{Archived, io};
use crate::error::Result;
use crate::imap::{Flag, InternalDate};
use std::io::{Read, Seek, Write};

/// The line that ends what is ours.
pub(super) const MARK: &str = "X-Mailtide: ";

/// Flags by letter, in `Status` and `X-Status`.
pub(super) const LETTERS: [(&str, char, Flag); 5] = [
    ("Status", 'R', Flag::SEEN),
    ("X-Status", 'A', Flag::ANSWERED),
    ("X-Status", 'F', Flag::FLAGGED),
    ("X-Status", 'T', Flag::DRAFT),
    ("X-Status", 'D', Flag::DELETED),
];

/// Writes messages to an mbox file.
///
/// ```
/// use mailtide::archive::{Archived, MboxOptions, MboxReader, MboxWriter};
/// use mailtide::imap::Flag;
/// use std::io::Cursor;
///
/// let mut file = Vec::new();
/// let archived = Archived { flags: vec![Flag::SEEN], received: None };
/// MboxWriter::new(&mut file).add(&archived, &mut Cursor::new("Subject: moth\r\n\r\nFrom relay 70\r\n"))?;
///
/// let mut reader = MboxReader::new(Cursor::new(file), MboxOptions::default());
/// let message = reader.next()?.unwrap();
/// let mut content = Vec::new();
/// reader.copy(&message, &mut content)?;
/// assert_eq!(content, b"Subject: moth\r\n\r\nFrom relay 70\r\n");
/// assert_eq!(message.archived, archived);
/// # Ok::<(), mailtide::MailError>(())
/// ```
pub struct MboxWriter<W> {
    out: W,
}

impl<W: Write> MboxWriter<W> {
    /// Writes to `out`, which is at the beginning or after another message.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Adds a message, which is read twice: once to see its line ends. Errors are `file.io`.
    pub fn add(&mut self, archived: &Archived, content: &mut (impl Read + Seek)) -> Result<()> {
        self.write(archived, content).map_err(|error| io(&error))
    }

    /// Writes everything out; the writer that was given.
    pub fn finish(mut self) -> Result<W> {
        self.out.flush().map_err(|error| io(&error))?;
        Ok(self.out)
    }

    fn write(&mut self, archived: &Archived, content: &mut (impl Read + Seek)) -> std::io::Result<()> {
        let traits = examine(content)?;
        content.rewind()?;
        self.out.write_all(head(archived).as_bytes())?;
        let ends = if traits.is_crlf { "crlf" } else { "as-is" };
        writeln!(self.out, "{MARK}{ends} {}", traits.size)?;
        let ends = if traits.is_crlf { Ends::ToLf } else { Ends::Keep };
        let mut lines = Lines::new(&mut self.out, Quoting::Add, ends, u64::MAX);
        each_piece(content, |piece| lines.push(piece))?;
        lines.finish()?;
        self.out.write_all(if traits.is_ended { b"\n" } else { b"\n\n" })
    }
}

/// The `From ` line and the lines with the flags.
fn head(archived: &Archived) -> String {
    let date = archived.received.and_then(InternalDate::timestamp).unwrap_or_default();
    let mut head = format!("From MAILER-DAEMON {}\n", date.strftime("%a %b %e %H:%M:%S %Y"));
    let letters = |field| LETTERS.iter().filter(move |(name, _, flag)| *name == field && archived.flags.contains(flag));
    let status: String = letters("Status").map(|(_, letter, _)| *letter).chain(['O']).collect();
    head.push_str(&format!("Status: {status}\n"));
    let status: String = letters("X-Status").map(|(_, letter, _)| letter).collect();
    if !status.is_empty() {
        head.push_str(&format!("X-Status: {status}\n"));
    }
    let is_named = |flag: &Flag| LETTERS.iter().any(|(_, _, known)| known == flag);
    let is_kept = |flag: &&Flag| !is_named(flag) && flag.is_settable();
    let others: Vec<&str> = archived.flags.iter().filter(is_kept).map(Flag::as_str).collect();
    if !others.is_empty() {
        head.push_str(&format!("X-Keywords: {}\n", others.join(" ")));
    }
    head
}
