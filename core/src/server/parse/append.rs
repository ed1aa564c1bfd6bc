//! APPEND, of one message or several (RFC 9051 section 6.3.12, RFC 3502, RFC 6855 section 4).

use super::{Args, Bad, Result};
use crate::imap::InternalDate;
use crate::server::command::{Command, Mail, NewMail};
use crate::store::Flags;
use crate::wire::Octets;

impl Args<'_> {
    pub(super) fn append(&mut self) -> Result<Command> {
        let name = self.mailbox()?;
        let mut messages = Vec::new();
        loop {
            self.space()?;
            messages.push(self.message()?);
            if self.c.is_at_end() {
                return Ok(Command::Append { name, messages });
            }
        }
    }

    fn message(&mut self) -> Result<NewMail> {
        let mut flags = Flags::new();
        if self.is_at_list() {
            flags = self.flags()?;
            self.space()?;
        }
        let mut date = None;
        if self.c.peek_value() == Some(b'"') {
            let text = self.c.string()?.into_bytes();
            date = Some(InternalDate::parse(&text).ok_or(Bad::Syntax("a date"))?);
            self.space()?;
        }
        let octets = if self.ahead() == "UTF8" { self.utf8_literal()? } else { self.literal()? };
        let body = match octets {
            Octets::Streamed(_) => Mail::Apart,
            octets => Mail::Here(octets.into_bytes()),
        };
        Ok(NewMail { flags, date, body })
    }

    /// `UTF8 (~{…}`
    fn utf8_literal(&mut self) -> Result<Octets> {
        self.expect("UTF8")?;
        self.space()?;
        self.c.open()?;
        let octets = self.literal()?;
        if self.c.close()? { Ok(octets) } else { Err(Bad::Syntax("a closing parenthesis")) }
    }
}
