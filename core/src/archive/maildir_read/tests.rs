//! What was written comes back; what others write is read; nothing leaves the folder.

use super::*;
use crate::archive::MaildirWriter;
use crate::error::Code;
use std::io::Cursor;

fn archived(flags: &[&str], seconds: i64) -> Archived {
    let flags = flags.iter().map(|flag| Flag::from_server(flag.as_bytes())).collect();
    Archived { flags, received: Some(InternalDate { seconds, offset: 0 }) }
}

fn read(reader: &MaildirReader, folder: &Path) -> Vec<(Archived, Vec<u8>)> {
    let messages = reader.messages(folder).unwrap();
    let content = |message: &MaildirMessage| {
        let mut content = Vec::new();
        reader.copy(message, &mut content).unwrap();
        content
    };
    messages.iter().map(|message| (message.archived.clone(), content(message))).collect()
}

#[test]
fn what_was_written_comes_back_byte_for_byte() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("mail");
    let mut writer = MaildirWriter::create(&root).unwrap();
    let messages: Vec<(Archived, Vec<u8>)> = [
        (archived(&["$Forwarded", "\\Flagged", "\\Seen"], 1_706_702_400), &b"Subject: a\r\n\r\nFrom b\r\n"[..]),
        (archived(&["$Invoice", "\\Draft", "todo"], 1_706_702_401), b"bare\nlf"),
        (archived(&["todo"], 1_706_702_402), b"mixed\r\n\nlf\r"),
        (archived(&[], 1_706_702_403), b""),
        (archived(&[], 1_706_702_404), b"x\r\n"),
    ]
    .into_iter()
    .map(|(archived, content)| (archived, content.to_vec()))
    .collect();
    let names: [&[&str]; 7] =
        [&["INBOX"], &["Archive", "v1.0/beta"], &["foo"], &["FOO"], &["Foo"], &["../../x"], &["cur"]];
    for levels in names {
        let mut folder = writer.folder(levels).unwrap();
        messages.iter().for_each(|(archived, content)| folder.add(archived, &mut Cursor::new(content)).unwrap());
    }
    let reader = MaildirReader::new(&root);
    let folders = reader.folders().unwrap();
    let mut found: Vec<Vec<&str>> =
        folders.iter().map(|(levels, _)| levels.iter().map(String::as_str).collect()).collect();
    let mut expected: Vec<Vec<&str>> = names.iter().map(|levels| levels.to_vec()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    for (levels, path) in &folders {
        assert_eq!(read(&reader, path), messages, "{levels:?}");
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "nothing was written beside the Maildir");
    let lower = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().to_lowercase());
    let mut lower: Vec<String> = lower.collect();
    lower.sort();
    let before = lower.len();
    lower.dedup();
    assert_eq!(lower.len(), before, "no two names are one where case does not count");
}

#[test]
fn what_others_write_is_read() {
    let temp = tempfile::tempdir().unwrap();
    for part in ["cur", "new", "tmp", ".Sent", ".Sent/cur", ".bad%", ".bad%/cur", ".nothing"] {
        fs::create_dir(temp.path().join(part)).unwrap();
    }
    fs::write(temp.path().join("dovecot-keywords"), "0 $Invoice\n2 todo\n30 far\nx\n").unwrap();
    fs::write(temp.path().join("cur/1.a.host,S=4,W=6:2,FSabc"), "a\nb\n").unwrap();
    fs::write(temp.path().join("cur/2.b:2,"), "a\r\nb\r\n").unwrap();
    fs::write(temp.path().join("new/3.c"), "c\n").unwrap();
    fs::write(temp.path().join("cur/.hidden"), "c\n").unwrap();
    fs::write(temp.path().join("tmp/4.d"), "half").unwrap();
    let reader = MaildirReader::new(temp.path());
    let folders: Vec<Vec<String>> = reader.folders().unwrap().into_iter().map(|(levels, _)| levels).collect();
    assert_eq!(folders, [vec!["INBOX"], vec!["Sent"], vec!["bad%"]]);
    let found = read(&reader, temp.path());
    let contents: Vec<&[u8]> = found.iter().map(|(_, content)| content.as_slice()).collect();
    assert_eq!(contents, [&b"a\r\nb\r\n"[..], b"a\r\nb\r\n", b"c\r\n"]);
    let flags: Vec<&str> = found[0].0.flags.iter().map(Flag::as_str).filter(|flag| *flag != "\\Recent").collect();
    assert_eq!(flags, ["$Invoice", "\\Flagged", "\\Seen", "todo"]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(MaildirWriter::create(temp.path()).err().unwrap().code(), Code::FileIo);
    let mut writer = MaildirWriter::create(&temp.path().join("mail")).unwrap();
    let mut folder = writer.folder(&["many"]).unwrap();
    let names: Vec<String> = (0..27).map(|n| format!("k{n}")).collect();
    let flags: Vec<&str> = names.iter().map(String::as_str).collect();
    folder.add(&archived(&flags[..26], 1), &mut Cursor::new("")).unwrap();
    let refused = folder.add(&archived(&flags[26..], 1), &mut Cursor::new("")).unwrap_err();
    assert_eq!(refused.code(), Code::LimitExceeded);
    assert_eq!(writer.folder(&[&"x".repeat(300)]).err().unwrap().code(), Code::FileIo);
}
