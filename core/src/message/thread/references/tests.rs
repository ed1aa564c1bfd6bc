//! The steps of RFC 5256, odd references, and hostile ones.

use super::super::{base_subject, thread_text};
use super::*;
use proptest::prelude::*;

/// `id`, ids it refers to, subject; sent in the order given.
fn mails(list: &[(&str, &str, &str)]) -> Vec<Threading> {
    let message = |(sent, (id, references, subject)): (i64, &(&str, &str, &str))| Threading {
        message_id: (!id.is_empty()).then(|| (*id).to_owned()),
        references: references.split_whitespace().map(str::to_owned).collect(),
        sent,
        subject: base_subject(subject),
    };
    (1..).zip(list).map(message).collect()
}

/// As THREAD answers (RFC 5256 section 4), messages numbered from 1.
fn shown(list: &[(&str, &str, &str)]) -> String {
    thread_text(&references(&mails(list)), |place| place as u32 + 1)
}

#[test]
fn replies_hang_below_what_they_answer() {
    assert_eq!(shown(&[("a", "", "x"), ("b", "a", "y"), ("c", "a b", "z"), ("d", "a", "w")]), "(1 (2 3)(4))");
    assert_eq!(shown(&[("a", "", "x"), ("b", "", "y")]), "(1)(2)");
    assert_eq!(shown(&[("c", "a b", "z"), ("b", "a", "y"), ("a", "", "x")]), "(3 2 1)");
}

#[test]
fn what_is_not_there_holds_its_children_together_only_at_the_top() {
    assert_eq!(shown(&[("b", "a", "x"), ("c", "a", "y")]), "((1)(2))");
    assert_eq!(shown(&[("a", "", "x"), ("c", "a gone", "y"), ("d", "a gone", "z")]), "(1 (2)(3))");
    assert_eq!(shown(&[("c", "gone", "y")]), "(1)");
}

#[test]
fn threads_of_one_subject_become_one() {
    for (list, expected) in [
        // A reply goes below what it may answer.
        (vec![("a", "", "moth"), ("b", "", "Re: moth")], "(1 2)"),
        (vec![("a", "", "Re: moth"), ("b", "", "moth")], "(2 1)"),
        // Two of a kind become siblings.
        (vec![("a", "", "moth"), ("b", "", "moth")], "((1)(2))"),
        (vec![("a", "", "moth"), ("b", "", "moth"), ("c", "", "moth")], "((1)(2)(3))"),
        (vec![("a", "", "Re: moth"), ("b", "", "Re: moth")], "((1)(2))"),
        // Below, or beside the children of, what is not there.
        (vec![("a", "x", "moth"), ("b", "x", "moth"), ("c", "", "Re: moth")], "((1)(2)(3))"),
        (vec![("a", "x", "moth"), ("b", "x", "m"), ("c", "y", "moth"), ("d", "y", "n")], "((1)(2)(3)(4))"),
        // Nothing in common.
        (vec![("a", "", ""), ("b", "", "Re:")], "(1)(2)"),
    ] {
        assert_eq!(shown(&list), expected, "{list:?}");
    }
}

#[test]
fn equal_and_missing_ids_do_no_harm() {
    assert_eq!(shown(&[("a", "", "x"), ("a", "", "y"), ("", "", "z"), ("b", "a", "w")]), "(1 4)(2)(3)");
    let many: Vec<(&str, &str, &str)> = (0..1000).map(|_| ("same", "same", "")).collect();
    assert_eq!(references(&mails(&many)).len(), 1000);
}

#[test]
fn circles_are_not_closed() {
    assert_eq!(shown(&[("a", "b", "x"), ("b", "a", "y")]), "(2 1)");
    assert_eq!(shown(&[("a", "a", "x")]), "(1)");
    assert_eq!(shown(&[("a", "b c a b", "x"), ("c", "a", "y")]).matches(char::is_numeric).count(), 2);
}

#[test]
fn hostile_references_take_linear_time() {
    let deep: Vec<Threading> = (0..200_000)
        .map(|n| Threading {
            message_id: Some(n.to_string()),
            references: vec![(n + 1).to_string()],
            ..Default::default()
        })
        .collect();
    assert_eq!(references(&deep).iter().filter(|node| node.message.is_some()).count(), 200_000);
    let star: Vec<Threading> = (0..200_000)
        .map(|n| Threading { message_id: Some(n.to_string()), references: vec!["x".into()], ..Default::default() })
        .collect();
    assert_eq!(references(&star).len(), 200_001);
}

proptest! {
    #[test]
    fn every_message_is_there_once(list in prop::collection::vec(("[a-f]?", "([a-f] ){0,4}", "(Re: )?[xyz]?"), 0..20)) {
        let list: Vec<_> = list.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        let nodes = references(&mails(&list));
        let mut found: Vec<usize> = nodes.iter().filter_map(|node| node.message).collect();
        found.sort_unstable();
        prop_assert!(found.into_iter().eq(0..list.len()));
        prop_assert!(nodes.windows(2).all(|pair| pair[1].depth <= pair[0].depth + 1));
    }
}
