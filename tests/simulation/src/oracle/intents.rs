//! The intent oracle: each local change ends as applied, superseded by somebody else's later change, or parked with a
//! reason that there was; and what is applied is to be seen.

use super::{Deed, Fates, Violation};
use crate::device::{Fate, LocalMessage, Snapshot, Verb};
use crate::model::{Change, Entry, Server};
use crate::run::Party;
use std::collections::BTreeMap;

/// What the devices show, by their numbers.
pub type Shown = BTreeMap<u32, Snapshot>;

/// Judges every deed of every device.
pub fn judge(server: &Server, devices: &[Party], fates: &Fates, shown: &Shown, faulty: bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for actor in devices {
        let parked = fates[&actor.number].values().any(|fate| matches!(fate, Fate::Parked(_)));
        for (at, deed) in actor.deeds.iter().enumerate() {
            let Some(ticket) = deed.ticket.filter(|_| !matches!(deed.verb, Verb::Send { .. })) else { continue };
            let (later, shown) = (&actor.deeds[at + 1..], &shown[&actor.number]);
            let case = Case { server, actor, deed, later, shown, faulty, parked };
            if let Some(wrong) = case.wrong(fates[&actor.number].get(&ticket)) {
                let verb = crate::run::shown_verb(&deed.verb);
                let text = format!("device {}: {verb} on message {}: {wrong}", actor.number, deed.token);
                found.push(Violation::new("intent", text));
            }
        }
    }
    found
}

struct Case<'a> {
    server: &'a Server,
    actor: &'a Party,
    deed: &'a Deed,
    later: &'a [Deed],
    shown: &'a Snapshot,
    faulty: bool,
    /// Whether anything of this device is parked: then what is only here is no mistake.
    parked: bool,
}

