//! Words of text, and that an index of them never misses what stands in the text.

use super::super::fold;
use super::*;
use proptest::prelude::*;

fn words_of(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    tokens(&fold(text), |token| match token {
        Token::Word(word) => out.push(word.to_owned()),
        Token::Seam(_) => {}
    });
    out
}

fn seams_of(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    tokens(&fold(text), |token| match token {
        Token::Seam(seam) => out.push(seam.to_owned()),
        Token::Word(_) => {}
    });
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

#[test]
fn seams_are_what_a_phrase_must_have() {
    let wanted = |text: &str| {
        let (seams, is_proof) = wanted_seams(&fold(text));
        (seams.iter().map(|seam| (seam.text.clone(), seam.edge)).collect::<Vec<_>>(), is_proof)
    };
    let seam = |text: &str, edge| (text.to_owned(), edge);
    assert_eq!(seams_of("Bäthe their moth, at\n70 °"), ["the the", "eir mot", "at 70"]);
    for (text, seams, is_proof) in [
        ("the the", vec![seam("the the", Edge::Whole)], true),
        ("to be", vec![seam("to be", Edge::Inside)], true),
        ("of the", vec![seam("of the", Edge::Suffix)], true),
        ("the moth", vec![seam("the mot", Edge::Whole)], false),
        ("a moth in", vec![seam("oth in", Edge::Prefix)], false),
        (
            "the of in a",
            vec![seam("the of", Edge::Whole), seam("of in", Edge::Whole), seam("in a", Edge::Prefix)],
            false,
        ),
        ("ada@example.org", vec![], false),
        ("moth", vec![], false),
        ("the, the", vec![], false),
    ] {
        assert_eq!(wanted(text), (seams, is_proof), "{text}");
    }
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
            let (wanted, is_proof) = wanted_seams(&needle);
            let says = wanted.iter().all(|w| has(&seams_of(&text), w));
            prop_assert!(says || !is_there, "{needle:?} in {folded:?} was denied");
            prop_assert!(!is_proof || says == is_there, "{needle:?} in {folded:?} was proven wrongly by its seam");
        }
    }
}
