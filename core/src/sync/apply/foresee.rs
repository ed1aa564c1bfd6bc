//! A dry run: what a pass would do, by the list of mailboxes and by what the store knows. Nothing is changed.

use super::Pass;
use super::bodies::outlook;
use crate::error::Result;
use crate::sync::plan::Listing;
use crate::sync::{Action, Work};

impl Pass {
    /// What a pass would do, and how much of it in each mailbox.
    pub(super) async fn foresee(&mut self, listing: &Listing, work: Vec<Work>) -> Result<()> {
        let now = self.books.now();
        let (pending, bodies) = self.books.read(move |reader| Ok((reader.pending()?, outlook(reader, now)?))).await?;
        let sends = pending.into_iter().map(|entry| {
            let (place, what) = (entry.intent.mailbox().clone(), entry.intent.to_string());
            let action = Action::Send { intent: entry.id, what };
            Work { id: Some(place.id), mailbox: place.name.as_str().to_owned(), action }
        });
        let bodies = bodies.into_iter().map(|(row, uids, bytes)| Work {
            id: Some(row.id.0),
            mailbox: row.name,
            action: Action::Bodies { uids, bytes },
        });
        self.report.work = work.into_iter().chain(sends).chain(bodies).collect();
        for work in &self.report.work {
            let counts = self.report.mailboxes.entry(work.mailbox.clone()).or_default();
            match &work.action {
                Action::Add => counts.added += messages(listing, &work.mailbox),
                Action::Headers { uids } => counts.added += uids.len(),
                Action::Send { .. } => counts.applied += 1,
                Action::Ask { .. } => counts.asked += 1,
                Action::Bodies { uids, bytes } => {
                    counts.bodies += uids.len();
                    counts.bytes += bytes;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// How many messages the list says a mailbox has.
fn messages(listing: &Listing, name: &str) -> u64 {
    let listed = listing.mailboxes.iter().find(|listed| listed.name.as_str() == name);
    listed.and_then(|listed| listed.numbers.as_ref()?.messages).unwrap_or_default().into()
}
