//! Both sides before, and the actions; the hard cases by name; and random histories in which nothing may be lost.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn flags(words: &str) -> Flags {
    words.split_whitespace().map(|word| Flag::from_server(word.as_bytes())).collect()
}

fn set(text: &str) -> UidSet {
    if text.is_empty() { UidSet::new() } else { text.parse().unwrap() }
}

/// UIDVALIDITY 7, MODSEQ 50, messages 1 to `count`, all without flags, in step.
fn base(count: u32) -> Base {
    let cursor = Cursor { uid_validity: 7, uid_next: count + 1, mod_seq: 50, exists: count, audited: false };
    Base { cursor, ..Base::default() }
}

fn local(count: u32) -> Local {
    let here = Here { flags: Flags::new(), agreed: Some(Flags::new()) };
    let rows = (1..=count).map(|uid| (uid, here.clone())).collect();
    Local { known: (1..=count).collect(), rows, ..Local::default() }
}

/// A full answer: these UIDs, none with flags.
fn full(uids: &str) -> Remote {
    let uids = set(uids);
    let flags = uids.iter().map(|uid| (uid, Flags::new())).collect();
    let exists = uids.len() as u32;
    Remote {
        uid_validity: 7,
        uid_next: Some(31),
        mod_seq: Some(60),
        exists,
        uids: Some(uids),
        flags,
        all_flags: true,
        keeps: None,
        vanished: UidSet::new(),
        partial: false,
    }
}

/// What changed since, as QRESYNC tells it.
fn delta(exists: u32, changed: &[(u32, &str)], vanished: &str) -> Remote {
    let flags = changed.iter().map(|(uid, words)| (*uid, flags(words))).collect();
    Remote { uids: None, flags, all_flags: false, vanished: set(vanished), exists, ..full("") }
}

fn run(base: &Base, local: &Local, remote: &Remote) -> Vec<String> {
    resync(base, local, remote, Care::default()).iter().map(ToString::to_string).collect()
}

fn last_cursor(actions: &[Action]) -> Cursor {
    match actions.last() {
        Some(Action::Advance { cursor }) => *cursor,
        other => panic!("no cursor: {other:?}"),
    }
}

fn change(id: i64, begun: bool, add: &str, remove: &str) -> FlagChange {
    FlagChange { change: Change { id, begun }, add: flags(add), remove: flags(remove) }
}

#[test]
fn nothing_changed_leaves_only_the_cursor() {
    let steps = run(&base(30), &local(30), &full("1:30"));
    assert_eq!(steps, ["in step: UIDVALIDITY 7, UIDNEXT 31, MODSEQ 60, 30 messages"]);
}

#[test]
fn what_is_new_is_numbered_before_it_is_fetched() {
    let new = Remote { exists: 32, uid_next: Some(40), ..delta(32, &[(31, ""), (39, "\\Seen")], "") };
    let steps = run(&base(30), &local(30), &new);
    assert_eq!(steps[..2], ["number 31,39", "fetch headers of 31,39"]);
    let first = Base::default();
    let steps = run(&first, &Local::default(), &full("1:30"));
    assert_eq!(steps[..2], ["number 1:30", "fetch headers of 1:30"]);
}

#[test]
fn flags_merge_one_by_one() {
    let table = [
        // agreed, here, server, pending here -> here afterwards
        ("", "", "\\Seen", None, "\\Seen"),
        ("\\Seen a", "\\Seen a", "a", None, "a"),
        ("", "\\Seen", "\\Flagged", Some(("\\Seen", "")), "\\Flagged \\Seen"),
        ("\\Seen", "", "\\Seen b", Some(("", "\\Seen")), "b"),
        ("a", "a \\Draft", "A b", Some(("\\Draft", "")), "A \\Draft b"),
    ];
    for (agreed, here, server, pending, wanted) in table {
        let mut local = local(1);
        local.rows.insert(1, Here { flags: flags(here), agreed: Some(flags(agreed)) });
        if let Some((add, remove)) = pending {
            local.pending.insert(1, vec![change(4, false, add, remove)]);
        }
        let actions = resync(&base(1), &local, &delta(1, &[(1, server)], ""), Care::default());
        let expected = Action::Flags { uid: 1, flags: flags(wanted), agreed: flags(server) };
        assert_eq!(actions[0], expected, "{agreed} | {here} | {server}");
        assert_eq!(actions.len(), 2, "the change itself still stands in the journal");
    }
}

