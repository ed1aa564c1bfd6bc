//! The index against plain text: what it names, what it proves, merged and after deletions.

use super::super::{Batch, Merge, SegmentData, to_merge};
use super::*;
use crate::error::Code;
use crate::query::{fold, wanted};
use proptest::prelude::*;

impl Blocks for SegmentData {
    fn words(&self, block: u32) -> Result<Bytes> {
        Ok(self.blocks[block as usize].words.clone().into())
    }
    fn postings(&self, block: u32) -> Result<Bytes> {
        Ok(self.blocks[block as usize].postings.clone().into())
    }
}

struct Kept(Head, SegmentData);

impl Kept {
    fn new(data: SegmentData) -> Self {
        Self(Head::parse(&data.head).unwrap(), data)
    }
    fn source(&self) -> Source<'_> {
        Source { head: &self.0, blocks: &self.1 }
    }
}

fn segment(mails: &[(i64, &str, &str)]) -> Kept {
    let mut batch = Batch::new();
    for (id, subject, body) in mails {
        batch.add(*id, (true, true), &[(Field::Subject, &fold(subject)), (Field::Body, &fold(body))]);
    }
    Kept::new(batch.finish())
}

fn ids(text: &str, fields: &'static [Field], segments: &[&Kept]) -> Vec<i64> {
    let (wanted, is_proof) = wanted(&fold(text));
    let sources: Vec<_> = segments.iter().map(|kept| kept.source()).collect();
    search(&WordTerm { fields, wanted, is_proof, seams: Vec::new() }, &sources, false).unwrap().docs.iter().collect()
}

#[test]
fn words_are_found_by_field_and_by_piece() {
    let kept = segment(&[
        (3, "The Moth", "in relay 70 of panel F"),
        (9, "Behemoth", "ada@example.org wrote about the moth"),
        (70, "日本語", "A Möth, and a café"),
    ]);
    for (text, fields, found) in [
        ("moth", Field::ALL, vec![3, 9, 70]),
        ("moth", &[Field::Subject], vec![3, 9]),
        ("MOTH", &[Field::Body], vec![9, 70]),
        ("the moth", &[Field::Subject], vec![3]),
        ("e mot", &[Field::Body], vec![9, 70]),
        ("ada@exam", Field::ALL, vec![9]),
        ("da@exam", Field::ALL, vec![9]),
        ("ada@xample", Field::ALL, vec![]),
        ("relay 7", Field::ALL, vec![3]),
        ("本語", Field::ALL, vec![70]),
        ("本", Field::ALL, vec![70]),
        ("cafe", Field::ALL, vec![70]),
        ("nothing", Field::ALL, vec![]),
    ] {
        assert_eq!(ids(text, fields, &[&kept]), found, "{text}");
    }
}

#[test]
fn rare_words_in_telling_places_rank_higher() {
    let kept = segment(&[(1, "moth", "x"), (2, "x", "moth"), (3, "x", "behemoth"), (4, "x", "y")]);
    let (wanted, is_proof) = wanted("moth");
    let term = WordTerm { fields: Field::ALL, wanted, is_proof, seams: Vec::new() };
    let hits = search(&term, &[kept.source()], true).unwrap();
    assert!(hits.scores[&1] > hits.scores[&2] && hits.scores[&2] > hits.scores[&3]);
    assert_eq!(hits.scores.len(), 3);
}

