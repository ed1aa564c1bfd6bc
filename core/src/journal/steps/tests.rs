//! The steps as tables, and a model of a server that loses answers.

use super::*;
use crate::journal::tests::{append, copy_to, create, entry, flag, move_to, remove_mailbox, rename, target};
use proptest::prelude::*;

const FULL: Means = Means { can_move: true, uid_plus: true, append_limit: None };
const PLUS: Means = Means { can_move: false, uid_plus: true, append_limit: None };
const BARE: Means = Means { can_move: false, uid_plus: false, append_limit: None };

fn facts() -> Facts {
    Facts { at: At::Uid(1005), to: Some((8, 40)), has_body: true, holds: Some((7, 9, 2)), ..Facts::default() }
}

fn parked(next: &Next) -> Option<Reason> {
    match next {
        Next::End { state: State::Parked { reason, .. }, .. } => Some(*reason),
        _ => None,
    }
}

fn superseded(next: &Next) -> Option<Cause> {
    match next {
        Next::End { state: State::Superseded { by }, .. } => Some(*by),
        _ => None,
    }
}

const PLACE: Step = Step::Place { uid_validity: 8, uid_next: 40, unseen: None };

fn seen(original: bool, copies: &[u32]) -> Sighting {
    let copies = copies.to_vec();
    Sighting { original, uid_validity: Some(8), uid_next: 45, copies, ..Sighting::default() }
}

#[test]
fn a_move_is_one_command_or_copy_mark_expunge_or_stays_marked() {
    let intent = move_to(5, 9);
    assert_eq!(begin(&intent, FULL, &facts()), Next::Send { step: PLACE, act: Act::Move });
    assert_eq!(begin(&intent, PLUS, &facts()), Next::Send { step: PLACE, act: Act::Copy });
    let copy = Some((8, 41));
    let mark = Next::Send { step: Step::Mark { copy }, act: Act::Mark };
    let expunge = Next::Send { step: Step::Expunge { copy }, act: Act::Expunge };
    assert_eq!(confirmed(&intent, PLACE, copy, PLUS), mark);
    assert_eq!(confirmed(&intent, Step::Mark { copy }, None, PLUS), expunge);
    let done = Next::End { state: State::Applied { note: None }, placed: copy };
    assert_eq!(confirmed(&intent, Step::Expunge { copy }, None, PLUS), done);
    assert_eq!(confirmed(&intent, PLACE, copy, FULL), done);
    let left = Next::End { state: State::Applied { note: Some(Note::LeftMarked) }, placed: copy };
    assert_eq!(confirmed(&intent, Step::Mark { copy }, None, BARE), left);
}

#[test]
fn nothing_is_marked_before_its_copy_is_known() {
    let intent = move_to(5, 9);
    let find = Step::Find { uid_validity: 8, uid_next: 40, unseen: None };
    assert_eq!(confirmed(&intent, PLACE, None, BARE), Next::Look { step: find });
    let entry = entry(1, intent);
    let waiting = Step::Find { uid_validity: 8, uid_next: 40, unseen: Some(0) };
    assert_eq!(doubt(&entry, find, &seen(true, &[]), BARE, 0), Next::Wait { step: Some(waiting) });
    let marked = Next::Send { step: Step::Mark { copy: Some((8, 41)) }, act: Act::Mark };
    assert_eq!(doubt(&entry, find, &seen(true, &[41]), BARE, 0), marked);
}

#[test]
fn a_copy_of_what_was_gone_is_confirmed_and_never_found() {
    let find = Step::Find { uid_validity: 8, uid_next: 40, unseen: None };
    let waiting = Step::Find { uid_validity: 8, uid_next: 40, unseen: Some(0) };
    for intent in [move_to(5, 9), copy_to(5, 9)] {
        let entry = entry(1, intent);
        assert_eq!(superseded(&doubt(&entry, find, &seen(false, &[]), BARE, 0)), Some(Cause::MessageGone));
        assert_eq!(doubt(&entry, find, &seen(true, &[]), BARE, 0), Next::Wait { step: Some(waiting) });
    }
    // MOVE has taken the original away itself.
    let moves = Means { can_move: true, ..BARE };
    let moved = doubt(&entry(1, move_to(5, 9)), find, &seen(false, &[]), moves, 0);
    assert_eq!(moved, Next::Wait { step: Some(waiting) });
}

#[test]
fn a_copy_that_was_confirmed_and_is_gone_is_not_waited_for_for_ever() {
    let waiting = Step::Find { uid_validity: 8, uid_next: 40, unseen: Some(100) };
    for intent in [move_to(5, 9), copy_to(5, 9), append(9)] {
        let entry = entry(1, intent);
        let at = |now| doubt(&entry, waiting, &seen(true, &[]), BARE, now);
        assert_eq!(at(129), Next::Wait { step: Some(waiting) });
        assert_eq!(superseded(&at(130)), Some(Cause::MessageGone));
    }
}