#[test]
fn a_change_that_the_server_shows_already_is_not_made_again() {
    let mut local = local(1);
    local.rows.insert(1, Here { flags: flags("\\Seen"), agreed: Some(Flags::new()) });
    local.pending.insert(1, vec![change(4, false, "\\Seen", "")]);
    let server = delta(1, &[(1, "\\Seen")], "");
    let steps = run(&base(1), &local, &server);
    assert_eq!(steps[0], "local change 4 is superseded: the server has it so already");
    local.pending.insert(1, vec![change(4, true, "\\Seen", "")]);
    assert_eq!(run(&base(1), &local, &server)[0], "local change 4 is applied");
    local.pending.insert(1, vec![change(4, false, "\\Seen b", "")]);
    assert_eq!(run(&base(1), &local, &server)[0], "left of local change 4: +(b) -()");
}

#[test]
fn vanished_is_believed_when_the_count_agrees() {
    let steps = run(&base(30), &local(30), &delta(28, &[], "3:4,900:4294967295"));
    assert_eq!(steps[0], "remove 3:4: the server said so and the count agrees");
    // iCloud, James and Cyrus have all named messages that were there.
    for lie in ["1:4294967295", "3:4"] {
        let steps = run(&base(30), &local(30), &delta(30, &[], lie));
        assert_eq!(steps, ["ask for all UIDs and flags"], "{lie}");
        let answer = Remote { vanished: set(lie), ..full("1:30") };
        assert_eq!(run(&base(30), &local(30), &answer).len(), 1, "nothing is removed");
    }
}

#[test]
fn what_is_only_missing_is_looked_at_twice() {
    let steps = run(&base(30), &local(30), &full("1:4,6:30"));
    assert_eq!(steps[0], "missing 5, to be looked at again");
    let again = Base { suspects: set("5"), ..base(30) };
    assert_eq!(run(&again, &local(30), &full("1:4,6:30"))[0], "remove 5: missing from two full lists");
    let back = run(&again, &local(30), &full("1:30"));
    assert_eq!(back[0], "none missing any more");
    assert!(back.iter().all(|step| !step.starts_with("remove")));
    // A second list that misses another one proves nothing of either.
    let other = run(&again, &local(30), &full("1:5,7:30"));
    assert_eq!(other[0], "missing 6, to be looked at again");
}

#[test]
fn a_mailbox_that_empties_at_once_pauses_and_keeps_everything() {
    for suspects in ["", "1:30"] {
        let before = Base { suspects: set(suspects), ..base(30) };
        let actions = resync(&before, &local(30), &full(""), Care::default());
        let pause = Action::Pause { reason: Pause::Disappearance { missing: 30, of: 30 } };
        assert!(actions.contains(&pause));
        let takes = |a: &Action| matches!(a, Action::Remove { .. } | Action::Advance { .. });
        assert!(!actions.iter().any(takes), "{actions:?}");
    }
    let told = resync(&base(30), &local(30), &delta(0, &[], "1:30"), Care::default());
    assert!(matches!(told.as_slice(), [Action::Pause { .. }, Action::Suspect { .. }]));
    // Twenty of a hundred are no mass, eleven percent of a thousand are.
    let gone = |of: u32, from: u32| {
        let remote = Remote { uid_next: Some(of + 1), ..full(&format!("{from}:{of}")) };
        resync(&base(of), &local(of), &remote, Care::default())
    };
    assert!(matches!(gone(100, 21)[0], Action::Suspect { .. }));
    assert!(matches!(gone(1000, 111)[0], Action::Pause { .. }));
    assert!(matches!(gone(1000, 100)[0], Action::Suspect { .. }));
}

