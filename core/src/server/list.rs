//! LIST, LSUB and NAMESPACE (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154).

use super::command::List;
use super::pattern::Pattern;
use super::reply::{Handled, Reply, mailbox};
use super::session::Session;
use super::status::status_line;
use crate::error::Result;
use crate::imap::{INBOX, Role};
use crate::store::{MailboxRow, MailboxState, Reader};
use std::collections::{BTreeMap, BTreeSet};

/// What separates levels where no mailbox says so.
const DELIMITER: char = '/';

/// Names with what LIST says of each.
struct Tree {
    delimiter: char,
    /// Every name, those of missing superiors included, which have no row.
    names: BTreeMap<String, Option<MailboxRow>>,
    subscribed: BTreeSet<String>,
}

impl Session {
    pub(super) async fn list(&mut self, list: List) -> Handled {
        let (utf8, limit) = (self.utf8(), self.append_limit());
        let out = self.read(move |reader| Tree::read(reader)?.list(reader, &list, (utf8, limit))).await?;
        Ok(Reply::with("That is all", out))
    }

    pub(super) async fn lsub(&mut self, reference: String, pattern: String) -> Handled {
        let utf8 = self.utf8();
        let out = self.read(move |reader| Ok(Tree::read(reader)?.lsub(&format!("{reference}{pattern}"), utf8))).await?;
        Ok(Reply::with("That is all", out))
    }

    /// One personal namespace, with no prefix (RFC 2342).
    pub(super) async fn namespace(&mut self) -> Handled {
        let delimiter = self.read(|reader| Ok(delimiter(&reader.mailboxes()?))).await?;
        let out = format!("* NAMESPACE ((\"\" {})) NIL NIL\r\n", quoted(delimiter));
        Ok(Reply::with("That is where mail is", out.into_bytes()))
    }
}

/// What separates levels: what the mailboxes say.
pub(super) fn delimiter(rows: &[MailboxRow]) -> char {
    rows.iter().find_map(|row| row.delimiter).unwrap_or(DELIMITER)
}

impl Tree {
    fn read(reader: &dyn Reader) -> Result<Self> {
        let rows: Vec<_> = reader.mailboxes()?.into_iter().filter(|row| row.state != MailboxState::Gone).collect();
        let delimiter = delimiter(&rows);
        let mut names = BTreeMap::new();
        for row in rows {
            for (at, _) in row.name.match_indices(delimiter) {
                let superior = row.name.get(..at).unwrap_or_default();
                if !superior.is_empty() && !names.contains_key(superior) {
                    names.insert(superior.to_owned(), None);
                }
            }
            names.insert(row.name.clone(), Some(row));
        }
        Ok(Self { delimiter, names, subscribed: reader.subscriptions(None)?.into_iter().collect() })
    }

