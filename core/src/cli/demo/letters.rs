//! The mail of the demo: what some people have written to Ada, by hand and from a few patterns. Pure.

use crate::error::Result;
use crate::imap::{Flag, InternalDate};
use crate::message::{Composed, Draft, DraftAttachment, Stamp};

/// Whose mailbox it is.
pub(super) const ADA: &str = "Ada Lovelace <ada@analytical.example>";
/// The list that is triaged.
pub(super) const LIST: &str = "Moths and Relays <moths.lists.example>";

/// A letter and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub mailbox: &'static str,
    from: &'static str,
    to: &'static str,
    subject: &'static str,
    text: &'static str,
    /// How long ago it came, in minutes.
    pub minutes: i64,
    /// `r`ead, `f`lagged, `a`nswered.
    marks: &'static str,
    /// Its attachment: name and size in bytes.
    file: Option<(&'static str, usize)>,
    is_of_list: bool,
}

const fn inbox(minutes: i64, from: &'static str, subject: &'static str, text: &'static str) -> Letter {
    let (mailbox, to, marks) = ("INBOX", ADA, "");
    Letter { mailbox, from, to, subject, text, minutes, marks, file: None, is_of_list: false }
}

const fn with(letter: Letter, marks: &'static str, file: Option<(&'static str, usize)>) -> Letter {
    Letter { marks, file, ..letter }
}

const fn list(minutes: i64, from: &'static str, subject: &'static str, text: &'static str) -> Letter {
    Letter { is_of_list: true, to: LIST, ..inbox(minutes, from, subject, text) }
}

const fn sent(minutes: i64, to: &'static str, subject: &'static str, text: &'static str) -> Letter {
    Letter { mailbox: "Sent", to, marks: "r", ..inbox(minutes, ADA, subject, text) }
}

const BABBAGE: &str = "Charles Babbage <charles@analytical.example>";
const GRACE: &str = "Grace Hopper <grace@navy.example>";
const MARY: &str = "Mary Somerville <mary@royal-society.example>";
const TOSHIKO: &str = "湯浅年子 <toshiko@ochanomizu.example>";
const SOFIA: &str = "Софья Ковалевская <sofia@stockholm.example>";
const CAROLINE: &str = "Caroline Herschel <caroline@slough.example>";
const HEDY: &str = "Hedy Lamarr <hedy@frequency.example>";

