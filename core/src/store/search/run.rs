//! A search: candidates, the walk, and the look at each.

use super::cache::{Known, Searcher, Segment, SegmentBlocks};
use super::candidate::{Depth, Stored};
use super::text::Lately;
use super::{Hit, SearchFound, SearchOptions, SearchOrder};
use crate::error::{Code, MailError, Result};
use crate::index::{self, DocSet, Hits, Source};
use crate::query::{Candidates, Facet, Field, IndexPlan, Query, no_thread_id};
use crate::store::{Flags, MailboxId, MessageId, Reader, SearchRow, SegmentId, ThreadId, Walk};
use jiff::Zoned;
use std::collections::HashMap;
use std::sync::Arc;

/// With so few candidates, each is looked up by itself, where all are wanted.
const FEW: usize = 5000;

/// The same where some are enough: along the order asked for, these come soon if there are more.
const FEW_OF_SOME: usize = 500;

impl Searcher {
    /// Finds messages. `now` is when the query began; its zone is the one that days are meant in.
    ///
    /// `in:` a mailbox that is not there is `mailbox.missing`, `thread:` what is no thread's id `query.syntax`. [`Query::raw`] is `usage.argument`.
    pub fn search(
        &self,
        reader: &dyn Reader,
        query: &Query,
        now: &Zoned,
        options: &SearchOptions,
    ) -> Result<SearchFound> {
        let plan = query.index_plan(now)?;
        let (segments, known) = self.segments(reader)?;
        let mut search = Search::new((reader, &self.lately), &plan, options)?;
        search.look_up(&segments, &known)?;
        search.run()
    }
}

/// The thread that is told so.
fn thread(id: &str) -> Result<ThreadId> {
    ThreadId::from_object_id(id).ok_or_else(|| no_thread_id(id))
}

struct Search<'a> {
    reader: &'a dyn Reader,
    lately: &'a Lately,
    plan: &'a IndexPlan,
    options: &'a SearchOptions,
    /// By id: their names.
    mailboxes: HashMap<MailboxId, String>,
    /// For every word term of the plan: messages that have its words and, as far as these are held, its seams.
    hits: Vec<Hits>,
    known: Arc<Known>,
    /// Messages that can match; `None` is any.
    candidates: Option<DocSet>,
    /// The mailboxes that are walked.
    within: Option<MailboxId>,
    found: SearchFound,
}

impl<'a> Search<'a> {
    fn new(
        (reader, lately): (&'a dyn Reader, &'a Lately),
        plan: &'a IndexPlan,
        options: &'a SearchOptions,
    ) -> Result<Self> {
        let mailboxes: HashMap<_, _> = reader.mailboxes()?.into_iter().map(|row| (row.id, row.name)).collect();
        plan.threads().into_iter().try_for_each(|id| thread(id).map(drop))?;
        let mut within = options.mailbox;
        for facet in plan.facets() {
            let Facet::In(name) = facet else { continue };
            let row = reader.mailbox_named(&name)?;
            let row =
                row.ok_or_else(|| MailError::new(Code::MailboxMissing, "There is no such mailbox").in_mailbox(&name));
            within = within.or(Some(row?.id));
        }
        Ok(Self {
            reader,
            lately,
            plan,
            options,
            mailboxes,
            hits: Vec::new(),
            known: Arc::default(),
            candidates: None,
            within,
            found: SearchFound::default(),
        })
    }

    /// Step 1: what the index and the rows know of all messages at once.
    fn look_up(&mut self, segments: &[(SegmentId, Arc<Segment>)], known: &Arc<Known>) -> Result<()> {
        if !self.plan.words().is_empty() {
            let reader = self.reader;
            let blocks = segments.iter().map(|(id, segment)| SegmentBlocks { id: *id, segment, reader });
            let blocks: Vec<_> = blocks.collect();
            let sources: Vec<Source<'_>> =
                blocks.iter().map(|blocks| Source { head: &blocks.segment.head, blocks }).collect();
            self.known = self.without_stale(known)?;
            for (number, term) in self.plan.words().iter().enumerate() {
                let mut hits = index::search(term, &sources, self.is_ranked())?;
                if let Some(mut docs) = index::search_seams(term, &sources)? {
                    docs.unite(&self.lacking(number, (&self.known.header_seams, &self.known.body_seams)));
                    hits.docs.intersect(&docs);
                }
                self.hits.push(hits);
            }
            self.candidates = self.candidates_of(&self.plan.candidates())?;
        }
        for facet in self.plan.facets() {
            if let Some(ids) = self.ids(&facet)? {
                self.narrow(ids);
            }
        }
        if self.within.is_none()
            && let Some(ids) = self.with_flags()?
        {
            self.narrow(ids);
        }
        Ok(())
    }

    fn narrow(&mut self, ids: DocSet) {
        match &mut self.candidates {
            Some(candidates) => candidates.intersect(&ids),
            None => self.candidates = Some(ids),
        }
    }

