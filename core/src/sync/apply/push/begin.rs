//! What comes first for a change: its first step, a look at what a lost answer has left, or nothing.

use super::Item;
use crate::error::{Code, MailError, Result};
use crate::imap::MailboxName;
use crate::journal::answer::{self, Answer};
use crate::journal::steps::{self, At, Facts, Next};
use crate::journal::{Cause, Entry, Intent, State, Step};
use crate::planted::{Bug, planted};
use crate::store::{MailboxId, MailboxState};
use crate::sync::apply::Pass;
use crate::sync::apply::held::{Held, name_of};
use crate::sync::apply::sight::Look;

/// How often a mailbox that looks empty is waited for before that is believed.
pub(in crate::sync::apply) const EMPTY_LOOKS: u32 = 2;

/// What is known of the mailboxes of a change, or why nothing can be done to its message now.
#[derive(Clone)]
enum Known {
    Facts(Facts),
    /// It was numbered anew since it was last compared.
    Renumbered,
    /// It looks empty.
    Empty,
}

impl Pass {
    /// An entry whose mailbox cannot be opened, so that nothing can be sent for it.
    pub(super) async fn unable(&mut self, entry: Entry, error: &MailError) -> Result<()> {
        let mailbox = MailboxId(entry.intent.mailbox().id);
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        if row.as_ref().is_some_and(|row| row.state == MailboxState::Gone) {
            return self.end(entry, State::Superseded { by: Cause::MailboxGone }, None).await;
        }
        let is_unlisted = row.and_then(|row| row.remote).is_some_and(|remote| remote.unlisted > 0);
        match answer::read(&entry.intent, error, true) {
            // The next list says whether it is gone.
            Answer::End(_) if is_unlisted => self.again(entry, None).await,
            // What may have been done already is not begun anew for a mailbox that would not be opened once.
            Answer::End(State::Parked { .. }) if matches!(entry.state, State::Started { .. }) => {
                self.again(entry, None).await
            }
            Answer::End(state) => self.end(entry, state, None).await,
            Answer::Later(delay) => self.again(entry, delay).await,
            Answer::Doubt | Answer::Offline => self.again(entry, None).await,
        }
    }

    /// What comes first for each entry: its first step, or a look at what a lost answer has left.
    pub(super) async fn start(&mut self, entries: &[Entry]) -> Result<Vec<Item>> {
        let asked = entries.to_vec();
        let held: Vec<Held> =
            self.books.read(move |reader| asked.iter().map(|entry| Held::of(reader, entry)).collect()).await?;
        let mut items = Vec::new();
        let mut facts = None;
        for (entry, held) in entries.iter().cloned().zip(held) {
            let uid = if let At::Uid(uid) = held.at { Some(uid) } else { None };
            if let State::Started { step } = entry.state {
                let next = match self.lost_track(&entry, &held, step).await? {
                    Some(next) => next,
                    None => self.look(&entry, step, (uid, Look::Once)).await?,
                };
                items.push(Item { entry, uid, next });
                continue;
            }
            // All of a batch are about the same mailboxes, which are asked once.
            let known = match facts.clone() {
                Some(known) => known,
                None => facts.insert(self.facts(&entry, &held).await?).clone(),
            };
            let next = match known {
                Known::Facts(common) => {
                    let facts = Facts { at: held.at, has_body: held.has_body, ..common };
                    go_on(steps::begin(&entry.intent, self.line.step_means(), &facts), &entry.intent, held.landed)
                }
                Known::Renumbered if held.is_deleted() => steps::left_behind(&entry.intent, None),
                Known::Renumbered | Known::Empty => Next::Wait { step: None },
            };
            items.push(Item { entry, uid, next });
        }
        Ok(items)
    }

    /// What becomes of a step whose message has no number that can be believed: the mailbox was numbered anew since it
    /// was begun, and the old number may be another message's.
    async fn lost_track(&mut self, entry: &Entry, held: &Held, step: Step) -> Result<Option<Next>> {
        let is_placing = matches!(step, Step::Place { .. } | Step::Find { .. });
        let wait = Ok(Some(Next::Wait { step: Some(step) }));
        if is_placing && self.is_renumbered(entry, held).await? {
            return wait;
        }
        let Some(target) = entry.intent.target() else { return Ok(None) };
        match held.at {
            At::Lost if !is_placing => Ok(Some(steps::lost(step))),
            At::Sought if !is_placing => wait,
            At::Uid(_) if !held.is_unstable(self.options.care.resets, self.books.now()) => {
                let name = name_of(held.source.as_ref(), target.mailbox.name.clone());
                let there = self.snapshot(&name, Look::Once).await?.uid_validity();
                match held.is_numbered(there) {
                    true => Ok(None),
                    false if held.is_deleted() => Ok(Some(steps::left_behind(&entry.intent, Some(step)))),
                    // The comparison of this pass or the next says where the message is now.
                    false => wait,
                }
            }
            _ => Ok(None),
        }
    }

