//! Words of text, and that an index of them never misses what stands in the text.

use super::super::fold;
use super::*;
use proptest::prelude::*;

fn words_of(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    words(&fold(text), |word| out.push(word.to_owned()));
    out
}

/// What an index of the words says.
fn has(index: &[String], wanted: &Wanted) -> bool {
    let text = wanted.text.as_str();
    index.iter().any(|word| match wanted.edge {
        Edge::Whole => word == text,
        Edge::Prefix => word.starts_with(text),
        Edge::Suffix => word.ends_with(text),
        Edge::Inside => word.contains(text),
    })
}

#[test]
fn words_are_runs_of_letters_and_digits() {
    for (text, found) in [
        ("Ada's re-run, 2024-01-31!", vec!["ada", "s", "re", "run", "2024", "01", "31"]),
        ("ada_l@mail.example.org", vec!["ada", "l", "mail", "example", "org"]),
        ("日本語のmail", vec!["日本", "本語", "語の", "mail"]),
        ("字", vec!["字"]),
        ("สวัสดี", vec!["สว", "วั", "ัส", "สด", "ดี"]),
        ("한국어 메일", vec!["한국어", "메일"]),
        ("नमस्ते दुनिया", vec!["नमस्ते", "दुनिया"]),
        ("€500 🎉🎉", vec!["€", "500", "🎉", "🎉"]),
        ("-- ** ==", vec![]),
    ] {
        assert_eq!(words_of(text), found, "{text}");
    }
}

#[test]
fn a_long_word_is_found_by_any_piece_of_it() {
    let long: String = (0..500).map(|n| char::from(b'a' + (n * n % 26) as u8)).collect();
    let index = words_of(&format!("see {long} there"));
    assert!(index.iter().all(|word| word.len() <= LONGEST));
    for start in 0..long.len() {
        for length in [1, 5, OVERLAP, OVERLAP + 1, 200] {
            let Some(piece) = long.get(start..start + length) else { continue };
            let (wanted, is_proof) = wanted(piece);
            assert!(wanted.iter().all(|w| has(&index, w)), "{piece}");
            assert_eq!(is_proof, length <= OVERLAP);
        }
    }
}

#[test]
fn one_word_is_proof_and_anything_else_is_not() {
    for (text, proof) in [
        ("moth", true),
        ("2024", true),
        ("日本", true),
        ("日", true),
        ("🎉", true),
        ("日本語", false),
        ("grace hopper", false),
        ("ada@", false),
        ("-moth", false),
        ("🎉🎉", false),
        ("--", false),
        ("x日", false),
    ] {
        assert_eq!(wanted(&fold(text)).1, proof, "{text}");
    }
    assert!(wanted("--").0.is_empty());
}

proptest! {
    /// The heart of the matter: nothing that stands in the text is missed, and what is proof is proof.
    #[test]
    fn an_index_of_words_misses_nothing_and_its_proof_holds(
        text in "[abÄé1@. \\-\n日本語ก็สวั🎉€ガ한]{0,60}",
        (start, length) in (0_usize..60, 1_usize..30),
        other in "[ab1@. 日本🎉]{1,4}",
    ) {
        let (folded, index) = (fold(&text), words_of(&text));
        let piece: String = folded.chars().skip(start).take(length).collect();
        for needle in [piece, fold(&other)] {
            let (wanted, is_proof) = wanted(&needle);
            let says = wanted.iter().all(|w| has(&index, w));
            let is_there = folded.contains(&needle);
            prop_assert!(says || !is_there, "{needle:?} in {folded:?} was missed");
            prop_assert!(!is_proof || says == is_there, "{needle:?} in {folded:?} was proven wrongly");
            let has_seams = wanted_seams(&needle).iter().all(|seam| seams(&folded).contains(seam));
            prop_assert!(has_seams || !is_there, "{needle:?} in {folded:?} was denied");
        }
    }
}
