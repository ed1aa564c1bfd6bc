//! Sets behave as sets of numbers do, whatever the ranges.

use super::*;
use crate::Code;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn a_users_set_is_read_strictly() {
    let printed = |text: &str| UidSet::parse(text).map(|s| s.to_string());
    assert_eq!(printed("1:5,9").unwrap(), "1:5,9");
    assert_eq!(printed("9,5:1,3").unwrap(), "1:5,9");
    assert_eq!(printed("4294967295").unwrap(), "4294967295");
    for wrong in ["", "0", "*", "1:*", "1,,2", "a", "1:2:3", "4294967296", "+1", " 1", "1 ", "ALL", "1,", "-1", "0:4"] {
        let error = UidSet::parse(wrong).unwrap_err();
        assert_eq!(error.code(), Code::UsageSelection, "{wrong:?}");
    }
    assert_eq!(UidSet::parse("1:5,x").unwrap_err().context().position, Some(4));
}

#[test]
fn a_servers_set_is_read_leniently() {
    let printed = |text: &[u8]| UidSet::from_server(text).map(|s| s.to_string());
    assert_eq!(printed(b"5:3,4,4").as_deref(), Some("3:5"));
    assert_eq!(printed(b"12:*").as_deref(), Some("12:4294967295"));
    assert_eq!(printed(b"1, 2").as_deref(), Some("1:2"));
    assert_eq!(printed(b""), None);
    assert_eq!(printed(b"0"), None);
    assert_eq!(printed(b"4294967296"), None);
}

#[test]
fn ranges_that_touch_become_one() {
    let mut set = UidSet::new();
    for (first, last) in [(5, 7), (1, 2), (3, 4), (9, 9), (8, 8), (u32::MAX, u32::MAX), (0, 0)] {
        set.insert_range(first, last);
    }
    assert_eq!(set.to_string(), "1:9,4294967295");
    assert_eq!(set.len(), 10);
}

#[test]
fn the_largest_set_costs_one_range() {
    let all = UidSet::range(1, u32::MAX);
    assert_eq!(all.len(), u64::from(u32::MAX));
    assert_eq!(all.newest(2).to_string(), "4294967294:4294967295");
    assert_eq!(all.difference(&UidSet::from(7)).to_string(), "1:6,8:4294967295");
    assert_eq!(all.newest(u64::MAX), all);
    assert!(all.oldest(0).is_empty());
}

#[test]
fn text_chunks_fit_and_hold_everything() {
    let set: UidSet = (1..=2000).map(|n| n * 2).collect();
    let chunks = set.chunks_by_text(100);
    assert!(chunks.iter().all(|c| c.to_string().len() <= 100));
    assert_eq!(chunks.iter().flat_map(UidSet::iter).collect::<UidSet>(), set);
    assert_eq!(UidSet::range(1_000_000, 2_000_000).chunks_by_text(3).len(), 1);
    assert!(UidSet::new().chunks_by_text(100).is_empty());
}

#[test]
fn counted_chunks_hold_everything() {
    let set: UidSet = "1:10,20:25".parse().unwrap();
    let printed: Vec<_> = set.chunks(8).iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["1:8", "9:10,20:25"]);
}

#[test]
fn copies_are_paired_in_the_order_given() {
    let list = |text: &[u8]| UidList::from_server(text).unwrap();
    let (source, target) = (list(b"304,320:319"), list(b"3956:3958"));
    let pairs: Vec<_> = source.pairs(&target).unwrap().collect();
    assert_eq!(pairs, [(304, 3956), (319, 3957), (320, 3958)]);
    assert!(source.pairs(&list(b"1:2")).is_none());
    let huge = list(b"1:4294967295");
    assert_eq!(huge.pairs(&huge).unwrap().nth(1), Some((2, 2)));
}

proptest! {
    #[test]
    fn set_algebra_agrees_with_a_set_of_numbers(
        a in prop::collection::vec(1u32..60, 0..30), b in prop::collection::vec(1u32..60, 0..30), n in 0u64..70,
    ) {
        let (x, y): (UidSet, UidSet) = (a.iter().copied().collect(), b.iter().copied().collect());
        let (p, q): (BTreeSet<u32>, BTreeSet<u32>) = (a.iter().copied().collect(), b.iter().copied().collect());
        let same = |set: UidSet, numbers: Vec<u32>| set.iter().collect::<Vec<_>>() == numbers;
        prop_assert!(same(x.union(&y), p.union(&q).copied().collect()));
        let mut merged = x.clone();
        merged.merge(&y);
        prop_assert_eq!(&merged, &x.union(&y));
        prop_assert!(same(x.intersection(&y), p.intersection(&q).copied().collect()));
        prop_assert!(same(x.difference(&y), p.difference(&q).copied().collect()));
        prop_assert!(same(x.oldest(n), p.iter().copied().take(n as usize).collect()));
        prop_assert_eq!(x.newest(n).len(), x.len().min(n));
        prop_assert!(p.iter().all(|uid| x.contains(*uid)));
        let mut one_by_one = UidSet::new();
        a.iter().for_each(|uid| one_by_one.insert(*uid));
        prop_assert_eq!(&one_by_one, &x);
        if !x.is_empty() {
            prop_assert_eq!(&UidSet::parse(&x.to_string()).unwrap(), &x);
        }
    }

    #[test]
    fn no_server_text_panics(text in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(set) = UidSet::from_server(&text) {
            prop_assert!(!set.is_empty() && !set.contains(0));
        }
    }
}
