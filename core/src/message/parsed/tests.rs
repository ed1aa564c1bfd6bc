//! Whole messages: a few written for this, and the corpora where they are present.

use super::*;
use std::path::{Path, PathBuf};

/// The folder of real and awkward mail, where there is one.
fn corpus() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let path = std::env::var_os("MAILTIDE_CORPUS").map_or(default, PathBuf::from);
    path.is_dir().then_some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// What must hold of any message, and how much of it could be read.
fn check(name: &str, raw: Vec<u8>) -> ParsedMessage {
    let message = ParsedMessage::parse(raw);
    let text = message.text();
    for attachment in message.attachments() {
        let content = message.content(attachment);
        assert!(content.len() as u64 <= attachment.octets.unwrap(), "{name}: {}", attachment.path());
        assert!(attachment.safe_filename().len() <= 121, "{name}");
    }
    for (field, value) in message.headers().iter() {
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {field}");
    }
    let has_text_part = !message.parts.text.is_empty();
    let has_bytes = message.parts.text.iter().any(|part| part.octets > Some(20));
    assert!(
        !has_text_part || !has_bytes || message.problem().is_some() || !text.trim().is_empty() || is_pictures(&message),
        "{name}"
    );
    message
}

/// HTML that is nothing but pictures has no text.
fn is_pictures(message: &ParsedMessage) -> bool {
    message
        .html()
        .is_some_and(|html| html.to_ascii_lowercase().contains("<img") || html.to_ascii_lowercase().contains("<body"))
}

#[test]
fn a_message_of_every_kind_of_part_is_read() {
    let raw = "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\nTo: Team: a@b.c, d@e.f;\r\n\
        Subject: =?iso-8859-1?Q?caf=E9?=\r\nDate: Thu, 4 Jan 2024 09:05:00 +0100\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=out\r\n\r\n\
        --out\r\nContent-Type: multipart/alternative; boundary=alt\r\n\r\n\
        --alt\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=F0=D2=C9=D7=C5=D4\r\n\
        --alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+0J/RgNC40LLQtdGCPC9wPg==\r\n\
        --alt--\r\n\
        --out\r\nContent-Type: application/octet-stream; name=\"=?utf-8?B?xbzDs8WCdy5iaW4=?=\"\r\n\
        Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\nAAEC\r\n\
        --out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n\
        --out--\r\n";
    let message = ParsedMessage::parse(raw);
    assert_eq!(message.headers().get("subject").as_deref(), Some("café"));
    assert_eq!(message.headers().addresses("From")[0].to_string(), "Zoë <zoe@example.org>");
    assert_eq!(message.headers().addresses("To").len(), 2);
    assert_eq!(message.headers().date().unwrap().seconds, 1_704_355_500);
    assert_eq!(message.text(), "Привет");
    assert_eq!(message.html().as_deref(), Some("<p>Привет</p>"));
    let [file, inner] = message.attachments() else { panic!("two attachments") };
    assert_eq!((file.filename.as_deref(), file.path().as_str()), (Some("żółw.bin"), "2"));
    assert_eq!(message.content(file), [0, 1, 2]);
    assert_eq!((inner.media_type.as_str(), inner.safe_filename().as_str()), ("message/rfc822", "attachment.eml"));
    assert_eq!(message.content(inner), b"Subject: inner\r\n\r\ninner text");
    assert_eq!(message.section(&[3, 1]), Some(&b"inner text"[..]));
    assert_eq!(message.problem(), None);
}

#[test]
fn what_cannot_be_parsed_is_there_raw_and_called_a_problem() {
    let raw = "Content-Type: multipart/mixed; boundary=b\n\nnothing like a part";
    let message = ParsedMessage::parse(raw);
    assert!(message.problem().is_some());
    assert_eq!(message.text(), "nothing like a part");
    assert_eq!(message.raw(), raw);
    let message = ParsedMessage::parse(&b"\0\xff\xfe"[..]);
    assert_eq!(message.raw(), &b"\0\xff\xfe"[..]);
}

#[test]
fn html_alone_becomes_text_and_footers_stay() {
    let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Hello</p>\n--b\n\n-- \nlist\n--b--";
    assert_eq!(ParsedMessage::parse(raw).text(), "Hello\n-- \nlist");
}

#[test]
fn awkward_mail_is_read() {
    let Some(corpus) = corpus() else { return };
    let files = files(&corpus.join("awkward-mail"));
    assert!(files.len() >= 100);
    for file in files {
        check(&file.display().to_string(), std::fs::read(&file).unwrap());
    }
}

/// Unpacked once into the system's temporary folder by `tar`, which every system that has the corpus has.
#[test]
fn real_mail_is_read() {
    let Some(archive) = corpus().map(|corpus| corpus.join("real-mail.tar.gz")).filter(|path| path.is_file()) else {
        return;
    };
    let folder = std::env::temp_dir().join(format!("mailtide-real-mail-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let unpacked = std::process::Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
    assert!(unpacked.success());
    let messages: Vec<_> =
        files(&folder).iter().map(|file| check(&file.display().to_string(), std::fs::read(file).unwrap())).collect();
    std::fs::remove_dir_all(&folder).unwrap();
    let share =
        |has: &dyn Fn(&ParsedMessage) -> bool| messages.iter().filter(|m| has(m)).count() * 100 / messages.len();
    assert!(messages.len() > 3000);
    assert!(share(&|m| !m.text().trim().is_empty()) >= 98);
    assert!(share(&|m| m.headers().date().is_some()) >= 98);
    assert!(share(&|m| m.headers().addresses("From").iter().any(|from| from.email.contains('@'))) >= 98);
    assert!(share(&|m| m.problem().is_none()) >= 95);
}