    fn without_stale(&self, known: &Arc<Known>) -> Result<Arc<Known>> {
        let stale: DocSet = self.reader.stale()?.into_iter().map(|id| id.0).collect();
        if stale.is_empty() {
            return Ok(Arc::clone(known));
        }
        let mut known = Known::clone(known);
        known.subtract(&stale);
        Ok(Arc::new(known))
    }

    /// `None` is any message. What is not indexed yet can match whatever is asked.
    fn candidates_of(&self, candidates: &Candidates) -> Result<Option<DocSet>> {
        Ok(match candidates {
            Candidates::All => None,
            Candidates::Words(number) => match self.hits.get(*number) {
                Some(hits) => {
                    let mut docs = hits.docs.clone();
                    docs.unite(&self.not_indexed(*number)?);
                    Some(docs)
                }
                None => None,
            },
            Candidates::And(parts) => {
                let mut all: Option<DocSet> = None;
                for part in parts {
                    match (self.candidates_of(part)?, &mut all) {
                        (Some(docs), Some(all)) => all.intersect(&docs),
                        (Some(docs), None) => all = Some(docs),
                        (None, _) => {}
                    }
                }
                all
            }
            Candidates::Or(parts) => {
                let mut any = DocSet::new();
                for part in parts {
                    match self.candidates_of(part)? {
                        Some(docs) => any.unite(&docs),
                        None => return Ok(None),
                    }
                }
                Some(any)
            }
        })
    }

    /// Messages of which the index does not hold all that a term asks about: those still to be indexed, those whose body
    /// was not here, and those with too many words.
    fn not_indexed(&self, number: usize) -> Result<DocSet> {
        let mut ids: DocSet = self.reader.unindexed(MessageId(0), usize::MAX)?.into_iter().map(|id| id.0).collect();
        ids.unite(&self.lacking(number, (&self.known.header, &self.known.body)));
        Ok(ids)
    }

    /// Messages that the index knows, and that are not among those of which it holds what a term asks about.
    fn lacking(&self, number: usize, (header, body): (&DocSet, &DocSet)) -> DocSet {
        let mut ids = DocSet::new();
        let needed = [(self.needs_header(number), header), (self.needs_body(number), body)];
        for (_, held) in needed.into_iter().filter(|(is_needed, _)| *is_needed) {
            let mut missing = self.known.any.clone();
            missing.subtract(held);
            ids.unite(&missing);
        }
        ids
    }

    fn needs_body(&self, number: usize) -> bool {
        self.plan.words().get(number).is_some_and(|term| term.fields.contains(&Field::Body))
    }

    fn needs_header(&self, number: usize) -> bool {
        let is_header = |field: &Field| *field != Field::Body;
        self.plan.words().get(number).is_some_and(|term| term.fields.iter().any(is_header))
    }

    /// What a message's row must say, where there is a way to such rows.
    fn ids(&self, facet: &Facet) -> Result<Option<DocSet>> {
        let mut ids = DocSet::new();
        match facet {
            Facet::Received(from, until) => self.reader.walk_dates((*from, *until), true, &mut |id| {
                ids.insert(id.0);
                Ok(true)
            })?,
            Facet::Thread(id) => ids.extend(self.reader.thread(thread(id)?)?.into_iter().map(|id| id.0)),
            Facet::Larger(bytes) => ids.extend(self.sized((bytes.saturating_add(1), u64::MAX))?),
            Facet::Smaller(bytes) => ids.extend(self.sized((0, *bytes))?),
            _ => return Ok(None),
        }
        Ok(Some(ids))
    }

    fn sized(&self, sizes: (u64, u64)) -> Result<impl Iterator<Item = i64>> {
        Ok(self.reader.sized(sizes)?.into_iter().map(|id| id.0))
    }

    /// Messages with the flags that every match has, in any mailbox, where these are few: a walk by date meets them late.
    fn with_flags(&self) -> Result<Option<DocSet>> {
        let (with, without) = self.bits();
        let (mut ids, mut count) = (DocSet::new(), 0);
        if with == 0 && without == 0 {
            return Ok(None);
        }
        for mailbox in self.mailboxes.keys() {
            let walk = Walk { mailbox: *mailbox, with, without, newest_first: true };
            self.reader.walk(&walk, &|_| true, &mut |row| {
                ids.insert(row.message.0);
                count += 1;
                Ok(count <= FEW_OF_SOME)
            })?;
        }
        Ok((count <= FEW_OF_SOME).then_some(ids))
    }

    /// Steps 2 to 4.
    fn run(mut self) -> Result<SearchFound> {
        if self.is_ranked() {
            self.rank()?;
            return Ok(self.found);
        }
        let most = if self.options.limit.is_some() { FEW_OF_SOME } else { FEW };
        let few = self.candidates.as_ref().filter(|ids| ids.len() <= most);
        match few.map(|ids| ids.iter().collect::<Vec<i64>>()) {
            Some(ids) => self.look_at_few(&ids)?,
            None => self.walk()?,
        }
        Ok(self.found)
    }

