//! LIST in all its forms (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154).

use super::{Args, Bad, Result, named};
use crate::server::command::{Command, List};

/// Most patterns of one LIST.
const MOST_PATTERNS: usize = 100;

impl Args<'_> {
    pub(super) fn list(&mut self) -> Result<Command> {
        let mut list = List::default();
        self.space()?;
        if self.is_at_list() {
            list.extended = true;
            self.list_of(|args| args.selection(&mut list))?;
            if list.recursive && !(list.subscribed || list.special_use) {
                return Err(Bad::Syntax("something that RECURSIVEMATCH can look for"));
            }
            self.space()?;
        }
        list.reference = named(&self.c.astring()?, self.utf8)?;
        self.space()?;
        if self.is_at_list() {
            list.extended = true;
            self.list_of(|args| args.pattern(&mut list))?;
        } else {
            self.pattern(&mut list)?;
        }
        if !self.c.is_at_end() {
            list.extended = true;
            self.space()?;
            self.expect("RETURN")?;
            self.list_of(|args| args.returned(&mut list))?;
        }
        Ok(Command::List(list))
    }

    fn pattern(&mut self, list: &mut List) -> Result<()> {
        if list.patterns.len() >= MOST_PATTERNS {
            return Err(Bad::Syntax("fewer patterns"));
        }
        list.patterns.push(named(&self.c.astring()?, self.utf8)?);
        Ok(())
    }

    fn selection(&mut self, list: &mut List) -> Result<()> {
        match self.bare()?.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => list.subscribed = true,
            "RECURSIVEMATCH" => list.recursive = true,
            "SPECIAL-USE" => list.special_use = true,
            // There are no mailboxes elsewhere.
            "REMOTE" => {}
            _ => return Err(Bad::Syntax("a selection option of LIST")),
        }
        Ok(())
    }

    fn returned(&mut self, list: &mut List) -> Result<()> {
        match self.bare()?.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => list.return_subscribed = true,
            // Both are always told.
            "CHILDREN" | "SPECIAL-USE" => {}
            "STATUS" => list.status = self.status_items()?,
            _ => return Err(Bad::Syntax("a return option of LIST")),
        }
        Ok(())
    }
}
