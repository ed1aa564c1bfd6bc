//! A search over all mailboxes, or one: the messages that come first, how much they are about it, and where.

use super::fetch::load;
use super::{Mail, names};
use crate::error::Result;
use crate::query::{Matcher, Query, Snippet};
use crate::session::{FetchOptions, Message, Target, query_moment};
use crate::store::search::{Hit, SearchFound, SearchOptions, SearchOrder, snippet};
use crate::store::{MailboxId, MailboxRow, MessageId, Reader};
use jiff::Zoned;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// About how long a snippet is, in bytes.
const WIDTH: usize = 160;

/// Options of [`Mail::search`].
#[derive(Clone, Debug)]
pub struct MailSearchOptions {
    /// Only this mailbox; all of them unless given. A message that is in several is found in each.
    pub mailbox: Option<Target>,
    /// Which come first.
    pub order: SearchOrder,
    /// Most that are given; `None` is no limit. 50 unless given.
    pub limit: Option<usize>,
    /// Whether each comes with a [snippet](MailHit::snippet).
    pub snippets: bool,
    /// The time zone that days are meant in, by its IANA name; the system's unless given.
    pub time_zone: Option<String>,
}

impl Default for MailSearchOptions {
    fn default() -> Self {
        Self { mailbox: None, order: SearchOrder::Newest, limit: Some(50), snippets: false, time_zone: None }
    }
}

/// A message that was found.
#[derive(Clone, Debug)]
pub struct MailHit {
    /// The message.
    pub message: Message,
    /// How much it is about the query, to be compared within one search only; 0 unless [`SearchOrder::Relevance`] was
    /// asked for.
    pub score: f32,
    /// The piece of its text, or else of its subject, that has most of what was looked for; `None` where that stands in
    /// neither, where the text is not held here, and where nobody asked.
    pub snippet: Option<Snippet>,
}

impl Mail {
    /// Searches the text and the rest of messages here, by the language of [`Query`], all mailboxes at once.
    ///
    /// A query about words of a text that is not held has it fetched, or ends with
    /// [`Code::BodyNotHere`](crate::Code::BodyNotHere); a mailbox that is not there is
    /// [`Code::MailboxMissing`](crate::Code::MailboxMissing).
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use mailtide::{AppendOptions, AppendSource, Mail, MailOptions, MailSearchOptions, Query};
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let mail = Mail::open(folder.path().join("ada.mail"), MailOptions::default()).await?;
    /// let raw = "From: ada@example.org\r\nSubject: log\r\n\r\nA moth was found in relay 70.\r\n";
    /// mail.mailbox("INBOX")?.append(AppendSource::Bytes(raw.into()), AppendOptions::default()).await?;
    /// let options = MailSearchOptions { snippets: true, ..MailSearchOptions::default() };
    /// let hits = mail.search(Query::parse("moth")?, options).await?;
    /// let snippet = hits[0].snippet.as_ref().unwrap();
    /// assert_eq!(&snippet.text[snippet.marks[0].clone()], "moth");
    /// # mail.close().await
    /// # }).unwrap();
    /// ```
    pub async fn search(&self, query: Query, options: MailSearchOptions) -> Result<Vec<MailHit>> {
        let now = query_moment(options.time_zone.as_deref())?;
        let (found, rows) = self.look(&query, &now, &options).await?;
        let unsure = !found.undecided.is_empty();
        let mut messages = self.messages(&found, &rows).await?;
        let mut hits = take(found.hits, &mut messages);
        if unsure {
            let matcher = query.matcher(&now)?;
            for (hit, message) in take(found.undecided, &mut messages) {
                if message.matches(&matcher).await? {
                    hits.push((hit, message));
                }
            }
            sort(&mut hits, &options);
            hits.truncate(options.limit.unwrap_or(usize::MAX));
        }
        let matcher = options.snippets.then(|| query.folded_matcher(&now)).transpose()?;
        let mut snippets = self.snippets(matcher, hits.iter().map(|(hit, _)| hit.message).collect()).await?.into_iter();
        let whole =
            |(hit, message): (Hit, Message)| MailHit { message, score: hit.score, snippet: snippets.next().flatten() };
        Ok(hits.into_iter().map(whole).collect())
    }

    /// What the store can decide, what not, and the mailboxes that these are in.
    async fn look(
        &self,
        query: &Query,
        now: &Zoned,
        options: &MailSearchOptions,
    ) -> Result<(SearchFound, Vec<MailboxRow>)> {
        let (mail, query, now) = (self.clone(), query.clone(), now.clone());
        let (target, order, limit) = (options.mailbox.clone(), options.order, options.limit);
        let look = move |reader: &dyn Reader| {
            let mailbox = target.map(|target| names::existing(reader, &target)).transpose()?.map(|row| row.id);
            let found =
                mail.store().searcher().search(reader, &query, &now, &SearchOptions { mailbox, order, limit })?;
            Ok((found, reader.mailboxes()?))
        };
        self.handle()?.read(look).await
    }

    /// The messages, by where they are; without those that have gone since.
    async fn messages(&self, found: &SearchFound, rows: &[MailboxRow]) -> Result<Messages> {
        let mut places: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for hit in found.hits.iter().chain(&found.undecided) {
            places.entry(hit.mailbox).or_default().push(hit.uid);
        }
        let mut messages = HashMap::new();
        for row in rows {
            let uids = places.remove(&row.id).unwrap_or_default().into_iter().collect();
            let loaded = load(self, row, &uids, &FetchOptions::default()).await?;
            messages.extend(loaded.into_iter().map(|message| ((row.id, message.uid()), message)));
        }
        Ok(messages)
    }

    async fn snippets(&self, matcher: Option<Matcher>, messages: Vec<MessageId>) -> Result<Vec<Option<Snippet>>> {
        let Some(matcher) = matcher else { return Ok(Vec::new()) };
        let read = move |reader: &dyn Reader| {
            messages.into_iter().map(|message| snippet(reader, message, &matcher, WIDTH)).collect()
        };
        self.handle()?.read(read).await
    }
}

type Messages = HashMap<(MailboxId, u32), Message>;

fn take(hits: Vec<Hit>, messages: &mut Messages) -> Vec<(Hit, Message)> {
    hits.into_iter().filter_map(|hit| Some((hit, messages.remove(&(hit.mailbox, hit.uid))?))).collect()
}

/// The order that was asked for, for hits that come from two lists.
fn sort(hits: &mut [(Hit, Message)], options: &MailSearchOptions) {
    let received = |message: &Message| message.received().map_or(i64::MIN, |date| date.seconds);
    match (&options.mailbox, options.order) {
        (Some(_), SearchOrder::Newest | SearchOrder::Oldest) => hits.sort_by_key(|(hit, _)| Reverse(hit.uid)),
        _ => hits.sort_by_key(|(hit, message)| Reverse((received(message), hit.message))),
    }
    match options.order {
        SearchOrder::Newest => {}
        SearchOrder::Oldest => hits.reverse(),
        SearchOrder::Relevance => hits.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score)),
    }
}