    /// Goes along the candidates, those that are most about the query first, and newest first among equals.
    fn rank(&mut self) -> Result<()> {
        let (reader, candidates) = (self.reader, self.candidates.take());
        let mut ids = Vec::new();
        reader.walk_dates((i64::MIN, i64::MAX), true, &mut |id| {
            if candidates.as_ref().is_none_or(|ids| ids.contains(id.0)) {
                ids.push((self.score(id), id));
            }
            Ok(true)
        })?;
        ids.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (_, id) in ids {
            if !self.look_at(id)? {
                break;
            }
        }
        Ok(())
    }

    fn score(&self, message: MessageId) -> f32 {
        // The sum of none is -0.
        self.hits.iter().filter_map(|hits| hits.scores.get(&message.0)).sum::<f32>() + 0.0
    }

    fn is_ranked(&self) -> bool {
        self.options.order == SearchOrder::Relevance
    }

    fn look_at_few(&mut self, ids: &[i64]) -> Result<()> {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.extend(self.reader.search_rows(MessageId(*id))?.into_iter().filter(|row| self.is_within(row)));
        }
        match self.within {
            Some(_) => rows.sort_by_key(|row| row.uid),
            None => self.sort_by_date(&mut rows)?,
        }
        if self.options.order != SearchOrder::Oldest {
            rows.reverse();
        }
        for row in &rows {
            if !self.look(row)? {
                break;
            }
        }
        Ok(())
    }

    fn sort_by_date(&self, rows: &mut [SearchRow]) -> Result<()> {
        let mut dates = HashMap::new();
        for row in rows.iter() {
            let facts = self.reader.search_facts(row.message)?;
            dates.insert(row.message, facts.map_or(0, |facts| facts.received));
        }
        rows.sort_by_key(|row| (dates.get(&row.message).copied(), row.message));
        Ok(())
    }

    fn is_within(&self, row: &SearchRow) -> bool {
        self.within.is_none_or(|id| id == row.mailbox) && self.mailboxes.contains_key(&row.mailbox)
    }

    fn walk(&mut self) -> Result<()> {
        let newest_first = self.options.order != SearchOrder::Oldest;
        let reader = self.reader;
        let candidates = self.candidates.take();
        let is_candidate = |id: MessageId| candidates.as_ref().is_none_or(|ids| ids.contains(id.0));
        let Some(mailbox) = self.within else {
            return reader.walk_dates((i64::MIN, i64::MAX), newest_first, &mut |id| {
                if is_candidate(id) { self.look_at(id) } else { Ok(true) }
            });
        };
        let (with, without) = self.bits();
        reader.walk(&Walk { mailbox, with, without, newest_first }, &is_candidate, &mut |row| self.look(&row))
    }

    /// The flags that every match has, and those that none has.
    fn bits(&self) -> (u32, u32) {
        let bits = |set: bool| {
            let flag = |facet| match facet {
                Facet::Flag(flag, is_set) if is_set == set => Some(flag),
                _ => None,
            };
            self.plan.facets().into_iter().filter_map(flag).collect::<Flags>().bits()
        };
        (bits(true), bits(false))
    }

    fn look_at(&mut self, id: MessageId) -> Result<bool> {
        for row in self.reader.search_rows(id)? {
            if self.is_within(&row) && !self.look(&row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decides one message, by as little of it as that takes; `false` once there are enough.
    fn look(&mut self, row: &SearchRow) -> Result<bool> {
        let name = self.mailboxes.get(&row.mailbox).map_or("", String::as_str);
        let stored = Stored::new((self.reader, self.lately), row, name);
        let said = [Depth::Row, Depth::Header, Depth::Text].into_iter().find_map(|depth| {
            stored.deepen(depth);
            self.plan.decide(&stored, |number| self.proves(number, row.message))
        });
        stored.end()?;
        if said == Some(false) {
            return Ok(true);
        }
        let hit = Hit { mailbox: row.mailbox, uid: row.uid, message: row.message, score: self.score(row.message) };
        let list = if said.is_some() { &mut self.found.hits } else { &mut self.found.undecided };
        list.push(hit);
        Ok(self.options.limit.is_none_or(|limit| self.found.hits.len() < limit))
    }

    /// What the index proves of a term for a message; `None` where it does not hold enough of it.
    fn proves(&self, number: usize, message: MessageId) -> Option<bool> {
        let (id, known) = (message.0, &self.known);
        let is_whole = |header: &DocSet, body: &DocSet| {
            (!self.needs_header(number) || header.contains(id)) && (!self.needs_body(number) || body.contains(id))
        };
        if !self.hits.get(number)?.docs.contains(id) {
            return is_whole(&known.header, &known.body).then_some(false);
        }
        let term = self.plan.words().get(number)?;
        let by_words = term.is_proof && known.any.contains(id);
        let by_seams = term.are_seams_proof && is_whole(&known.header_seams, &known.body_seams);
        (by_words || by_seams).then_some(true)
    }
}
