//! CREATE, STATUS, SELECT and EXAMINE.

use super::{Args, Bad, Result};
use crate::imap::Role;
use crate::imap::command::StatusItem;
use crate::server::command::{Command, Qresync, Select};
use crate::server::numbers::Numbers;

impl Args<'_> {
    /// CREATE, with the USE of RFC 6154 section 3.
    pub(super) fn create(&mut self) -> Result<Command> {
        let name = self.mailbox()?;
        let mut role = None;
        if !self.c.is_at_end() {
            self.list_of(|args| {
                args.expect("USE")?;
                args.list_of(|args| {
                    let word = args.bare()?;
                    role = Some(Role::from_attribute(&word).ok_or(Bad::Syntax("a special use"))?);
                    Ok(())
                })
            })?;
        }
        Ok(Command::Create { name, role })
    }

    pub(super) fn status(&mut self) -> Result<Command> {
        let name = self.mailbox()?;
        Ok(Command::Status { name, items: self.status_items()? })
    }

    pub(super) fn status_items(&mut self) -> Result<Vec<StatusItem>> {
        let mut items = Vec::new();
        self.list_of(|args| {
            let word = args.bare()?;
            let item = StatusItem::ALL.into_iter().find(|item| item.as_str().eq_ignore_ascii_case(&word));
            let item = item.ok_or(Bad::Syntax("an item of STATUS"))?;
            if !items.contains(&item) {
                items.push(item);
            }
            Ok(())
        })?;
        if items.is_empty() { Err(Bad::Syntax("an item of STATUS")) } else { Ok(items) }
    }

    /// SELECT, with the parameters of RFC 7162.
    pub(super) fn select(&mut self, read_only: bool) -> Result<Command> {
        let mut select = Select { name: self.mailbox()?, read_only, ..Select::default() };
        if !self.c.is_at_end() {
            self.list_of(|args| {
                match args.bare()?.to_ascii_uppercase().as_str() {
                    "CONDSTORE" => select.condstore = true,
                    "QRESYNC" => select.qresync = Some(args.qresync()?),
                    _ => return Err(Bad::Syntax("a parameter of SELECT")),
                }
                Ok(())
            })?;
        }
        Ok(Command::Select(select))
    }

    /// `(UIDVALIDITY MODSEQ [known-uids [(seqs uids)]])`. The last pair helps only servers that forget what was expunged.
    fn qresync(&mut self) -> Result<Qresync> {
        self.c.spaces();
        self.c.open()?;
        let uid_validity = self.c.number32()?;
        let mod_seq = self.number()?;
        let mut known = None;
        if !self.c.close()? {
            if !self.is_at_list() {
                known = Some(self.bare_numbers()?);
            }
            if !self.c.close()? {
                self.list_of(|args| args.bare_numbers().map(drop))?;
                if !self.c.close()? {
                    return Err(Bad::Syntax("the end of QRESYNC"));
                }
            }
        }
        Ok(Qresync { uid_validity, mod_seq, known })
    }

    /// A word where no space has to be before it.
    pub(super) fn bare(&mut self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.c.keyword()?).into_owned())
    }

    fn bare_numbers(&mut self) -> Result<Numbers> {
        Numbers::parse(self.c.keyword()?).ok_or(Bad::Syntax("a set of numbers"))
    }

    pub(super) fn expect(&mut self, word: &'static str) -> Result<()> {
        if self.bare()?.eq_ignore_ascii_case(word) { Ok(()) } else { Err(Bad::Syntax(word)) }
    }
}