#[test]
fn a_pause_ends_when_they_are_back_or_the_user_says_so() {
    let paused = Base { suspects: set("1:30"), paused: true, ..base(30) };
    let back = run(&paused, &local(30), &full("1:30"));
    assert_eq!(back[..2], ["none missing any more", "no longer paused"]);
    let care = Care { confirmed: true, ..Care::default() };
    let gone = resync(&paused, &local(30), &full(""), care);
    assert_eq!(gone[0], Action::Remove { uids: set("1:30"), proof: Proof::Confirmed });
    assert!(gone.contains(&Action::Resume));
}

#[test]
fn a_new_uidvalidity_removes_nothing() {
    let renumbered = Remote { uid_validity: 8, ..full("1:30") };
    assert_eq!(run(&base(30), &local(30), &renumbered), ["UIDVALIDITY 7 is now 8", "identify 1:30"]);
    let empty = Remote { uid_validity: 8, ..full("") };
    assert_eq!(run(&base(30), &local(30), &empty), ["UIDVALIDITY 7 is now 8", "identify none"]);
    let unasked = Remote { uid_validity: 8, ..delta(30, &[], "1:30") };
    assert_eq!(run(&base(30), &local(30), &unasked), ["ask for all UIDs and flags"]);
    let hold = Local { hold: Some(1), ..local(30) };
    let steps = run(&base(30), &hold, &renumbered);
    assert_eq!(steps.len(), 2, "what is known is told from a copy of ours by its new number: {steps:?}");
    let tired = Base { resets: 3, ..base(30) };
    let steps = run(&tired, &local(30), &renumbered);
    assert_eq!(steps.len(), 1);
    assert!(steps[0].starts_with("paused: the server has numbered the mailbox anew 4 times"));
}

#[test]
fn messages_are_found_again_one_by_one() {
    let keys = |list: &[(u32, &str)]| list.iter().map(|(uid, k)| (*uid, k.as_bytes().to_vec())).collect::<Vec<_>>();
    let here = keys(&[(1, "a"), (2, "b"), (3, "same"), (4, "same"), (5, "gone")]);
    let there = keys(&[(70, "b"), (71, "same"), (72, "new"), (73, "same"), (74, "same")]);
    let terms = |unfound: &str, care| Terms { unfound: set(unfound), care, holds: false };
    let shown = |there: &[(u32, Vec<u8>)], unfound: &str, care: Option<Care>| {
        rematch(&here, there, &terms(unfound, care)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&there, "1,5", Some(Care::default())),
        [
            "message 2 is now 70 on the server",
            "message 3 is now 71 on the server",
            "message 4 is now 73 on the server",
            "number 72,74",
            "fetch headers of 72,74",
            "not found again: 1,5",
            "none to be found again any more",
        ]
    );
    let once = shown(&there[..5], "2,5", Some(Care::default()));
    assert_eq!(once[5..], ["not found again: 5", "not found again: 1, to be looked for once more"]);
    let untold = shown(&there[..1], "1,5", None);
    assert_eq!(untold, ["message 2 is now 70 on the server"], "the others may be what is not told yet");
    let held = rematch(&here, &there, &Terms { holds: true, ..Terms::default() });
    assert_eq!(held.len(), 3, "nothing is new while a copy of ours may be there: {held:?}");
    let many: Vec<_> = (1..=30).map(|n| (n, vec![n as u8])).collect();
    let lost = rematch(&many, &[], &terms("", Some(Care::default())));
    let pause = Action::Pause { reason: Pause::Disappearance { missing: 30, of: 30 } };
    assert_eq!(lost, [pause, Action::Unfound { locals: set("1:30") }]);
    let confirmed = Some(Care { confirmed: true, ..Care::default() });
    let gone = Action::Quarantine { locals: set("1:30") };
    assert_eq!(rematch(&many, &[], &terms("1:30", confirmed))[0], gone, "what the user has confirmed leaves at once");
}