    /// Whether the mailbox that a message goes to was numbered anew and not compared since: what is there already is known
    /// after that, and told from a copy.
    async fn is_renumbered(&mut self, entry: &Entry, held: &Held) -> Result<bool> {
        let Some(to) = entry.intent.landing() else { return Ok(false) };
        let name = name_of(held.target.as_ref(), to.mailbox.name.clone());
        let there = match self.snapshot(&name, Look::Once).await {
            Ok(snapshot) => snapshot.uid_validity(),
            Err(error) if is_refusal(&error) || error.code() == Code::MailboxMissing => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(held.awaits_numbers(there, self.options.care.resets, self.books.now()))
    }

    /// Looks for what a lost answer may have left.
    pub(super) async fn look(&mut self, entry: &Entry, step: Step, (uid, look): (Option<u32>, Look)) -> Result<Next> {
        let sighting = match self.sight(entry, step, (uid, look)).await {
            // Who refuses to be looked at has not said what is there: another pass asks again.
            Err(error) if is_refusal(&error) => return Ok(Next::Wait { step: Some(step) }),
            sighting => sighting?,
        };
        let is_odd = sighting.is_empty && steps::leaves_original(&entry.intent, step, self.line.step_means());
        if is_odd && entry.attempts < EMPTY_LOOKS {
            return Ok(Next::Wait { step: Some(step) });
        }
        Ok(steps::doubt(entry, step, &sighting, self.line.step_means(), self.books.now().seconds()))
    }

    /// What is known of the mailboxes just before the first step.
    async fn facts(&mut self, entry: &Entry, held: &Held) -> Result<Known> {
        let unstable = held.is_unstable(self.options.care.resets, self.books.now());
        let mut facts = Facts { unstable, ..Facts::default() };
        if entry.intent.target().is_some() {
            let name = name_of(held.source.as_ref(), entry.intent.mailbox().name.clone());
            let selected = self.line.select(&name).await?;
            // One that is numbered anew all the time is paused with its last numbers, and that is said.
            if !held.is_numbered(selected.uid_validity) && !unstable && !planted(Bug::NumbersTrusted) {
                return Ok(Known::Renumbered);
            }
            // A server that shows nothing and says OK to everything has done nothing: the next comparison tells which it is.
            if selected.exists == 0 && matches!(held.at, At::Uid(_)) && entry.attempts < EMPTY_LOOKS {
                return Ok(Known::Empty);
            }
            let writes_here = !matches!(entry.intent, Intent::Copy { .. });
            facts.read_only = selected.read_only && writes_here;
            facts.keeps = selected.permanent_flags;
        }
        if let Some(to) = entry.intent.landing() {
            let name = name_of(held.target.as_ref(), to.mailbox.name.clone());
            facts.to = self.numbers(&name).await?.map(|(validity, next, _)| (validity, next));
        }
        if let Intent::DeleteMailbox { mailbox, .. } = &entry.intent {
            facts.holds = self.holdings(&mailbox.name).await?;
        }
        Ok(Known::Facts(facts))
    }

    /// UIDVALIDITY, UIDNEXT and message count of a mailbox that is to be removed. Where the server tells no UIDNEXT, it is
    /// the number after the last, as it was taken down when the mailbox was compared.
    async fn holdings(&mut self, name: &MailboxName) -> Result<Option<(u32, u32, u32)>> {
        let numbers = self.numbers(name).await?;
        let Some((_, 1, 1..)) = numbers else { return Ok(numbers) };
        let found = self.snapshot(name, Look::Anew).await?;
        Ok(Some((found.uid_validity(), found.uid_next(), u32::try_from(found.len()).unwrap_or(u32::MAX))))
    }
}

/// A change that was parked after its message had arrived is never placed again: what is left is to take the original
/// away.
fn go_on(next: Next, intent: &Intent, landed: Option<(u32, u32)>) -> Next {
    match (next, intent, landed) {
        (Next::Send { .. }, Intent::Move { .. }, Some(copy)) => {
            Next::Send { step: Step::Mark { copy: Some(copy) }, act: steps::Act::Mark }
        }
        (Next::Send { .. }, Intent::Copy { .. } | Intent::Append { .. }, Some(_)) => {
            Next::End { state: State::Applied { note: None }, placed: landed }
        }
        (next, _, _) => next,
    }
}

/// Whether the server would not do it just now, which says nothing of what it has.
fn is_refusal(error: &MailError) -> bool {
    matches!(error.code(), Code::ServerRefused | Code::ServerUnavailable | Code::ServerBad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Digest, Landing, Place, Target};

    #[test]
    fn what_has_arrived_is_never_placed_again() {
        let mailbox = Place { id: 1, name: MailboxName::new("A", false) };
        let digest = Digest::of_header(b"");
        let target = Target { mailbox: mailbox.clone(), local: 1, uid_validity: Some(7), uid: Some(5), digest };
        let to = Landing { mailbox, local: 2 };
        let place =
            Next::Send { step: Step::Place { uid_validity: 7, uid_next: 9, unseen: None }, act: steps::Act::Copy };
        let moved = Intent::Move { target: target.clone(), to: to.clone() };
        let mark = Next::Send { step: Step::Mark { copy: Some((7, 6)) }, act: steps::Act::Mark };
        assert_eq!(go_on(place.clone(), &moved, Some((7, 6))), mark);
        assert_eq!(go_on(place.clone(), &moved, None), place);
        let copied = go_on(place, &Intent::Copy { target, to }, Some((7, 6)));
        assert!(matches!(copied, Next::End { state: State::Applied { .. }, .. }));
    }
}