#[test]
fn what_somebody_has_moved_on_is_not_placed_a_second_time() {
    let unseen = Step::Place { uid_validity: 8, uid_next: 40, unseen: Some(100) };
    let moved_on = Sighting { moved_on: true, ..seen(true, &[]) };
    for intent in [append(9), copy_to(5, 9)] {
        let entry = entry(1, intent);
        assert_eq!(superseded(&doubt(&entry, unseen, &moved_on, FULL, 130)), Some(Cause::MessageGone));
        assert!(matches!(doubt(&entry, unseen, &seen(true, &[]), FULL, 130), Next::Send { .. }));
    }
}

#[test]
fn a_lost_answer_to_append_is_looked_for_before_anything_is_sent_again() {
    let entry = entry(1, append(9));
    let adopted = Next::End { state: State::Applied { note: None }, placed: Some((8, 41)) };
    assert_eq!(doubt(&entry, PLACE, &seen(false, &[41]), BARE, 100), adopted);
    assert_eq!(parked(&doubt(&entry, PLACE, &seen(false, &[41, 42]), BARE, 100)), Some(Reason::Ambiguous));
    let Next::Wait { step: Some(waiting) } = doubt(&entry, PLACE, &seen(false, &[]), BARE, 100) else { panic!() };
    assert_eq!(waiting, Step::Place { uid_validity: 8, uid_next: 40, unseen: Some(100) });
    let Next::Wait { step: Some(still) } = doubt(&entry, waiting, &seen(false, &[]), BARE, 129) else { panic!() };
    assert_eq!(still, waiting);
    let again = Next::Send { step: Step::Place { uid_validity: 8, uid_next: 45, unseen: None }, act: Act::Append };
    assert_eq!(doubt(&entry, waiting, &seen(false, &[]), BARE, 130), again);
    assert_eq!(
        doubt(&entry, waiting, &seen(false, &[44]), BARE, 130),
        Next::End { state: State::Applied { note: None }, placed: Some((8, 44)) }
    );
}

#[test]
fn what_was_answered_and_placed_nothing_is_not_waited_for_and_not_repeated_at_once() {
    let answered = |original| Sighting { answered: true, ..seen(original, &[]) };
    for means in [FULL, PLUS] {
        let entry = entry(1, move_to(5, 9));
        assert_eq!(superseded(&doubt(&entry, PLACE, &answered(false), means, 100)), Some(Cause::MessageGone));
        assert!(matches!(doubt(&entry, PLACE, &answered(true), means, 100), Next::Wait { step: Some(_) }));
    }
}

#[test]
fn a_lost_answer_to_move_is_read_from_both_mailboxes() {
    let entry = entry(1, move_to(5, 9));
    let at = |original, copies: &[u32]| doubt(&entry, PLACE, &seen(original, copies), FULL, 100);
    let again = Next::Send { step: Step::Place { uid_validity: 8, uid_next: 45, unseen: None }, act: Act::Move };
    assert_eq!(at(true, &[]), again);
    assert_eq!(at(true, &[41]), Next::Send { step: Step::Mark { copy: Some((8, 41)) }, act: Act::Mark });
    assert_eq!(parked(&at(true, &[41, 42])), Some(Reason::Ambiguous));
    let done = |uid| Next::End { state: State::Applied { note: None }, placed: Some((8, uid)) };
    assert_eq!(at(false, &[41]), done(41));
    assert_eq!(at(false, &[41, 42]), done(41));
    let Next::Wait { step: Some(waiting) } = at(false, &[]) else { panic!() };
    assert_eq!(superseded(&doubt(&entry, waiting, &seen(false, &[]), FULL, 200)), Some(Cause::MessageGone));
}

#[test]
fn mark_and_expunge_are_repeated_while_the_original_is_there() {
    let entry = entry(1, move_to(5, 9));
    let copy = Some((8, 41));
    let expunge = Next::Send { step: Step::Expunge { copy }, act: Act::Expunge };
    assert_eq!(doubt(&entry, Step::Expunge { copy }, &seen(true, &[]), PLUS, 0), expunge);
    assert_eq!(doubt(&entry, Step::Mark { copy }, &seen(true, &[]), PLUS, 0), mark(copy));
    let done = Next::End { state: State::Applied { note: None }, placed: copy };
    assert_eq!(doubt(&entry, Step::Mark { copy }, &seen(false, &[]), PLUS, 0), done);
}