#[test]
fn mod_seqs_of_all_kinds_are_survived() {
    let at = |announced: Option<u64>, remote: Remote| {
        resync(&base(30), &local(30), &Remote { mod_seq: announced, ..remote }, Care::default())
    };
    let quiet = || delta(30, &[(1, "\\Seen")], "");
    assert_eq!(last_cursor(&at(Some(50), quiet())).mod_seq, 50);
    assert_eq!(last_cursor(&at(Some(51), quiet())).mod_seq, 51);
    assert_eq!(last_cursor(&at(Some((1 << 63) - 1), quiet())).mod_seq, (1 << 63) - 1);
    for none in [None, Some(0), Some(1 << 63), Some(u64::MAX)] {
        assert_eq!(last_cursor(&at(none, full("1:30"))).mod_seq, 0, "{none:?}");
    }
    for back in [1, 49] {
        assert_eq!(at(Some(back), quiet()), [Action::Ask { question: Question::All }]);
        assert_eq!(last_cursor(&at(Some(back), full("1:30"))).mod_seq, back);
    }
}

#[test]
fn a_mod_seq_that_brings_nothing_is_not_believed_at_once() {
    let quiet = delta(30, &[], "");
    let first = resync(&base(30), &local(30), &quiet, Care::default());
    assert_eq!(last_cursor(&first).mod_seq, 50);
    let again = Base { empty_mod_seq: Some(60), ..base(30) };
    assert_eq!(last_cursor(&resync(&again, &local(30), &quiet, Care::default())).mod_seq, 60);
}

#[test]
fn a_copy_of_ours_that_may_have_arrived_is_not_taken_for_new() {
    let hold = Local { hold: Some(32), ..local(30) };
    let remote = Remote { uid_next: Some(34), ..delta(33, &[(31, ""), (32, ""), (33, "")], "") };
    let actions = resync(&base(30), &hold, &remote, Care::default());
    assert_eq!(actions[0], Action::Reserve { uids: set("31") });
    let cursor = last_cursor(&actions);
    assert_eq!((cursor.uid_next, cursor.mod_seq), (32, 50));
}

#[test]
fn a_message_that_leaves_does_not_come_back_and_its_end_is_seen() {
    let mut leaving = local(30);
    leaving.known = set("1:4,6:30");
    leaving.rows.remove(&5);
    leaving.leaving.insert(5, Change { id: 9, begun: false });
    assert_eq!(run(&base(30), &leaving, &full("1:30")).len(), 1);
    let gone = run(&base(30), &leaving, &delta(29, &[], "5"));
    assert_eq!(gone[0], "local change 9 is superseded: the message was removed on the server");
    leaving.leaving.insert(5, Change { id: 9, begun: true });
    assert_eq!(run(&base(30), &leaving, &delta(29, &[], "5")).len(), 1, "its own answer tells");
}

#[test]
fn a_keyword_that_the_server_forgets_lives_on_here() {
    let mut local = local(1);
    local.rows.insert(1, Here { flags: flags("$Label1 \\Draft b"), agreed: Some(flags("b")) });
    let keeps = Some(vec![Flag::SEEN, Flag::DRAFT, Flag::from_server(b"B")]);
    let remote = Remote { keeps, ..delta(1, &[(1, "\\Seen")], "") };
    let actions = resync(&base(1), &local, &remote, Care::default());
    let merged = Action::Flags { uid: 1, flags: flags("\\Seen $Label1"), agreed: flags("\\Seen") };
    assert_eq!(actions[0], merged);
    let any = Remote { keeps: Some(vec![Flag::ANY]), ..remote };
    let Action::Flags { flags: all, .. } = &resync(&base(1), &local, &any, Care::default())[0] else { panic!() };
    assert_eq!(*all, flags("\\Seen"));
}