/// Written by hand. The newest one is the one that is answered.
pub(super) const LETTERS: &[Letter] = &[
    inbox(
        18,
        GRACE,
        "Found a moth in relay 70 🦋",
        "Ada,\n\nfirst actual case of a bug being found. We have taped it into the log book, page 92. The machine runs again \
         since 15:45.\n\nDo you want to see it before the curators do?\n\nGrace\n",
    ),
    with(
        inbox(
            55,
            BABBAGE,
            "The second barrel: drawings for Thursday",
            "My dear Ada,\n\nherewith the drawings of the second barrel, as promised. Clement swears that the carry \
             works in a single turn now. I should believe him if he sent fewer invoices.\n\nPlease bring your notes on the \
             loop; the committee will ask.\n\nC. B.\n",
        ),
        "f",
        Some(("barrel-2.pdf", 148_000)),
    ),
    list(
        71,
        "Kathleen <kay@wrens.example>",
        "[moths] Cleaning contacts without lint",
        "Has anybody tried chamois? Cotton leaves threads, and threads invite guests.\n",
    ),
    inbox(
        130,
        TOSHIKO,
        "来週の会議の件",
        "お世話になっております。\n\n来週の会議は木曜日の10時からに変更になりました。資料は月曜日までにお送りします。\n\n湯浅\n",
    ),
    list(
        190,
        "Betty <betty@moore.example>",
        "[moths] Re: Cleaning contacts without lint",
        "> Has anybody tried chamois?\n\nYes, for a year now. No lint, no moths, and the dog is only slightly offended.\n",
    ),
    with(
        inbox(
            260,
            HEDY,
            "Frequency plan, with the piano roll",
            "Attached: 88 channels, one per key. If both sides turn the roll at the same pace, nobody can follow \
             us.\n\nThe navy has it in a drawer. Shall we publish?\n\nH.\n",
        ),
        "",
        Some(("piano-roll-88.png", 96_000)),
    ),
    with(
        inbox(
            420,
            "Punch Card Supply Co. <billing@cards.example>",
            "Invoice 1843-07 for 10,000 cards",
            "Dear customer,\n\nplease find attached our invoice for ten thousand cards, round corners, without \
             holes. Holes are charged separately.\n",
        ),
        "",
        Some(("invoice-1843-07.pdf", 61_000)),
    ),
    with(
        inbox(
            600,
            SOFIA,
            "Вопрос о ряде в примечании G",
            "Дорогая Ада,\n\nв таблице для чисел Бернулли, строка 4, у меня получается обратная дробь. Посмотри, \
             пожалуйста: v5 и v4 стоят не в том порядке?\n\nСофья\n",
        ),
        "f",
        None,
    ),
    list(
        790,
        "Jean <jean@eniac.example>",
        "[moths] Meeting notes, and who brings the lamp",
        "Present: six people, two owls. The lamp draws more moths than it finds; we shall try a red one.\n",
    ),
    with(
        inbox(
            1500,
            MARY,
            "Re: Tea on Sunday?",
            "Sunday is perfect. I shall bring the chapter on the connexion of the sciences; be merciless.\n\nMary\n",
        ),
        "r",
        None,
    ),
    with(
        inbox(
            1800,
            CAROLINE,
            "Eight comets, one catalogue",
            "The positions are reduced to the equinox. I have marked the two that William will claim.\n",
        ),
        "ra",
        Some(("catalogue.csv", 23_000)),
    ),
    inbox(
        2100,
        "Lyceum Library <desk@library.example>",
        "Reminder: \"Sketch of the Analytical Engine\" is due",
        "The book is due on Friday. A second reader is waiting, and has been since 1843.\n",
    ),
    list(
        2600,
        "Kathleen <kay@wrens.example>",
        "[moths] Photograph of the log book",
        "As so many have asked: yes, it is real, yes, it is taped, no, it is not for sale.\n",
    ),
    with(
        inbox(2900, BABBAGE, "Dinner, and the Duke", "The Duke comes at eight. He will ask what it is for.\n"),
        "r",
        None,
    ),
    sent(
        1560,
        MARY,
        "Tea on Sunday?",
        "Would Sunday suit you? The engine sleeps on Sundays, and so nobody will need me.\n",
    ),
    sent(1750, CAROLINE, "Re: Eight comets, one catalogue", "They are all yours, and I shall say so in print.\n"),
    sent(4000, BABBAGE, "The loop", "I have found a way to say \"do this again\" without writing it again.\n"),
];

const PEOPLE: &[&str] = &[BABBAGE, GRACE, MARY, TOSHIKO, SOFIA, CAROLINE, HEDY, "Joan Clarke <joan@hut8.example>"];
const THINGS: &[&str] = &[
    "the carry mechanism",
    "the difference of the sixth order",
    "relay 42",
    "the card reader",
    "the observatory's clock",
    "the printing apparatus",
    "the lecture in Turin",
    "the new cams",
    "the expenses for brass",
    "the table of logarithms",
];
const OPENINGS: &[&str] =
    &["Notes on", "A question about", "Re:", "Good news of", "Once more:", "Minutes:", "Photographs of"];
const SENTENCES: &[&str] = &[
    "It turned twice without jamming, which is once more than on Monday.",
    "I have checked the figures by hand and by candle, and they agree.",
    "The workshop asks for another week and another hundred pounds.",
    "Whoever oils it next should know that less is more.",
    "The third column still overflows when the sign changes.",
    "Somebody has drawn an owl on the blueprint; it improves it.",
    "We should write down how we did it, before we forget that it was hard.",
    "Come and see it on Thursday, before the committee does.",
];

/// Where letters from patterns lie, and how many of each hundred.
const PLACES: &[(&str, u64)] = &[("Archive", 55), ("Projects/Analytical Engine", 20), ("Lists/Moths and Relays", 25)];

