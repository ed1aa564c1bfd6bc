//! SORT and THREAD (RFC 5256, RFC 5267).

use super::command::{Algorithm, Search, SortBy, SortKey, Wanted};
use super::reply::{Handled, News, Reply};
use super::search::{Look, esearch};
use super::session::Session;
use crate::imap::UidSet;
use crate::message::{
    BaseSubject, Headers, Threaded, Threading, base_subject, message_ids, parse_addresses, references, thread_text,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a message is sorted by; in the order of the criteria.
struct Sortable {
    uid: u32,
    keys: Vec<Value>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
}

impl Session {
    pub(super) async fn sort(&mut self, search: Search, keys: Vec<SortKey>) -> Handled {
        let program = self.program(&search)?;
        let order = keys.clone();
        let rows = self.found(&search, program, move |look| sortable(look, &keys)).await?;
        let mut rows: Vec<Sortable> = rows.into_iter().map(|(_, row)| row).collect();
        rows.sort_by(|left, right| compare(left, right, &order));
        let reply = self.sorted(&search, &rows.iter().map(|row| row.uid).collect::<Vec<_>>())?;
        if search.wanted.is_some_and(|wanted| wanted.save)
            && let Some(selected) = &mut self.selected
        {
            selected.saved = rows.iter().map(|row| row.uid).collect();
        }
        Ok(reply)
    }

    fn sorted(&self, search: &Search, uids: &[u32]) -> Handled {
        let selected = self.mailbox()?;
        let number = |uid: &u32| if search.uid { Some(*uid) } else { selected.view.seq(*uid) };
        let numbers: Vec<u32> = uids.iter().filter_map(number).collect();
        let out = match search.wanted {
            None => {
                let mut out = "* SORT".to_owned();
                out.extend(numbers.iter().map(|number| format!(" {number}")));
                out.push_str("\r\n");
                out
            }
            Some(wanted) => returned(self.tag(), (wanted, search.uid), &numbers),
        };
        let news = if search.uid { News::All } else { News::NoExpunge };
        Ok(Reply::with("That is their order", out.into_bytes()).news(news))
    }

    pub(super) async fn thread(&mut self, search: Search, algorithm: Algorithm) -> Handled {
        let program = self.program(&search)?;
        let rows = self.found(&search, program, threading).await?;
        let selected = self.mailbox()?;
        let (uids, messages): (Vec<u32>, Vec<Threading>) = rows.into_iter().unzip();
        let nodes = match algorithm {
            Algorithm::References => references(&messages),
            Algorithm::OrderedSubject => by_subject(&messages),
        };
        let number = |at: usize| {
            let uid = uids.get(at).copied().unwrap_or_default();
            if search.uid { uid } else { selected.view.seq(uid).unwrap_or_default() }
        };
        let text = thread_text(&nodes, number);
        let gap = if text.is_empty() { "" } else { " " };
        let news = if search.uid { News::All } else { News::NoExpunge };
        Ok(Reply::with("That is how they hang together", format!("* THREAD{gap}{text}\r\n").into_bytes()).news(news))
    }
}

/// MIN and MAX are the first and the last in the order (RFC 5267 section 3.1); ALL keeps it.
fn returned(tag: &str, (wanted, uid): (Wanted, bool), numbers: &[u32]) -> String {
    let all: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let set: UidSet = numbers.iter().copied().collect();
    let ends = Wanted { min: false, max: false, ..wanted };
    let mut out = esearch(tag, (ends, uid), (&set, &all.join(",")), None);
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        let mut more = String::new();
        if wanted.min {
            let _ = write!(more, " MIN {first}");
        }
        if wanted.max {
            let _ = write!(more, " MAX {last}");
        }
        out = out.replace("\r\n", &format!("{more}\r\n"));
    }
    out
}

fn sortable(look: &Look<'_>, keys: &[SortKey]) -> Sortable {
    Sortable { uid: look.placement().uid, keys: keys.iter().map(|key| value(look, key.by)).collect() }
}

fn value(look: &Look<'_>, by: SortBy) -> Value {
    let text = |text: Option<String>| Value::Text(text.unwrap_or_default());
    match by {
        SortBy::Arrival => Value::Number(look.facts().map_or(0, |row| row.internal_date.seconds)),
        SortBy::Size => Value::Number(look.facts().map_or(0, |row| i64::try_from(row.size).unwrap_or(i64::MAX))),
        SortBy::Date => Value::Number(sent(look)),
        SortBy::Subject => text(look.headers().map(|headers| subject(headers).text)),
        SortBy::From => text(look.headers().map(|headers| first_mailbox(headers, "From"))),
        SortBy::To => text(look.headers().map(|headers| first_mailbox(headers, "To"))),
        SortBy::Cc => text(look.headers().map(|headers| first_mailbox(headers, "Cc"))),
    }
}

/// By each criterion in turn, and last by the place in the mailbox.
fn compare(left: &Sortable, right: &Sortable, order: &[SortKey]) -> Ordering {
    for ((left, right), key) in left.keys.iter().zip(&right.keys).zip(order) {
        let order = if key.reverse { right.cmp(left) } else { left.cmp(right) };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.uid.cmp(&right.uid)
}

/// The sent date (RFC 5256 section 2.2).
fn sent(look: &Look<'_>) -> i64 {
    let date = look.headers().and_then(Headers::date).or_else(|| look.facts().map(|row| row.internal_date));
    date.map_or(0, |date| date.seconds)
}

fn subject(headers: &Headers) -> BaseSubject {
    base_subject(&headers.get("Subject").unwrap_or_default())
}

/// The part before the `@` of the first address, in lower case.
fn first_mailbox(headers: &Headers, name: &str) -> String {
    let first = headers.get_raw(name).and_then(|value| parse_addresses(value).into_iter().next());
    let email = first.map(|address| address.email).unwrap_or_default();
    email.rsplit_once('@').map_or(email.as_str(), |(mailbox, _)| mailbox).to_lowercase()
}

fn threading(look: &Look<'_>) -> Threading {
    let Some(headers) = look.headers() else { return Threading::default() };
    let ids = |name: &str| headers.get_raw(name).map(message_ids).unwrap_or_default();
    let mut named = ids("References");
    if named.is_empty() {
        named = ids("In-Reply-To").into_iter().take(1).collect();
    }
    let message_id = ids("Message-ID").into_iter().next();
    Threading { message_id, references: named, sent: sent(look), subject: subject(headers) }
}

/// ORDEREDSUBJECT (RFC 5256 section 3): one level below the first of each subject.
fn by_subject(messages: &[Threading]) -> Vec<Threaded> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        groups.entry(&message.subject.text).or_default().push(at);
    }
    let date = |at: &usize| (messages.get(*at).map_or(0, |message| message.sent), *at);
    let mut threads: Vec<Vec<usize>> = groups.into_values().collect();
    threads.iter_mut().for_each(|thread| thread.sort_by_key(date));
    threads.sort_by_key(|thread| thread.first().map(date));
    let node = |(place, at): (usize, usize)| Threaded { message: Some(at), depth: place.min(1) };
    threads.into_iter().flat_map(|thread| thread.into_iter().enumerate().map(node).collect::<Vec<_>>()).collect()
}