#[test]
fn a_partial_answer_brings_what_it_has_and_takes_nothing() {
    let window = Remote { partial: true, exists: 10_000, ..full("20:35") };
    let suspicious = Base { suspects: set("1:3"), ..base(30) };
    let actions = resync(&suspicious, &local(30), &window, Care::default());
    assert_eq!(actions[0], Action::Reserve { uids: set("31:35") });
    assert_eq!((last_cursor(&actions).mod_seq, last_cursor(&actions).audited), (50, false));
    assert_eq!(actions.len(), 3);
}

#[test]
fn a_server_that_gives_no_uidnext_is_followed_by_what_it_lists() {
    let remote = Remote { uid_next: None, ..full("1:35") };
    assert_eq!(last_cursor(&resync(&base(30), &local(30), &remote, Care::default())).uid_next, 36);
    let fewer = Remote { uid_next: None, ..full("1:29") };
    assert_eq!(last_cursor(&resync(&base(30), &local(30), &fewer, Care::default())).uid_next, 31);
}

// Random histories: a server that forgets nothing it said, a mirror, a foreign client, and answers that are lost.

#[derive(Clone, Debug)]
enum Event {
    ForeignAdds,
    ForeignFlags(usize, bool, usize),
    ForeignDeletes(usize),
    Flags(usize, bool, usize),
    Deletes(usize),
    Pass {
        all: bool,
        lies: bool,
    },
    /// Sends the oldest change; the answer may be lost.
    Push {
        lost: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let n = 0..8usize;
    prop_oneof![
        Just(Event::ForeignAdds),
        (n.clone(), any::<bool>(), 0..3usize).prop_map(|(m, on, f)| Event::ForeignFlags(m, on, f)),
        n.clone().prop_map(Event::ForeignDeletes),
        (n.clone(), any::<bool>(), 0..3usize).prop_map(|(m, on, f)| Event::Flags(m, on, f)),
        n.prop_map(Event::Deletes),
        (any::<bool>(), any::<bool>()).prop_map(|(all, lies)| Event::Pass { all, lies }),
        any::<bool>().prop_map(|lost| Event::Push { lost }),
    ]
}

const WORDS: [Flag; 3] = [Flag::SEEN, Flag::FLAGGED, Flag::DRAFT];

#[derive(Clone, Debug)]
enum Wish {
    Flags(FlagChange),
    Delete(Change),
}

#[derive(Default)]
struct World {
    server: BTreeMap<u32, (Flags, u64)>,
    expunged: Vec<(u32, u64)>,
    uid_next: u32,
    mod_seq: u64,
    base: Base,
    here: BTreeMap<u32, Here>,
    reserved: BTreeSet<u32>,
    journal: Vec<(u32, Wish)>,
    ids: i64,
    /// Messages that some actor has deleted.
    deleted: BTreeSet<u32>,
}

impl World {
    fn new() -> Self {
        let mut world = Self { uid_next: 1, mod_seq: 1, ..Self::default() };
        (0..6).for_each(|_| world.add());
        world
    }

    fn add(&mut self) {
        self.mod_seq += 1;
        self.server.insert(self.uid_next, (Flags::new(), self.mod_seq));
        self.uid_next += 1;
    }

    fn expunge(&mut self, uid: u32) {
        self.mod_seq += 1;
        if self.server.remove(&uid).is_some() {
            self.expunged.push((uid, self.mod_seq));
            self.deleted.insert(uid);
        }
    }

    fn store(&mut self, uid: u32, add: &Flags, remove: &Flags) {
        let Some((flags, mod_seq)) = self.server.get_mut(&uid) else { return };
        self.mod_seq += 1;
        *mod_seq = self.mod_seq;
        *flags = flags.union(add).difference(remove);
    }

