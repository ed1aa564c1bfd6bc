//! STORE, COPY and MOVE.

use super::{Args, Bad, Result};
use crate::server::command::{Command, Copy, Store, StoreHow};
use crate::store::Flags;

impl Args<'_> {
    /// STORE, with the UNCHANGEDSINCE of RFC 7162 section 3.1.3.
    pub(super) fn store(&mut self, uid: bool) -> Result<Command> {
        let set = self.numbers()?;
        let mut unchanged_since = None;
        self.space()?;
        if self.is_at_list() {
            self.list_of(|args| {
                args.expect("UNCHANGEDSINCE")?;
                unchanged_since = Some(args.number()?);
                Ok(())
            })?;
            self.space()?;
        }
        let item = self.bare()?.to_ascii_uppercase();
        let (item, silent) = item.strip_suffix(".SILENT").map_or((item.as_str(), false), |item| (item, true));
        let how = match item {
            "+FLAGS" => StoreHow::Add,
            "-FLAGS" => StoreHow::Remove,
            "FLAGS" => StoreHow::Replace,
            _ => return Err(Bad::Syntax("FLAGS")),
        };
        self.space()?;
        let flags = if self.is_at_list() { self.flags()? } else { self.bare_flags()? };
        Ok(Command::Store(Store { uid, set, unchanged_since, how, silent, flags }))
    }

    /// Flags without parentheses.
    fn bare_flags(&mut self) -> Result<Flags> {
        let mut flags = Flags::new();
        loop {
            flags.insert(&self.flag()?);
            if self.c.is_at_end() {
                return Ok(flags);
            }
        }
    }

    pub(super) fn copy(&mut self, uid: bool) -> Result<Copy> {
        Ok(Copy { uid, set: self.numbers()?, to: self.mailbox()? })
    }
}
