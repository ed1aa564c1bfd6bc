//! The mailboxes themselves: listed, made, renamed, taken away, subscribed to.

use super::{Mail, names, now};
use crate::error::{Code, MailError, Result};
use crate::imap::Role;
use crate::session::{CreateOptions, ListOptions, MailboxInfo, Target};
use crate::store::{Durability, MailboxRow, Reader, Writer, change};

impl Mail {
    /// The mailboxes that are here, by name.
    pub async fn mailboxes(&self, options: ListOptions) -> Result<Vec<MailboxInfo>> {
        self.handle()?.read(move |reader| list(reader, &options)).await
    }

    /// Makes a mailbox and returns its name. On the server it is made with the next pass.
    pub async fn create_mailbox(&self, target: impl Into<Target>, options: CreateOptions) -> Result<String> {
        let target = target.into();
        let create = move |writer: &mut dyn Writer| create(writer, &target, &options);
        self.writable()?.write(Durability::Full, create).await
    }

    /// Gives a mailbox another name, and with it those below it.
    pub async fn rename_mailbox(&self, from: impl Into<Target>, to: impl Into<Target>) -> Result<()> {
        let (from, to) = (from.into(), to.into());
        let rename = move |writer: &mut dyn Writer| {
            let (row, to) = (names::existing(writer, &from)?, names::name_of(writer, &to)?);
            change::rename(writer, row.id, &to, now())
        };
        self.writable()?.write(Durability::Full, rename).await
    }

    /// Takes a mailbox away. One that holds messages or has others below it is [`Code::MailboxNotEmpty`] unless told.
    pub async fn delete_mailbox(&self, target: impl Into<Target>, even_if_not_empty: bool) -> Result<()> {
        let target = target.into();
        let delete = move |writer: &mut dyn Writer| {
            let row = names::existing(writer, &target)?;
            if !even_if_not_empty {
                check_empty(writer, &row)?;
            }
            change::delete(writer, row.id, now())
        };
        self.writable()?.write(Durability::Full, delete).await
    }

    /// Subscribes to a mailbox, or no longer.
    pub async fn subscribe(&self, target: impl Into<Target>, on: bool) -> Result<()> {
        let target = target.into();
        let subscribe = move |writer: &mut dyn Writer| {
            let name = names::name_of(writer, &target)?;
            change::subscribe(writer, &name, on, now())
        };
        self.writable()?.write(Durability::Full, subscribe).await
    }
}

fn list(reader: &dyn Reader, options: &ListOptions) -> Result<Vec<MailboxInfo>> {
    let (rows, subscribed) = (reader.mailboxes()?, reader.subscriptions(None)?);
    let all: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let mut list = Vec::new();
    for row in rows {
        let is_subscribed = subscribed.contains(&row.name);
        let fits = |pattern: &String| fits(&row.name, pattern, row.delimiter);
        if options.subscribed && !is_subscribed || !options.pattern.as_ref().is_none_or(fits) {
            continue;
        }
        let status =
            if options.status && names::is_selectable(&row) { Some(names::status(reader, &row)?) } else { None };
        list.push(MailboxInfo { subscribed: Some(is_subscribed), status, ..names::info(row, &all) });
    }
    Ok(list)
}

/// Whether a name fits a pattern: `*` is anything, `%` anything without the delimiter (RFC 9051 section 6.3.9).
fn fits(name: &str, pattern: &str, delimiter: Option<char>) -> bool {
    let letters: Vec<char> = name.chars().collect();
    // Which beginnings of the name fit the pattern so far, by their length.
    let mut fitting = vec![true];
    fitting.resize(letters.len() + 1, false);
    for wanted in pattern.chars() {
        let mut next = vec![false; letters.len() + 1];
        let mut runs = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            let letter = before.and_then(|at| letters.get(at)).copied();
            let is_fitting = |at: Option<usize>| at.and_then(|at| fitting.get(at)).copied().unwrap_or(false);
            *slot = match wanted {
                '*' | '%' => {
                    let stops = wanted == '%' && letter.is_some() && letter == delimiter;
                    runs = is_fitting(Some(at)) || runs && !stops;
                    runs
                }
                wanted => is_fitting(before) && letter == Some(wanted),
            };
        }
        fitting = next;
    }
    fitting.last().copied().unwrap_or(false)
}

fn create(writer: &mut dyn Writer, target: &Target, options: &CreateOptions) -> Result<String> {
    let name = names::name_of(writer, target)?;
    if options.exist_ok && writer.mailbox_named(&name)?.is_some() {
        return Ok(name);
    }
    let own = |target: &Target| if let Target::Role(role) = target { Some(*role) } else { None };
    let role = options.role.or_else(|| own(target)).filter(|role| *role != Role::Inbox);
    let delimiter = names::delimiter(writer)?;
    change::create(writer, &name, (delimiter, role), now()).map(|_| name)
}

fn check_empty(reader: &dyn Reader, row: &MailboxRow) -> Result<()> {
    let counts = reader.counts(row.id)?;
    let below = row.delimiter.map(|delimiter| format!("{}{delimiter}", row.name));
    let is_above = |other: &MailboxRow| below.as_ref().is_some_and(|below| other.name.starts_with(below));
    if counts.messages + counts.reserved > 0 || reader.mailboxes()?.iter().any(is_above) {
        let text = "The mailbox holds messages, or has others below it";
        return Err(MailError::new(Code::MailboxNotEmpty, text)
            .in_mailbox(&row.name)
            .hint("Say so to delete it all the same"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names_as_list_has_them() {
        for (name, pattern, expected) in [
            ("Archive/2024", "*", true),
            ("Archive/2024", "%", false),
            ("Archive", "%", true),
            ("Archive/2024", "Archive/%", true),
            ("Archive/2024/May", "Archive/%", false),
            ("Archive/2024/May", "Archive/%/M*", true),
            ("Archive", "archive", false),
            ("", "*", true),
        ] {
            assert_eq!(fits(name, pattern, Some('/')), expected, "{name} {pattern}");
        }
    }
}