    fn list(&self, reader: &dyn Reader, list: &List, (utf8, limit): (bool, u32)) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let is_empty = list.patterns.iter().all(String::is_empty);
        if is_empty && !list.extended {
            // Only the delimiter is asked for.
            return Ok(format!("* LIST (\\Noselect) {} \"\"\r\n", quoted(self.delimiter)).into_bytes());
        }
        let whole = list.patterns.iter().map(|pattern| format!("{}{pattern}", list.reference));
        let patterns: Vec<Pattern> = whole.map(|pattern| Pattern::new(&pattern, self.delimiter)).collect();
        let is_wanted = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        for (name, row) in self.candidates(list.subscribed) {
            if !is_wanted(name) {
                continue;
            }
            let is_selected = self.is_selected(name, row, list);
            let children = if list.recursive { self.chosen_below(name, list) } else { Vec::new() };
            // A parent is told of where its child would not be (RFC 5258 section 3.5).
            let has_hidden = children.iter().any(|child| !is_wanted(child));
            if is_selected || has_hidden {
                self.line(&mut out, (name, row), (list, utf8), has_hidden);
                if let Some(row) = row.filter(|_| is_selected && !list.status.is_empty()).filter(|row| is_open(row)) {
                    out.extend(status_line(reader, row, &list.status, (utf8, limit))?);
                }
            }
        }
        Ok(out)
    }

    /// Names that can match: subscriptions too where those are asked for, whether there is such a mailbox or not.
    fn candidates(&self, subscribed: bool) -> BTreeMap<&str, Option<&MailboxRow>> {
        let mut all: BTreeMap<_, _> = self.names.iter().map(|(name, row)| (name.as_str(), row.as_ref())).collect();
        if subscribed {
            for name in &self.subscribed {
                all.entry(name).or_insert(None);
            }
        }
        all
    }

    fn is_selected(&self, name: &str, row: Option<&MailboxRow>, list: &List) -> bool {
        let has_use = || row.and_then(|row| row.role).and_then(Role::attribute).is_some();
        (!list.subscribed || self.subscribed.contains(name)) && (!list.special_use || has_use())
    }

    fn chosen_below(&self, name: &str, list: &List) -> Vec<&str> {
        let prefix = format!("{name}{}", self.delimiter);
        let all = self.candidates(list.subscribed).into_iter();
        let below = all.filter(|(child, row)| child.starts_with(&prefix) && self.is_selected(child, *row, list));
        below.map(|(child, _)| child).collect()
    }

    fn line(
        &self,
        out: &mut Vec<u8>,
        (name, row): (&str, Option<&MailboxRow>),
        (list, utf8): (&List, bool),
        has_hidden: bool,
    ) {
        let mut words = self.attributes(name, row);
        if (list.subscribed || list.return_subscribed) && self.subscribed.contains(name) {
            words.push("\\Subscribed".to_owned());
        }
        out.extend_from_slice(format!("* LIST ({}) {} ", words.join(" "), quoted(self.delimiter)).as_bytes());
        mailbox(out, name, utf8);
        if has_hidden {
            let what = if list.subscribed { "SUBSCRIBED" } else { "SPECIAL-USE" };
            out.extend_from_slice(format!(" (\"CHILDINFO\" (\"{what}\"))").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }

    fn attributes(&self, name: &str, row: Option<&MailboxRow>) -> Vec<String> {
        let mut words = Vec::new();
        match row {
            Some(row) if is_open(row) => {}
            Some(_) => words.push("\\Noselect".to_owned()),
            None => words.extend(["\\NonExistent".to_owned(), "\\Noselect".to_owned()]),
        }
        let prefix = format!("{name}{}", self.delimiter);
        let has_children =
            self.names.range(prefix.clone()..).next().is_some_and(|(child, _)| child.starts_with(&prefix));
        words.push(if has_children { "\\HasChildren" } else { "\\HasNoChildren" }.to_owned());
        words.extend(row.and_then(|row| row.role).and_then(Role::attribute).map(str::to_owned));
        words
    }

    /// Subscriptions, and for `%` the superiors of those that it does not reach (RFC 3501 section 6.3.9).
    fn lsub(&self, pattern: &str, utf8: bool) -> Vec<u8> {
        let pattern = Pattern::new(pattern, self.delimiter);
        let mut lines: BTreeMap<&str, bool> = BTreeMap::new();
        for name in &self.subscribed {
            if pattern.matches(name) {
                lines.insert(name, true);
            } else if pattern.has_levels() {
                let superiors = name.match_indices(self.delimiter).filter_map(|(at, _)| name.get(..at));
                superiors.filter(|name| pattern.matches(name)).for_each(|name| {
                    lines.entry(name).or_insert(false);
                });
            }
        }
        let mut out = Vec::new();
        for (name, is_subscribed) in lines {
            let attribute = if is_subscribed { "" } else { "\\Noselect" };
            out.extend_from_slice(format!("* LSUB ({attribute}) {} ", quoted(self.delimiter)).as_bytes());
            mailbox(&mut out, name, utf8);
            out.extend_from_slice(b"\r\n");
        }
        out
    }
}

/// Whether it is a mailbox, and no mere level of names.
fn is_open(row: &MailboxRow) -> bool {
    row.name == INBOX
        || !row
            .attributes
            .iter()
            .any(|word| ["\\Noselect", "\\NonExistent"].iter().any(|container| word.eq_ignore_ascii_case(container)))
}

/// A delimiter as it is written.
pub(super) fn quoted(delimiter: char) -> String {
    if matches!(delimiter, '"' | '\\') { format!("\"\\{delimiter}\"") } else { format!("\"{delimiter}\"") }
}
