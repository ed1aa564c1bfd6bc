//! Queries as a person types them, made of the mail that is searched: the same ones for the same mail.

use mailtide::message::{ParsedMessage, search_texts};
use mailtide::query::{Query, fold};
use mailtide::store::{MessageId, Store, body};

/// Queries by kind, words and phrases from texts of the store.
pub fn mix(store: &dyn Store) -> Vec<(&'static str, String)> {
    let mut chance = Chance(7);
    let texts = texts(store, 400);
    let mut out = Vec::new();
    for _ in 0..20 {
        let mut pick = |count| words(&texts, count, &mut chance);
        let [word, pair, two] = [pick(1), pick(2), pick(2)];
        let (phrase, long, mut mixed) = (pick(3), pick(5), pick(3));
        mixed.reverse();
        let shared = &pick(1).concat();
        let piece: String = pick(1).concat().chars().skip(1).take(3).collect();
        out.extend([
            ("word", word.concat()),
            ("word", pick(1).concat()),
            ("words", pair.join(" ")),
            ("words", format!("{} {}", two.concat(), shared)),
            ("phrase", format!("\"{}\"", two.join(" "))),
            ("phrase", format!("\"{}\"", phrase.join(" "))),
            ("phrase", format!("\"{}\"", long.join(" "))),
            ("phrase out of order", format!("\"{}\"", mixed.join(" "))),
            ("piece", piece),
            ("subject", format!("subject:{}", pick(1).concat())),
            ("sender", format!("from:{}", ["ada", "example.org", "grace", "müller", "smith"][chance.below(5)])),
            ("with flags", format!("is:unread {shared}")),
            ("with dates", format!("after:2016-03-01 before:2017-01-01 {shared}")),
            ("with attachment", format!("has:attachment {shared}")),
            ("without", format!("-{shared}")),
            ("large", format!("larger:{}K", 100 + chance.below(3000))),
        ]);
    }
    out.retain(|(_, query)| Query::parse(query).is_ok());
    out
}

/// Some hundred texts from all over the store, as words.
fn texts(store: &dyn Store, count: u32) -> Vec<Vec<String>> {
    let reader = store.read().unwrap();
    let mailboxes = reader.mailboxes().unwrap().into_iter();
    let newest: u64 = mailboxes.map(|row| reader.counts(row.id).unwrap().messages).sum();
    let ids = (0..count).map(|n| MessageId(1 + i64::from(n) * newest as i64 / i64::from(count)));
    let raws = ids.filter_map(|id| body::read(&*reader, id, 1 << 30).ok());
    let texts = raws.map(|raw| fold(&search_texts(&ParsedMessage::parse(raw)).concat()));
    let is_word = |word: &str| word.chars().all(char::is_alphanumeric);
    let words = texts.map(|text| text.split(' ').filter(|word| is_word(word)).map(str::to_owned).collect::<Vec<_>>());
    words.filter(|words| words.len() > 20).collect()
}

/// Words that follow each other somewhere.
fn words(texts: &[Vec<String>], count: usize, chance: &mut Chance) -> Vec<String> {
    let text = &texts[chance.below(texts.len())];
    let start = chance.below(text.len() - count);
    text[start..start + count].to_vec()
}

/// SplitMix64, so that the queries are the same again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % most.max(1) as u64) as usize
    }
}
