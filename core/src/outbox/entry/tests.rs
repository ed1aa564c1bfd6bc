//! States and their order.

use super::*;
use RecipientState as R;

fn entry(recipients: &[R]) -> Entry {
    let recipient = |(n, state): (usize, &R)| Recipient { address: format!("r{n}@x.org"), state: *state, reply: None };
    Entry {
        id: 1,
        key: "k".into(),
        message_id: "m@x.org".into(),
        sender: "a@x.org".into(),
        recipients: recipients.iter().enumerate().map(recipient).collect(),
        state: State::Queued,
        changed: 0,
        created: 0,
        attempts: 0,
        not_before: 0,
        reply: None,
        sent_copy: None,
        on_doubt: OnDoubt::Ask,
        wants_copy: true,
    }
}

fn states(entry: &Entry) -> Vec<R> {
    entry.recipients.iter().map(|r| r.state).collect()
}

fn accepted() -> Fate {
    Fate::Accepted("250 ok".into())
}

fn rejected() -> Fate {
    Fate::Rejected("550 no".into())
}

fn deferred() -> Fate {
    Fate::Deferred("450 later".into())
}

fn submitted(fates: &[Fate], reached: Option<Stage>) -> Submitted {
    Submitted { fates: fates.to_vec(), reached }
}