    fn happen(&mut self, event: &Event) {
        let nth = |uids: Vec<u32>, n: usize| (!uids.is_empty()).then(|| uids[n % uids.len()]);
        match *event {
            Event::ForeignAdds => self.add(),
            Event::ForeignFlags(n, on, f) => {
                let flag: Flags = [WORDS[f].clone()].into_iter().collect();
                let Some(uid) = nth(self.server.keys().copied().collect(), n) else { return };
                let none = Flags::new();
                self.store(uid, if on { &flag } else { &none }, if on { &none } else { &flag });
            }
            Event::ForeignDeletes(n) => {
                let Some(uid) = nth(self.server.keys().copied().collect(), n) else { return };
                self.expunge(uid);
            }
            Event::Flags(n, on, f) => self.flag(nth(self.here.keys().copied().collect(), n), on, f),
            Event::Deletes(n) => {
                let Some(uid) = nth(self.here.keys().copied().collect(), n) else { return };
                self.here.remove(&uid);
                self.deleted.insert(uid);
                self.journal.retain(|(at, wish)| *at != uid || !matches!(wish, Wish::Flags(c) if !c.change.begun));
                self.ids += 1;
                self.journal.push((uid, Wish::Delete(Change { id: self.ids, begun: false })));
            }
            Event::Pass { all, lies } => self.pass(all, lies),
            Event::Push { lost } => self.push(lost),
        }
    }

    fn flag(&mut self, uid: Option<u32>, on: bool, f: usize) {
        let Some(here) = uid.and_then(|uid| self.here.get_mut(&uid)) else { return };
        let changed = if on { here.flags.insert(&WORDS[f]) } else { here.flags.remove(&WORDS[f]) };
        if changed {
            self.ids += 1;
            let flag: Flags = [WORDS[f].clone()].into_iter().collect();
            let (add, remove) = if on { (flag, Flags::new()) } else { (Flags::new(), flag) };
            let change = Change { id: self.ids, begun: false };
            self.journal.push((uid.unwrap(), Wish::Flags(FlagChange { change, add, remove })));
        }
    }

    fn push(&mut self, lost: bool) {
        let Some((uid, wish)) = self.journal.first().cloned() else { return };
        match &wish {
            Wish::Flags(change) => self.store(uid, &change.add, &change.remove),
            Wish::Delete(_) => self.expunge(uid),
        }
        if !lost {
            self.journal.remove(0);
            if let (Wish::Flags(change), Some(here)) = (&wish, self.here.get_mut(&uid)) {
                let agreed = here.agreed.clone().unwrap_or_default();
                here.agreed = Some(agreed.union(&change.add).difference(&change.remove));
            }
        } else {
            match &mut self.journal[0].1 {
                Wish::Flags(change) => change.change.begun = true,
                Wish::Delete(change) => change.begun = true,
            }
        }
    }

    fn local(&self) -> Local {
        let mut local = Local { rows: self.here.clone(), ..Local::default() };
        local.known = self.here.keys().chain(&self.reserved).copied().collect();
        for (uid, wish) in &self.journal {
            match wish {
                Wish::Flags(change) => local.pending.entry(*uid).or_default().push(change.clone()),
                Wish::Delete(change) => drop(local.leaving.insert(*uid, *change)),
            }
        }
        local
    }

    fn answer(&self, all: bool, lies: bool) -> Remote {
        let since = if all { 0 } else { self.base.cursor.mod_seq };
        let told = self.server.iter().filter(|(_, (_, at))| *at > since);
        let vanished: UidSet = match lies {
            true => UidSet::range(1, u32::MAX),
            false => self.expunged.iter().filter(|(_, at)| *at > since).map(|(uid, _)| *uid).collect(),
        };
        Remote {
            uid_validity: 7,
            uid_next: Some(self.uid_next),
            mod_seq: Some(self.mod_seq),
            exists: self.server.len() as u32,
            uids: all.then(|| self.server.keys().copied().collect()),
            flags: told.map(|(uid, (flags, _))| (*uid, flags.clone())).collect(),
            all_flags: all,
            keeps: None,
            // A list without VANISHED: messages that are missing have to be looked for twice.
            vanished: if all { UidSet::new() } else { vanished },
            partial: false,
        }
    }

