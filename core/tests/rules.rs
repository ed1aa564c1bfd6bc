//! The rules that a reader may rely on, read from the sources themselves: who imports whom, which rooms are pure,
//! how long a file may be, and that every file says what it is for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A room may import rooms of lower levels, and itself; rooms of one level do not know each other, level 0 excepted.
const LEVELS: &[(&str, u8)] = &[
    ("bulk", 0),
    ("error", 0),
    ("limits", 0),
    ("planted", 0),
    ("recent", 0),
    ("secret", 0),
    ("wire", 1),
    ("imap", 2),
    ("auth", 3),
    ("message", 3),
    ("query", 3),
    ("archive", 5),
    ("index", 4),
    ("journal", 4),
    ("net", 5),
    ("store", 5),
    ("session", 6),
    ("outbox", 7),
    ("server", 7),
    ("sync", 7),
    ("watch", 7),
    ("mail", 8),
    ("cli", 9),
    ("testing", 9),
];

/// Rooms whose functions are functions of values: no socket, no clock, no disk, no runtime.
const PURE: &[&str] =
    &["auth", "bulk", "error", "imap", "index", "journal", "limits", "message", "query", "secret", "wire"];
/// The planning side of synchronisation and the language side of the server, in rooms that do I/O otherwise. Of the
/// store they use values alone.
const PURE_FILES: &[&str] = &[
    "sync/action.rs",
    "sync/plan.rs",
    "sync/progress.rs",
    "sync/resync.rs",
    "server/command.rs",
    "server/numbers.rs",
    "server/parse/append.rs",
    "server/parse/fetch.rs",
    "server/parse/list.rs",
    "server/parse/mailbox.rs",
    "server/parse/message.rs",
    "server/parse/mod.rs",
    "server/parse/search.rs",
    "server/pattern.rs",
    "server/reply.rs",
    "server/view.rs",
];
const IMPURE_WORDS: &[&str] =
    &["tokio", "std::net", "std::fs", "SystemTime", "Instant::now", "std::thread", "std::env"];

/// The longest file; a longer one holds more than one thing.
const LINES: usize = 600;

/// Marks of unfinished work, words that praise instead of saying, and paths of somebody's own machine.
const UNWANTED: &[&str] = &[
    "TODO",
    "FIXME",
    "XXX",
    "HACK",
    "blazing",
    "seamless",
    "cutting-edge",
    "world-class",
    "utilize",
    "/home/",
    "/Users/",
];

const SOURCES: &[&str] = &["rs", "py", "pyi", "ts", "mts", "mjs", "cjs"];
const TEXTS: &[&str] = &["md", "toml", "json"];
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "build", "__pycache__", "rules.rs", "package-lock.json"];