/// A letter from a pattern: the same number gives the same letter.
pub(super) fn pattern(number: u64) -> (Letter, String, String) {
    let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1843);
    let mut place = chance.below(100);
    let mailbox = PLACES.iter().find(|(_, share)| {
        let is_here = place < *share;
        place = place.saturating_sub(*share);
        is_here
    });
    let mailbox = mailbox.map_or("Archive", |(name, _)| *name);
    let subject = format!("{} {}", chance.of(OPENINGS), chance.of(THINGS));
    let sentences: Vec<_> = (0..2 + chance.below(5)).map(|_| chance.of(SENTENCES)).collect();
    let minutes = i64::try_from(3000 + number * 97 + chance.below(90)).unwrap_or(3000);
    let file = (chance.below(9) == 0).then_some(("sheet.csv", 4000));
    let marks = ["r", "r", "r", "ra", "rf", "r", "r", "r"].get(usize::try_from(chance.below(8)).unwrap_or(0));
    let letter = Letter {
        mailbox,
        marks: marks.copied().unwrap_or("r"),
        file,
        is_of_list: mailbox.starts_with("Lists"),
        ..inbox(minutes, chance.of(PEOPLE), "", "")
    };
    (letter, subject, format!("Dear Ada,\n\n{}\n\nYours\n", sentences.join(" ")))
}

impl Letter {
    /// Its flags.
    pub fn flags(&self) -> Vec<Flag> {
        let known = [('r', Flag::SEEN), ('f', Flag::FLAGGED), ('a', Flag::ANSWERED)];
        known.into_iter().filter(|(mark, _)| self.marks.contains(*mark)).map(|(_, flag)| flag).collect()
    }

    /// The message as it was sent. Subject and text are its own unless given.
    pub fn composed(&self, number: u64, received: InternalDate, own: Option<(String, String)>) -> Result<Composed> {
        let (subject, text) = own.unwrap_or_else(|| (self.subject.to_owned(), self.text.to_owned()));
        let mut draft = Draft::new().from(self.from)?.to(if self.is_of_list { ADA } else { self.to })?.subject(subject);
        draft = draft.text(text);
        if self.is_of_list {
            draft.headers.push(("List-Id".to_owned(), LIST.to_owned()));
        }
        if let Some((name, size)) = self.file {
            draft = draft.attach(DraftAttachment::bytes(name, content(name, size, number)));
        }
        let mut random = [0; 32];
        Chance(number ^ 0xada).fill(&mut random);
        draft.compose(&Stamp { now: received, random })
    }
}

/// Bytes that no compression makes smaller; lines of numbers for a table.
fn content(name: &str, size: usize, number: u64) -> Vec<u8> {
    let mut chance = Chance(number ^ 0x70);
    if name.ends_with(".csv") {
        let line = |at: u64, chance: &mut Chance| format!("{at},{},{}\n", chance.below(360), chance.below(1000));
        return (0..size as u64 / 12).map(|at| line(at, &mut chance)).collect::<String>().into_bytes();
    }
    let mut bytes = vec![0; size];
    chance.fill(&mut bytes);
    bytes
}

/// Numbers that look like chance and are the same every time (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 33).checked_rem(end).unwrap_or(0)
    }

    fn of(&mut self, all: &'static [&'static str]) -> &'static str {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        all.get(at).copied().unwrap_or_default()
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            chunk.iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ParsedMessage;
    use std::collections::BTreeSet;

    #[test]
    fn letters_are_the_same_every_time_and_each_is_another_one() {
        let received = InternalDate { seconds: 1_800_000_000, offset: 0 };
        let raw = |number: u64| {
            let (letter, subject, text) = pattern(number);
            letter.composed(number, received, Some((subject, text))).unwrap()
        };
        assert_eq!(raw(7).raw, raw(7).raw);
        let ids: BTreeSet<_> = (0..200).map(|number| raw(number).message_id).collect();
        let mailboxes: BTreeSet<_> = (0..200).map(|number| pattern(number).0.mailbox).collect();
        assert_eq!((ids.len(), mailboxes.len()), (200, PLACES.len()));
        for (number, letter) in LETTERS.iter().enumerate() {
            let parsed = ParsedMessage::parse(letter.composed(number as u64, received, None).unwrap().raw);
            assert_eq!(parsed.headers().get("Subject").as_deref(), Some(letter.subject));
            assert_eq!(parsed.attachments().len(), usize::from(letter.file.is_some()));
        }
    }
}