impl Case<'_> {
    fn wrong(&self, fate: Option<&Fate>) -> Option<String> {
        match fate {
            None => Some("it was acknowledged and is forgotten".to_owned()),
            Some(Fate::Pending) => Some("it is still pending".to_owned()),
            Some(Fate::Parked(reason)) if !self.may_park(reason) => Some(format!("parked without cause: {reason}")),
            Some(Fate::Parked(_)) => None,
            Some(Fate::Superseded) if !self.overtaken_by_others() && !self.removes_mailboxes() => {
                Some("superseded by nobody".to_owned())
            }
            Some(Fate::Superseded) => None,
            Some(Fate::Merged) if self.deed.changes && !self.has_company() && !self.goes_with_a_mailbox() => {
                Some("part of a later change that nobody made".to_owned())
            }
            Some(Fate::Merged) => self.unmerged(),
            Some(Fate::Applied) => self.unapplied(),
        }
    }

    /// Whether the message had other changes of this device, before or after, that this one can be part of or undo.
    fn has_company(&self) -> bool {
        self.actor.deeds.iter().filter(|deed| deed.token == self.deed.token).count() > 1
    }

    /// Whether the user of this device has removed a mailbox later: what was only to arrive in it is part of that.
    fn goes_with_a_mailbox(&self) -> bool {
        let arrives = matches!(self.deed.verb, Verb::Append { .. } | Verb::Copy { .. });
        arrives && self.later.iter().any(|deed| matches!(deed.verb, Verb::Remove { .. }))
    }

    /// Whether anything happened for which a change can be parked.
    fn may_park(&self, reason: &str) -> bool {
        self.faulty
            // What it waits for is judged by itself.
            || reason.starts_with("waits")
            || self.server.traffic(self.actor.number).refused > 0
            || self.server.personality.restless_validity
            || self.server.personality.read_only
            || self.touched_by_others()
    }

    /// Whether somebody else did something to this message or to mailboxes, at any time: what a device had not seen yet
    /// counts as well.
    fn touched_by_others(&self) -> bool {
        self.others_did(|e| matches!(e.change, Change::Renumbered)) || self.overtaken_by_others()
    }

    /// The same, a mailbox numbered anew aside: a message is found again, and with it what is to become of it.
    fn overtaken_by_others(&self) -> bool {
        if self.deed.is_of_mailbox() {
            return self.others_did(|_| true);
        }
        self.others_did(|e| match &e.change {
            Change::Mailbox { .. } => true,
            Change::Renumbered => false,
            Change::Added { token, .. } | Change::Expunged { token } | Change::Swept { token } => {
                *token == self.deed.token
            }
            Change::Flag { .. } => super::harm::token_of(self.server, e.serial) == Some(self.deed.token),
        })
    }

    fn others_did(&self, what: impl Fn(&Entry) -> bool) -> bool {
        self.server.log.iter().any(|e| e.actor != self.actor.number && e.at > 0 && what(e))
    }

    /// Whether the user of this device removes mailboxes: what was under way for a message in one has come to nothing.
    fn removes_mailboxes(&self) -> bool {
        self.actor.deeds.iter().any(|deed| matches!(deed.verb, Verb::Remove { .. }))
    }

    /// Whether the user of this device has renamed or removed something, or made it again, later on.
    fn is_overtaken(&self) -> bool {
        self.touched_by_others() || self.later.iter().any(Deed::is_of_mailbox)
    }

    /// Whether somebody else has taken the mark of the deletion away before the message went.
    fn is_saved(&self, serial: u64) -> bool {
        let unmarks = |change: &Change| matches!(change, Change::Flag { flag, set: false } if flag == "\\Deleted");
        let by_others = |e: &&Entry| e.actor != self.actor.number && e.serial == serial;
        self.server.log.iter().filter(by_others).any(|e| unmarks(&e.change))
    }

    /// What is missing of a flag change that became part of a later change: the last word about a flag holds.
    fn unmerged(&self) -> Option<String> {
        let Verb::Flag { flag, set, .. } = &self.deed.verb else { return None };
        if self.parked { None } else { self.flag_differs(flag, *set) }
    }

    /// What is missing of a change that is said to be applied.
    fn unapplied(&self) -> Option<String> {
        match &self.deed.verb {
            Verb::Flag { flag, set, .. } => self.flag_differs(flag, *set),
            Verb::Delete { .. } | Verb::Move { .. } => {
                let serial = self.deed.serial?;
                // Without UIDPLUS it can only be marked, and somebody else may take the mark away.
                let uidplus = self.server.personality.has("UIDPLUS");
                let there = self.placed(serial).is_some() && (uidplus || !self.marked(serial));
                (there && !self.is_saved(serial)).then(|| "the original is still there".to_owned())
            }
            Verb::Create { name } => {
                let gone = self.server.named(name).is_none() && !self.is_overtaken();
                gone.then(|| "there is no such mailbox".to_owned())
            }
            Verb::Rename { to, .. } => {
                // What was a level only is one under its new name.
                let level = self.deed.is_level && super::is_level(self.server, to);
                let gone = self.server.named(to).is_none() && !level && !self.is_overtaken();
                gone.then(|| "there is no mailbox of the new name".to_owned())
            }
            Verb::Remove { name } => {
                let level = super::is_level(self.server, name);
                let there = self.server.named(name).is_some() && !level && !self.is_overtaken();
                there.then(|| "the mailbox is still there".to_owned())
            }
            // Their copies are counted.
            Verb::Copy { .. } | Verb::Append { .. } | Verb::Send { .. } => None,
        }
    }

    /// Whether the device has ever marked a placement as deleted, or found it so.
    fn marked(&self, serial: u64) -> bool {
        let marks = |e: &Entry| {
            e.serial == serial && matches!(&e.change, Change::Flag { flag, set: true } if flag == "\\Deleted")
        };
        self.placed(serial).is_some_and(|p| p.has("\\Deleted")) || self.server.log.iter().any(marks)
    }

    fn placed(&self, serial: u64) -> Option<&crate::model::Placement> {
        self.server.mailboxes().flat_map(|m| m.placements.values()).find(|p| p.serial == serial)
    }

    /// The placement that a deed is about now: the one it was about, or what became of it on the device.
    fn now(&self) -> Option<u64> {
        if self.deed.serial.is_some() {
            return self.deed.serial;
        }
        let messages =
            self.shown.values().flat_map(|m| m.messages.iter().map(move |message| (m.uid_validity, message)));
        let same = |(_, message): &(Option<u32>, &LocalMessage)| Some(message.id) == self.deed.local;
        messages.clone().find(same).and_then(|(validity, m)| self.server.serial(validity?, m.uid?))
    }

    fn flag_differs(&self, flag: &str, set: bool) -> Option<String> {
        let serial = self.now()?;
        // Where mailboxes are labels, a flag is the message's, whichever placement it is set at.
        let labels = self.server.personality.labels;
        let same = |deed: &Deed| deed.local == self.deed.local || (labels && deed.token == self.deed.token);
        let is_flag =
            |deed: &Deed| matches!(&deed.verb, Verb::Flag { flag: other, .. } if other.eq_ignore_ascii_case(flag));
        // Removed, it is somewhere else then, or nowhere.
        let again = |deed: &Deed| same(deed) && (is_flag(deed) || deed.removes());
        if !self.deed.changes || self.later.iter().any(again) {
            return None;
        }
        // Until the next pass each label has a copy of its own here, with flags of its own: which word was the last is not known.
        let of_another = |deed: &Deed| is_flag(deed) && deed.token == self.deed.token && deed.local != self.deed.local;
        if labels && self.actor.deeds.iter().any(of_another) {
            return None;
        }
        let touches = |e: &Entry| {
            matches!(&e.change, Change::Flag { flag: f, .. } if f.eq_ignore_ascii_case(flag)) && e.serial == serial
        };
        if self.others_did(touches) {
            return None;
        }
        let placement = self.placed(serial)?;
        (placement.has(flag) != set).then(|| format!("{flag} is {} on the server", if set { "not set" } else { "set" }))
    }
}
