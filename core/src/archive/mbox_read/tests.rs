//! What was written comes back; what others write is read.

use super::*;
use crate::archive::MboxWriter;
use proptest::prelude::*;
use std::io::Cursor;

fn archived(flags: &[&str], seconds: i64) -> Archived {
    let flags = flags.iter().map(|flag| Flag::from_server(flag.as_bytes())).collect();
    Archived { flags, received: (seconds != 0).then_some(InternalDate { seconds, offset: 0 }) }
}

fn write(messages: &[(Archived, Vec<u8>)]) -> Vec<u8> {
    let mut writer = MboxWriter::new(Vec::new());
    for (archived, content) in messages {
        writer.add(archived, &mut Cursor::new(content)).unwrap();
    }
    writer.finish().unwrap()
}

fn read(file: &[u8], quoting: MboxQuoting) -> Vec<(Archived, Vec<u8>)> {
    let mut reader = MboxReader::new(Cursor::new(file), MboxOptions { quoting });
    let mut out = Vec::new();
    while let Some(message) = reader.next().unwrap() {
        let mut content = Vec::new();
        assert_eq!(reader.copy(&message, &mut content).unwrap(), content.len() as u64);
        out.push((message.archived, content));
    }
    out
}

fn contents(file: &str, quoting: MboxQuoting) -> Vec<String> {
    read(file.as_bytes(), quoting).into_iter().map(|(_, content)| String::from_utf8(content).unwrap()).collect()
}

#[test]
fn a_file_looks_as_other_programs_expect() {
    let file = write(&[(
        archived(&["\\Seen", "\\Flagged", "$Invoice"], 1_706_702_400),
        b"Subject: a\r\n\r\nFrom b\r\n".to_vec(),
    )]);
    let expected = "From MAILER-DAEMON Wed Jan 31 12:00:00 2024\nStatus: RO\nX-Status: F\nX-Keywords: $Invoice\n\
                    X-Mailtide: crlf 22\nSubject: a\n\n>From b\n\n";
    assert_eq!(String::from_utf8(file).unwrap(), expected);
}

#[test]
fn other_dialects_are_read() {
    let rd = "junk\nFrom a Thu Jan  4 09:05:00 2024\nSubject: x\n\n>From b\n>>From c\nFrom d\n\nFrom e@x Thu Jan  4 09:05:00 2024\n\ny\n\n";
    assert_eq!(contents(rd, MboxQuoting::Rd), ["Subject: x\r\n\r\nFrom b\r\n>From c\r\nFrom d\r\n", "\r\ny\r\n"]);
    assert_eq!(contents(rd, MboxQuoting::O)[0], "Subject: x\r\n\r\nFrom b\r\n>>From c\r\nFrom d\r\n");
    assert_eq!(contents(rd, MboxQuoting::None)[0], "Subject: x\r\n\r\n>From b\r\n>>From c\r\nFrom d\r\n");
    // A length that fits is believed, one that does not is not.
    let cl = "From a\nContent-Length: 13\n\nx\n\nFrom inside\n\nFrom b\nContent-Length: 99\n\nz\n";
    let cl = cl.replace("13", "15");
    assert_eq!(
        contents(&cl, MboxQuoting::None),
        ["Content-Length: 15\r\n\r\nx\r\n\r\nFrom inside\r\n", "Content-Length: 99\r\n\r\nz\r\n"]
    );
    assert_eq!(contents(&cl.replace("15", "9"), MboxQuoting::None).len(), 3);
    assert_eq!(
        contents("From a\r\nS: x\r\n\r\ny\r\n\r\nFrom b\r\n\r\nz", MboxQuoting::Rd),
        ["S: x\r\n\r\ny\r\n", "\r\nz"]
    );
    assert!(contents("", MboxQuoting::Rd).is_empty() && contents("no mbox\n", MboxQuoting::Rd).is_empty());
}

#[test]
fn flags_and_dates_of_others_are_read() {
    let file = b"From ada@x Thu Jan  4 09:05:00 2024\nStatus: RO\nX-Status: AF\nX-Keywords: $Invoice todo\n\n\n\nFrom x\nDate: 5 Jan 2024 00:00 +0000\n\n";
    let found = read(file, MboxQuoting::Rd);
    assert_eq!(found[0].0, archived(&["$Invoice", "\\Answered", "\\Flagged", "\\Seen", "todo"], 1_704_359_100));
    assert_eq!(found[1].0, archived(&[], 1_704_412_800));
}

#[test]
fn a_line_without_end_is_streamed() {
    let long = [b"Subject: x\r\n\r\n".to_vec(), vec![b'x'; 3 << 20], b"\r\nFrom y\r\n".to_vec()].concat();
    let messages = vec![(archived(&[], 5), long)];
    assert_eq!(read(&write(&messages), MboxQuoting::Rd), messages);
}

proptest! {
    #[test]
    fn what_was_written_comes_back_byte_for_byte(
        messages in prop::collection::vec(
            (prop::collection::btree_set("\\\\Seen|\\\\Draft|\\\\Deleted|[$]Forwarded|[a-z]{1,5}", 0..4), 1_i64..4_000_000_000,
             "([>]{0,2}From |X-Mailtide: crlf 3|Status: R|Subject: x|[a-c ]|\r\n|\n|\r){0,12}"),
            0..5,
        ),
    ) {
        let messages: Vec<(Archived, Vec<u8>)> = messages
            .into_iter()
            .map(|(flags, seconds, content)| {
                let mut entry = archived(&flags.iter().map(String::as_str).collect::<Vec<_>>(), seconds);
                entry.flags.sort();
                (entry, content.into_bytes())
            })
            .collect();
        prop_assert_eq!(read(&write(&messages), MboxQuoting::O), messages);
    }
}