#[test]
fn a_message_that_comes_in_two_steps_becomes_one() {
    let mut first = Batch::new();
    first.add(5, (true, false), &[(Field::Subject, "moth")]);
    first.add(6, (true, false), &[(Field::Subject, "bug")]);
    let mut second = Batch::new();
    second.add(5, (false, true), &[(Field::Body, "relay moth")]);
    let (first, second) = (Kept::new(first.finish()), Kept::new(second.finish()));
    assert_eq!(ids("moth relay", Field::ALL, &[&first, &second]), [5]);
    let gone = [6].into_iter().collect();
    let merged = Kept::new(Merge::run(&[first.source(), second.source()], &gone).unwrap());
    assert_eq!(merged.0.docs.len(), 1);
    assert!(merged.0.docs[0].header && merged.0.docs[0].body);
    assert_eq!(ids("moth relay", Field::ALL, &[&merged]), [5]);
    assert_eq!(ids("moth", Field::ALL, &[&merged]), [5]);
    assert!(ids("bug", Field::ALL, &[&merged]).is_empty());
    assert!(!merged.1.blocks[0].words.windows(3).any(|piece| piece == b"bug"), "the word of a deleted message is gone");
}

#[test]
fn eight_of_one_size_are_merged() {
    assert!(to_merge(&[1000; 7]).is_empty());
    assert_eq!(to_merge(&[1000; 8]).len(), 8);
    assert_eq!(to_merge(&[9_000_000, 1000, 2000, 900, 10, 20, 30, 40, 50]), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn many_words_go_to_many_blocks() {
    let texts: Vec<String> = (0..20_000).map(|n| format!("w{n:05}x{} common", n * 7919 % 20_000)).collect();
    let mails: Vec<(i64, &str, &str)> = texts.iter().zip(1..).map(|(text, id)| (id, "s", text.as_str())).collect();
    let kept = segment(&mails);
    assert!(kept.1.blocks.len() > 10);
    assert_eq!(ids("common", Field::ALL, &[&kept]).len(), 20_000);
    assert_eq!(ids("w00042", Field::ALL, &[&kept]), [43]);
    assert_eq!(ids("w00042x", Field::ALL, &[&kept]), [43]);
    assert_eq!(ids("00042x", Field::ALL, &[&kept]), [43]);
    let expected: Vec<i64> = mails.iter().filter(|(_, _, text)| text.contains("99x1")).map(|(id, ..)| *id).collect();
    assert_eq!(ids("99x1", Field::ALL, &[&kept]), expected);
}

#[test]
fn damage_is_an_error() {
    let mut kept = segment(&[(1, "moth", "moth")]);
    assert_eq!(Head::parse(&kept.1.head[1..]).unwrap_err().code(), Code::StoreDamaged);
    kept.1.blocks[0].postings.clear();
    let (wanted, is_proof) = wanted("moth");
    let term = WordTerm { fields: Field::ALL, wanted, is_proof, seams: Vec::new() };
    assert_eq!(search(&term, &[kept.source()], false).unwrap_err().code(), Code::StoreDamaged);
}

proptest! {
    /// Whatever is cut into segments and merged: every message that has the text is named, and proof holds.
    #[test]
    fn nothing_is_missed_in_any_segments(
        texts in prop::collection::vec("[ab日本1@ ]{0,12}", 1..12),
        needle in "[ab日本1@ ]{1,4}",
        cut in 0_usize..12,
    ) {
        let mails: Vec<(i64, &str, &str)> = texts.iter().zip((1..).step_by(7)).map(|(text, id)| (id, "", text.as_str())).collect();
        let (left, right) = mails.split_at(cut.min(mails.len()));
        let (left, right) = (segment(left), segment(right));
        let merged = Kept::new(Merge::run(&[left.source(), right.source()], &DocSet::new()).unwrap());
        prop_assert_eq!(&merged.1, &segment(&mails).1);
        let needle = fold(&needle);
        let (wanted, is_proof) = wanted(&needle);
        prop_assume!(!wanted.is_empty());
        let expected: Vec<i64> = mails.iter().filter(|(_, _, text)| fold(text).contains(&needle)).map(|m| m.0).collect();
        let found = ids(&needle, Field::ALL, &[&left, &right]);
        prop_assert_eq!(&found, &ids(&needle, Field::ALL, &[&merged]));
        prop_assert!(expected.iter().all(|id| found.contains(id)));
        prop_assert!(!is_proof || found == expected);
    }
}
