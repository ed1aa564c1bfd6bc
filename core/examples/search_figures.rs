//! Figures of the word index over a folder of messages, a file each: `cargo run --example search_figures -- FOLDER`.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used)]

use bytes::Bytes;
use mailtide::index::{Batch, Blocks, DocSet, Head, Merge, SegmentData, Source};
use mailtide::message::{ParsedMessage, SearchFields, search_texts};
use mailtide::query::{Field, fold};
use std::path::{Path, PathBuf};
use std::time::Instant;

struct Held<'a>(&'a SegmentData);

impl Blocks for Held<'_> {
    fn words(&self, block: u32) -> mailtide::Result<Bytes> {
        Ok(self.0.blocks.get(block as usize).unwrap().words.clone().into())
    }
    fn postings(&self, block: u32) -> mailtide::Result<Bytes> {
        Ok(self.0.blocks.get(block as usize).unwrap().postings.clone().into())
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of messages");
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files);
    files.sort();
    let begin = Instant::now();
    let (mut mail, mut text, mut batch, mut segments) = (0, 0, Batch::new(), Vec::new());
    for (id, file) in (1..).zip(&files) {
        let raw = std::fs::read(file).unwrap();
        mail += raw.len();
        let (fields, body) = texts(&ParsedMessage::parse(raw));
        text += body.len();
        let mut all: Vec<(Field, &str)> = fields.iter().map(|(field, text)| (*field, text.as_str())).collect();
        all.push((Field::Body, &body));
        batch.add(id, (true, true), &all);
        if batch.size() > 16 << 20 {
            segments.push(std::mem::take(&mut batch).finish());
        }
    }
    segments.push(batch.finish());
    println!("{} messages, {mail} bytes, {text} of folded text, {:?}", files.len(), begin.elapsed());
    report("segments", mail, &segments);
    let merged = merge(&segments);
    report("merged", mail, &[merged]);
}

fn merge(segments: &[SegmentData]) -> SegmentData {
    let heads: Vec<Head> = segments.iter().map(|data| Head::parse(&data.head).unwrap()).collect();
    let held: Vec<Held<'_>> = segments.iter().map(Held).collect();
    let sources: Vec<Source<'_>> = heads.iter().zip(&held).map(|(head, blocks)| Source { head, blocks }).collect();
    Merge::run(&sources, &DocSet::new()).unwrap()
}

fn report(name: &str, mail: usize, segments: &[SegmentData]) {
    let blocks = || segments.iter().flat_map(|segment| &segment.blocks);
    let words: usize = blocks().map(|block| block.words.len()).sum();
    let packed: usize = blocks().map(|block| zstd::bulk::compress(&block.words, 12).unwrap().len()).sum();
    let postings: usize = blocks().map(|block| block.postings.len()).sum();
    let heads: usize = segments.iter().map(|segment| segment.head.len()).sum();
    let all = packed + postings + heads;
    println!(
        "{name}: {} segments, {} blocks; words {words}, packed {packed}; postings {postings}; heads {heads}; {:.4} of the mail",
        segments.len(),
        blocks().count(),
        all as f64 / mail as f64
    );
}

fn texts(message: &ParsedMessage) -> (Vec<(Field, String)>, String) {
    let fields = SearchFields::of(message.headers());
    let fields = vec![
        (Field::Subject, fold(&fields.subject)),
        (Field::From, fold(&fields.from)),
        (Field::To, fold(&fields.to)),
        (Field::Cc, fold(&fields.cc)),
        (Field::Bcc, fold(&fields.bcc)),
        (Field::List, fold(&fields.list)),
    ];
    let body: Vec<String> = search_texts(message).iter().map(|text| fold(text)).collect();
    (fields, body.join("\n"))
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, out) } else { out.push(path) }
    }
}