#[test]
fn stored_words_come_back() {
    use State::{Accepted, Cancelled, Connected, DataStarted, DotSent, Queued, Rejected, Uncertain};
    for state in [Queued, Connected, DataStarted, DotSent, Accepted, Rejected, Uncertain, Cancelled] {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
    assert_eq!(R::parse("sending"), Some(R::Sending));
    assert_eq!(CopyState::parse("appending"), Some(CopyState::Appending));
    assert_eq!((OnDoubt::parse("assume_sent"), OnDoubt::parse("")), (Some(OnDoubt::AssumeSent), None));
}

#[test]
fn what_the_recipients_add_up_to() {
    let dot = Some(Stage::DotSent);
    for (fates, reached, expected) in [
        (vec![accepted(), accepted()], dot, State::Accepted),
        (vec![accepted(), rejected()], dot, State::Accepted),
        (vec![rejected(), rejected()], Some(Stage::Connected), State::Rejected),
        (vec![rejected(), rejected()], None, State::Rejected),
        (vec![accepted(), deferred()], dot, State::Queued),
        (vec![Fate::Open, Fate::Open], Some(Stage::Connected), State::Queued),
        (vec![Fate::Open, rejected()], Some(Stage::DataStarted), State::Queued),
        (vec![Fate::Open, rejected()], dot, State::Uncertain),
        (vec![Fate::Open, deferred()], dot, State::Uncertain),
    ] {
        let ended = entry(&[R::Waiting, R::Waiting]).ended(&submitted(&fates, reached), None, 9, 0.5);
        assert_eq!((ended.state, ended.changed), (expected, 9), "{fates:?} {reached:?}");
        assert!(!states(&ended).contains(&R::Sending));
        let copied = fates.contains(&accepted());
        assert_eq!(ended.sent_copy, copied.then_some(CopyState::Wanted), "{fates:?}");
    }
}

#[test]
fn only_those_who_wait_are_served_again() {
    let first = entry(&[R::Waiting, R::Waiting, R::Waiting]);
    let first = first.ended(&submitted(&[accepted(), deferred(), rejected()], Some(Stage::DotSent)), None, 0, 0.0);
    assert_eq!(first.waiting(), ["r1@x.org"]);
    assert_eq!(first.recipients[1].reply.as_deref(), Some("450 later"));
    let begun = first.begun(Stage::DataStarted, &[Fate::Open], 100);
    assert_eq!(states(&begun), [R::Accepted, R::Sending, R::Rejected]);
    let second = first.ended(&submitted(&[accepted()], Some(Stage::DotSent)), None, 100, 0.0);
    assert_eq!((second.state, states(&second)), (State::Accepted, vec![R::Accepted, R::Accepted, R::Rejected]));
}

#[test]
fn a_crash_is_told_from_its_last_commit() {
    let original = entry(&[R::Waiting, R::Waiting]);
    let fates = [Fate::Open, rejected()];
    for (stage, state, recipients) in [
        (Stage::Connected, State::Queued, [R::Waiting, R::Rejected]),
        (Stage::DataStarted, State::Queued, [R::Waiting, R::Rejected]),
        (Stage::DotSent, State::Uncertain, [R::Uncertain, R::Rejected]),
    ] {
        let found = original.begun(stage, &fates, 5).recovered(6);
        assert_eq!((found.state, states(&found)), (state, recipients.to_vec()), "{stage:?}");
    }
    for state in [State::Queued, State::Accepted, State::Rejected, State::Uncertain, State::Cancelled] {
        let entry = Entry { state, ..entry(&[R::Waiting]) };
        assert_eq!(entry.clone().recovered(6), entry);
    }
}

#[test]
fn doubt_is_never_ended_by_sending_unless_it_was_said() {
    let doubtful = |on_doubt| {
        let entry = Entry { on_doubt, ..entry(&[R::Waiting]) };
        entry.ended(&submitted(&[Fate::Open], Some(Stage::DotSent)), None, 1000, 0.0)
    };
    let asked = doubtful(OnDoubt::Ask);
    let again = asked.clone().looked(false, 1000);
    assert_eq!((again.state, again.not_before), (State::Uncertain, 1060));
    assert!(!again.needs_decision());
    let given_up = again.clone().looked(false, 1000 + LOOKING);
    assert!(given_up.needs_decision() && given_up.state == State::Uncertain);
    assert_eq!(given_up.clone().recovered(99_999), given_up);
    assert_eq!(doubtful(OnDoubt::Resend).looked(false, 1000 + LOOKING).state, State::Queued);
    assert_eq!(doubtful(OnDoubt::Resend).looked(false, 1899).state, State::Uncertain);
    assert_eq!(doubtful(OnDoubt::AssumeSent).looked(false, 1000 + LOOKING).state, State::Accepted);
    let found = asked.clone().looked(true, 1001);
    assert_eq!((found.state, found.sent_copy), (State::Accepted, Some(CopyState::Filed)));
    assert!(found.is_finished());
    for (decision, state) in
        [(Decision::Resend, State::Queued), (Decision::Sent, State::Accepted), (Decision::Drop, State::Rejected)]
    {
        assert_eq!(given_up.clone().decided(decision, 5000).unwrap().state, state, "{decision:?}");
    }
    assert!(entry(&[R::Waiting]).decided(Decision::Resend, 0).is_err());
}

#[test]
fn who_was_put_off_is_served_when_the_doubt_is_over() {
    let fates = [Fate::Open, deferred()];
    let doubtful = entry(&[R::Waiting, R::Waiting]).ended(&submitted(&fates, Some(Stage::DotSent)), None, 0, 0.0);
    let resolved = doubtful.clone().decided(Decision::Sent, 9).unwrap();
    assert_eq!((resolved.state, resolved.waiting()), (State::Queued, vec!["r1@x.org".to_owned()]));
    let dropped = doubtful.decided(Decision::Drop, 9).unwrap();
    assert_eq!(states(&dropped), [R::Rejected, R::Rejected]);
}

#[test]
fn delays_double_and_end() {
    let bounds: Vec<i64> = (1..=8).map(|attempt| delay(attempt, 1.0)).collect();
    assert_eq!(bounds, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert_eq!((delay(1, 0.0), delay(u32::MAX, 0.5)), (30, 2700));
    let (mut entry, mut now) = (entry(&[R::Waiting]), 0);
    while entry.state == State::Queued {
        now = entry.not_before.max(now);
        entry = entry.ended(&submitted(&[deferred()], Some(Stage::Connected)), None, now, 0.5);
    }
    assert_eq!((entry.state, entry.recipients[0].reply.as_deref()), (State::Rejected, Some("450 later")));
    assert!((2 * 86_400..6 * 86_400).contains(&now), "{now}");
}

#[test]
fn only_what_is_queued_can_be_taken_back() {
    assert_eq!(entry(&[R::Waiting]).cancelled(3).unwrap().state, State::Cancelled);
    let partly = entry(&[R::Accepted, R::Waiting]).cancelled(3).unwrap();
    assert_eq!((partly.state, states(&partly)), (State::Accepted, vec![R::Accepted, R::Rejected]));
    for state in [State::Connected, State::DataStarted, State::DotSent, State::Accepted, State::Uncertain] {
        assert_eq!(
            Entry { state, ..entry(&[R::Waiting]) }.cancelled(3).map_err(|e| e.code()),
            Err(Code::UsageArgument)
        );
    }
}