#[test]
fn a_rename_whose_answer_was_lost_is_read_from_the_list() {
    let entry = entry(1, rename("A", "B"));
    let at = |names| doubt(&entry, Step::Send, &Sighting { names, ..Sighting::default() }, FULL, 0);
    assert_eq!(at((true, false)), send(Act::Rename));
    assert_eq!(at((false, true)), end(applied()));
    assert_eq!(parked(&at((true, true))), Some(Reason::MailboxExists));
    assert_eq!(superseded(&at((false, false))), Some(Cause::MailboxGone));
}

#[test]
fn a_message_that_is_looked_for_again_is_waited_for() {
    let sought = Facts { at: At::Sought, ..facts() };
    assert_eq!(begin(&flag(5, &["a"], &[]), FULL, &sought), Next::Wait { step: None });
}

#[test]
fn what_changed_in_a_mailbox_that_is_deleted_here_goes_with_it_and_what_was_to_leave_it_is_asked_about() {
    for step in [None, Some(Step::Send)] {
        let left = left_behind(&flag(5, &["a"], &[]), step);
        assert_eq!(superseded(&left), Some(Cause::MailboxGone));
        assert_eq!(parked(&left_behind(&move_to(5, 9), step)), Some(Reason::LostTrack));
    }
}

#[test]
fn nothing_is_sent_where_it_cannot_be_right() {
    let gone = Facts { at: At::Gone, ..facts() };
    assert_eq!(superseded(&begin(&flag(5, &["a"], &[]), FULL, &gone)), Some(Cause::MessageGone));
    let never_came = Facts { at: At::Coming, ..facts() };
    assert_eq!(superseded(&begin(&move_to(5, 9), FULL, &never_came)), Some(Cause::MessageGone));
    let table: &[(Intent, Facts, Means, Reason)] = &[
        (flag(5, &["a"], &[]), Facts { at: At::Lost, ..facts() }, FULL, Reason::LostTrack),
        (flag(5, &["a"], &[]), Facts { read_only: true, ..facts() }, FULL, Reason::ReadOnly),
        (move_to(5, 9), Facts { unstable: true, ..facts() }, FULL, Reason::Unstable),
        (copy_to(5, 9), Facts { to: None, ..facts() }, FULL, Reason::MailboxMissing),
        (append(9), Facts { has_body: false, ..facts() }, FULL, Reason::BodyMissing),
        (append(9), facts(), Means { append_limit: Some(99), ..FULL }, Reason::TooBig),
        (remove_mailbox("A", Some((7, 8))), facts(), FULL, Reason::MailboxChanged),
        (remove_mailbox("A", None), facts(), FULL, Reason::MailboxChanged),
    ];
    for (intent, facts, means, reason) in table {
        assert_eq!(parked(&begin(intent, *means, facts)), Some(*reason), "{intent}");
    }
    assert_eq!(begin(&remove_mailbox("A", Some((7, 9))), FULL, &facts()), send(Act::Remove));
    let empty = Facts { holds: Some((3, 3, 0)), ..facts() };
    assert_eq!(begin(&remove_mailbox("A", None), FULL, &empty), send(Act::Remove));
}

#[test]
fn a_keyword_that_the_server_forgets_stays_here() {
    let keeps = |flags: &[Flag]| Facts { keeps: Some(flags.to_vec()), ..facts() };
    let intent = flag(5, &["\\Seen", "$Label1"], &[]);
    let only_seen = send(Act::Store { add: vec![Flag::SEEN], remove: vec![] });
    assert_eq!(begin(&intent, FULL, &keeps(&[Flag::SEEN])), only_seen);
    let kept_here = end(State::Applied { note: Some(Note::KeptHere) });
    assert_eq!(begin(&flag(5, &["$Label1"], &[]), FULL, &keeps(&[Flag::SEEN])), kept_here);
    let both = send(Act::Store { add: vec![Flag::SEEN, Flag::from_server(b"$Label1")], remove: vec![] });
    assert_eq!(begin(&intent, FULL, &keeps(&[Flag::SEEN, Flag::ANY])), both);
    assert_eq!(begin(&create("A"), FULL, &facts()), send(Act::Create));
}

/// A server with two mailboxes and one message to be placed; commands are done or not, and answers lost, as given.
#[derive(Debug)]
struct Server {
    original: bool,
    marked: bool,
    copies: Vec<u32>,
    next: u32,
    /// A command that was read before the connection was lost, and is done later.
    late: Option<Act>,
}

impl Server {
    fn does(&mut self, act: &Act) -> Option<u32> {
        match act {
            Act::Append => return Some(self.place()),
            Act::Copy if self.original => return Some(self.place()),
            Act::Move if self.original => {
                self.original = false;
                return Some(self.place());
            }
            Act::Mark => self.marked = self.original,
            Act::Expunge if self.marked => self.original = false,
            _ => {}
        }
        None
    }