    fn pass(&mut self, all: bool, lies: bool) {
        let remote = self.answer(all || self.base.cursor.mod_seq == 0, lies);
        let actions = resync(&self.base, &self.local(), &remote, Care::default());
        for action in &actions {
            self.act(action);
        }
        if let [Action::Ask { question: Question::All }] = actions.as_slice() {
            let remote = self.answer(true, false);
            for action in resync(&self.base, &self.local(), &remote, Care::default()) {
                assert!(!matches!(action, Action::Ask { .. }), "a full answer leaves no question");
                self.act(&action);
            }
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Reserve { uids } => self.reserved.extend(uids.iter()),
            Action::Headers { uids } => {
                for uid in uids.iter().filter(|uid| self.server.contains_key(uid)) {
                    let flags = self.server[&uid].0.clone();
                    self.reserved.remove(&uid);
                    assert!(self.here.insert(uid, Here { agreed: Some(flags.clone()), flags }).is_none());
                }
            }
            Action::Flags { uid, flags, agreed } => {
                let row = self.here.get_mut(uid).unwrap();
                *row = Here { flags: flags.clone(), agreed: Some(agreed.clone()) };
            }
            Action::Remove { uids, .. } => {
                for uid in uids.iter() {
                    assert!(self.deleted.contains(&uid), "{uid} was deleted by nobody");
                    assert!(self.here.remove(&uid).is_some() || self.reserved.remove(&uid));
                    self.journal.retain(|(at, _)| *at != uid);
                }
            }
            Action::Suspect { uids } => self.base.suspects = uids.clone(),
            Action::Settle { intent, .. } => self.journal.retain(|(_, wish)| id(wish) != *intent),
            Action::Trim { intent, add, remove } => {
                for (_, wish) in self.journal.iter_mut().filter(|(_, wish)| id(wish) == *intent) {
                    let Wish::Flags(change) = wish else { panic!("only flags are trimmed") };
                    (change.add, change.remove) = (add.clone(), remove.clone());
                }
            }
            Action::Advance { cursor } => {
                let held = cursor.mod_seq < self.mod_seq;
                self.base.empty_mod_seq = held.then_some(self.mod_seq);
                self.base.cursor = *cursor;
            }
            Action::Ask { .. } => {}
            other => panic!("not expected here: {other}"),
        }
    }

    /// Both sides until nothing is left to do.
    fn settle(&mut self) {
        for _ in 0..20 {
            while !self.journal.is_empty() {
                self.push(false);
            }
            let (all, before) = (self.base.suspects.is_empty(), self.base.clone());
            self.pass(!all, false);
            self.pass(true, false);
            if self.base == before && self.journal.is_empty() {
                return;
            }
        }
        panic!("no end");
    }
}

fn id(wish: &Wish) -> i64 {
    match wish {
        Wish::Flags(change) => change.change.id,
        Wish::Delete(change) => change.id,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_both_sides_end_equal_and_nothing_is_lost(events in proptest::collection::vec(event(), 0..40)) {
        let mut world = World::new();
        world.pass(true, false);
        for event in &events {
            world.happen(event);
        }
        world.settle();
        let server: BTreeMap<u32, Flags> = world.server.iter().map(|(uid, (flags, _))| (*uid, flags.clone())).collect();
        let here: BTreeMap<u32, Flags> = world.here.iter().map(|(uid, here)| (*uid, here.flags.clone())).collect();
        prop_assert_eq!(&server, &here);
        prop_assert!(world.reserved.is_empty());
        for uid in 1..world.uid_next {
            prop_assert_eq!(server.contains_key(&uid), !world.deleted.contains(&uid), "message {}", uid);
        }
        // Once more changes nothing.
        let again = resync(&world.base, &world.local(), &world.answer(true, false), Care::default());
        prop_assert!(matches!(again.as_slice(), [Action::Advance { .. }]), "{:?}", again);
    }
}