#[test]
fn rooms_import_only_rooms_below_them() {
    let names = exported_names();
    let mut broken = Vec::new();
    for (path, room, text) in engine_files() {
        for import in imports(&text, depth(&path)) {
            let target = names.get(&import).cloned().unwrap_or(import);
            if level(&target).is_none() && target.starts_with(|c: char| c.is_lowercase()) {
                broken.push(format!("{}: `{target}` is in no level", path.display()));
            } else if !may_import(&room, &target) {
                broken.push(format!("{}: `{room}` imports `{target}`", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "import levels are broken (see LEVELS):\n{}", broken.join("\n"));
}

#[test]
fn pure_rooms_touch_no_socket_no_clock_and_no_disk() {
    let mut broken = Vec::new();
    let is_pure = |path: &Path, room: &str| PURE.contains(&room) || PURE_FILES.iter().any(|file| path.ends_with(file));
    for (path, _, text) in engine_files().into_iter().filter(|(path, room, _)| is_pure(path, room)) {
        for word in IMPURE_WORDS.iter().filter(|word| code_of(&text).any(|line| line.contains(**word))) {
            broken.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(broken.is_empty(), "pure rooms take time, chance and input as arguments:\n{}", broken.join("\n"));
}

#[test]
fn every_source_file_begins_by_saying_what_it_is_for() {
    let silent = files(&root(), SOURCES).into_iter().filter(|path| !has_header(path)).map(|path| shown(&path));
    let silent: Vec<_> = silent.collect();
    assert!(silent.is_empty(), "files without a header:\n{}", silent.join("\n"));
}

#[test]
fn no_source_file_is_longer_than_its_budget() {
    let lines = |path: &PathBuf| read(path).lines().count();
    // What is generated is as long as what it is made of.
    let is_written = |path: &PathBuf| !read(path).lines().take(3).any(|line| line.contains("Do not edit."));
    let long = files(&root(), SOURCES).into_iter().filter(|path| lines(path) > LINES && is_written(path));
    let long: Vec<_> = long.map(|path| format!("{}: {}", shown(&path), lines(&path))).collect();
    assert!(long.is_empty(), "files over {LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn no_file_carries_unfinished_work_or_empty_praise() {
    let mut found = Vec::new();
    for path in files(&root(), &[SOURCES, TEXTS].concat()) {
        let text = read(&path);
        let hits = text.lines().enumerate().filter(|(_, line)| UNWANTED.iter().any(|word| has_word(line, word)));
        found.extend(hits.map(|(number, line)| format!("{}:{}: {}", shown(&path), number + 1, line.trim())));
    }
    assert!(found.is_empty(), "unwanted words (see UNWANTED):\n{}", found.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "use crate::wire::{Token, encode};\nuse crate::{error::Code, imap};\nuse super::super::net::Stream;\n\
                fn f(x: crate::Secret) {}\n// crate::session in a comment\n#[cfg(test)]\nmod tests { use crate::session; }\n";
    assert_eq!(imports(text, 2), ["wire", "error", "imap", "Secret", "net"]);
    assert!(may_import("session", "wire") && may_import("bulk", "error") && may_import("wire", "wire"));
    assert!(!may_import("server", "session") && may_import("server", "store"));
    assert!(!may_import("wire", "imap") && !may_import("message", "auth") && !may_import("net", "session"));
}

fn may_import(room: &str, target: &str) -> bool {
    if room == "server" && target == "session" {
        return false;
    }
    match (level(room), level(target)) {
        (Some(_), None) => true,
        (Some(own), Some(other)) => room == target || other < own || (own == 0 && other == 0),
        (None, _) => false,
    }
}

fn level(room: &str) -> Option<u8> {
    LEVELS.iter().find(|(name, _)| *name == room).map(|(_, level)| *level)
}

/// What a file takes from the crate's root: rooms, or names that `lib.rs` exports.
fn imports(text: &str, depth: usize) -> Vec<String> {
    let code = code_of(text).collect::<Vec<_>>().join("\n");
    let to_root = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", to_root.as_str()].into_iter().filter(|prefix| !prefix.is_empty()) {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                found.extend(first_names(&code[at + prefix.len()..]));
            }
        }
    }
    found
}

/// The first name of a path, or of each path of a group: `{error::Code, imap}` gives error and imap.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![identifier(rest)];
    };
    let (mut names, mut depth, mut at_start) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' => at_start |= depth == 0,
            _ if at_start && !c.is_whitespace() => {
                names.push(identifier(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The lines that are neither comment nor test.
fn code_of(text: &str) -> impl Iterator<Item = &str> {
    let code = text.find("#[cfg(test)]\nmod tests").map_or(text, |end| &text[..end]);
    code.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Which room a name comes from that `lib.rs` exports at the root.
fn exported_names() -> BTreeMap<String, String> {
    let text = read(&root().join("core/src/lib.rs"));
    let mut names = BTreeMap::new();
    for statement in text.split("pub use ").skip(1) {
        let Some((room, rest)) = statement.split(';').next().and_then(|path| path.split_once("::")) else { continue };
        for name in rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty()) {
            names.insert(name.to_owned(), room.to_owned());
        }
    }
    names
}

/// The engine's files with their rooms; `lib.rs` stands above all rooms, and test files beside them.
fn engine_files() -> Vec<(PathBuf, String, String)> {
    let source = root().join("core/src");
    let mut out = Vec::new();
    for path in files(&source, &["rs"]) {
        let inner = path.strip_prefix(&source).unwrap().to_owned();
        let room = inner.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
        if room != "lib" && !inner.ends_with("tests.rs") {
            out.push((inner, room, read(&path)));
        }
    }
    assert!(out.len() > 10, "the sources were not found");
    out
}

/// How many `super` lead from a file's module to the crate's root.
fn depth(inner: &Path) -> usize {
    inner.iter().count() - usize::from(inner.ends_with("mod.rs"))
}

fn has_header(path: &Path) -> bool {
    let text = read(path);
    let body = text.strip_prefix("#!").and_then(|t| t.split_once('\n')).map_or(text.as_str(), |(_, rest)| rest);
    match path.extension().and_then(|e| e.to_str()) {
        Some("rs") => body.starts_with("//!"),
        Some("py" | "pyi") => body.is_empty() || body.starts_with("\"\"\"") || body.starts_with('#'),
        _ => body.starts_with("//") || body.starts_with("/*"),
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        word.starts_with('/') || !(is_part(before) || is_part(after))
    })
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            out.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|e| extensions.contains(&e.to_string_lossy().as_ref())) {
            out.push(path);
        }
    }
    out.sort();
    out
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