    fn place(&mut self) -> u32 {
        self.copies.push(self.next);
        self.next += 1;
        self.next - 1
    }
}

/// How one command goes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// Done, and the answer lost.
    Lost,
    /// Never read by the server.
    Undone,
    /// Done only after somebody has looked.
    Late,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let one = prop_oneof![Just(Fate::Answered), Just(Fate::Lost), Just(Fate::Undone), Just(Fate::Late)];
    proptest::collection::vec(one, 0..12)
}

/// Runs an intent to its end, through losses and crashes; gives its state.
fn run(intent: &Intent, means: Means, server: &mut Server, fates: &[Fate]) -> State {
    let (mut now, mut fates) = (0, fates.iter().copied());
    let entry = entry(1, intent.clone());
    let facts = Facts { to: Some((8, server.next)), ..facts() };
    let mut next = begin(intent, means, &facts);
    for _ in 0..100 {
        next = match next {
            Next::End { state, .. } => return state,
            Next::Look { step } | Next::Wait { step: Some(step) } => {
                let sighting = Sighting {
                    original: server.original,
                    uid_validity: Some(8),
                    uid_next: server.next,
                    copies: server.copies.clone(),
                    ..Sighting::default()
                };
                // What the server had read before the cut is done within the time that a copy is given to turn up.
                if let Some(act) = server.late.take() {
                    server.does(&act);
                }
                now += GRACE_SECONDS;
                doubt(&entry, step, &sighting, means, now)
            }
            Next::Wait { step: None } => panic!("nothing to go on with"),
            Next::Send { step, act } => match fates.next().unwrap_or(Fate::Answered) {
                Fate::Answered => {
                    let uid = server.does(&act).filter(|_| means.uid_plus);
                    confirmed(intent, step, uid.map(|uid| (8, uid)), means)
                }
                fate => {
                    match fate {
                        Fate::Lost => drop(server.does(&act)),
                        Fate::Late => server.late = Some(act),
                        _ => {}
                    }
                    Next::Wait { step: Some(step) }
                }
            },
        };
    }
    panic!("{intent} comes to no end: {server:?}")
}

proptest! {
    #[test]
    fn whatever_is_lost_a_message_is_placed_once(fates in fates(), which in 0..3usize, kind in 0..3usize) {
        let means = [FULL, PLUS, BARE][which];
        let intent = [append(9), copy_to(5, 9), move_to(5, 9)][kind].clone();
        let mut server = Server { original: true, marked: false, copies: vec![], next: 40, late: None };
        let state = run(&intent, means, &mut server, &fates);
        prop_assert_eq!(server.copies.len(), 1, "{:?}", server);
        prop_assert_eq!(state.name(), "applied");
        if kind == 2 && means.uid_plus {
            prop_assert!(!server.original);
        } else if kind == 2 {
            prop_assert!(server.marked);
        } else {
            prop_assert!(server.original && !server.marked);
        }
    }

    #[test]
    fn whatever_is_lost_a_deletion_takes_its_message_alone(fates in fates(), which in 0..2usize) {
        let means = [FULL, PLUS][which];
        let mut server = Server { original: true, marked: false, copies: vec![], next: 40, late: None };
        let intent = Intent::Delete { target: target(5) };
        let state = run(&intent, means, &mut server, &fates);
        prop_assert!(!server.original && server.copies.is_empty());
        prop_assert_eq!(state.name(), "applied");
    }
}

#[test]
fn what_a_clock_that_was_ahead_has_seen_is_waited_for_from_now_on() {
    let ahead = Step::Place { uid_validity: 8, uid_next: 40, unseen: Some(1_000_000) };
    let waiting = Step::Place { uid_validity: 8, uid_next: 40, unseen: Some(100) };
    assert_eq!(doubt(&entry(1, append(9)), ahead, &seen(false, &[]), BARE, 100), Next::Wait { step: Some(waiting) });
}

#[test]
fn only_a_command_that_takes_the_original_away_explains_an_empty_mailbox() {
    let (find, mark) = (Step::Find { uid_validity: 8, uid_next: 40, unseen: None }, Step::Mark { copy: None });
    assert!(leaves_original(&move_to(5, 9), find, BARE) && !leaves_original(&move_to(5, 9), PLACE, FULL));
    assert!(leaves_original(&copy_to(5, 9), PLACE, FULL) && leaves_original(&move_to(5, 9), mark, PLUS));
    assert!(!leaves_original(&move_to(5, 9), Step::Expunge { copy: None }, PLUS));
}
