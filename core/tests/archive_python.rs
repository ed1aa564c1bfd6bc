//! mbox and Maildir against Python's `mailbox`, which shares no code with ours: each reads what the other has written.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use mailtide::archive::{Archived, MaildirReader, MaildirWriter, MboxOptions, MboxQuoting, MboxReader, MboxWriter};
use mailtide::imap::{Flag, InternalDate};
use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

const READ: &str = "
import json, mailbox, sys
box = mailbox.mbox(sys.argv[1]) if sys.argv[2] == 'mbox' else mailbox.Maildir(sys.argv[1], create=False)
if sys.argv[2] == 'folder':
    box = box.get_folder('Archive.%C3%A4 %2E x'.replace('%C3%A4', chr(228)))
found = []
for message in box:
    flags = ''.join(sorted(set(message.get_flags()) & set('SRAFDT')))
    found.append([message['Subject'], flags, message.get_payload()])
print(json.dumps(sorted(found)))
";

const WRITE: &str = "
import mailbox, sys
text = 'Subject: one\\n\\nFrom here\\n>From there\\n'
box = mailbox.mbox(sys.argv[1] + '/box'); message = mailbox.mboxMessage(text); message.set_flags('RF'); box.add(message)
message = mailbox.mboxMessage('Subject: two\\n\\nx\\n'); message.set_from('ada', (2024, 1, 4, 9, 5, 0, 3, 4, 0)); box.add(message); box.flush()
box = mailbox.Maildir(sys.argv[1] + '/dir'); message = mailbox.MaildirMessage(text); message.set_subdir('cur'); message.set_flags('FS')
message.set_date(1704359100); box.add(message); folder = box.add_folder('Sent'); folder.add('Subject: two\\n\\nx\\n')
";

fn python(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn messages() -> Vec<(Archived, &'static str)> {
    let received = Some(InternalDate { seconds: 1_704_359_100, offset: 0 });
    let archived = |flags: &[Flag]| Archived { flags: flags.to_vec(), received };
    vec![
        (archived(&[Flag::SEEN, Flag::FLAGGED]), "Subject: one\r\n\r\nFrom here\r\n"),
        (archived(&[Flag::ANSWERED]), "Subject: two\r\n\r\nx\r\n"),
        (archived(&[]), "Subject: three\r\n\r\n"),
    ]
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
#[ignore = "needs Python"]
fn python_reads_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (folder.path().join("box"), folder.path().join("dir"));
    let mut mbox = MboxWriter::new(File::create(&file).unwrap());
    let mut maildir = MaildirWriter::create(&dir).unwrap();
    let mut inbox = maildir.folder(&["INBOX"]).unwrap();
    let mut archive = maildir.folder(&["Archive", "ä . x"]).unwrap();
    for (archived, content) in messages() {
        mbox.add(&archived, &mut Cursor::new(content)).unwrap();
        inbox.add(&archived, &mut Cursor::new(content)).unwrap();
        archive.add(&archived, &mut Cursor::new(content)).unwrap();
    }
    mbox.finish().unwrap();
    let found: serde_json::Value = serde_json::from_str(&python(READ, &[text(&file), "mbox"])).unwrap();
    // Python leaves quoted lines as they are.
    let expected = serde_json::json!([["one", "FR", ">From here\n"], ["three", "", ""], ["two", "A", "x\n"]]);
    assert_eq!(found, expected);
    let expected = serde_json::json!([["one", "FS", "From here\n"], ["three", "", ""], ["two", "R", "x\n"]]);
    for kind in ["dir", "folder"] {
        let found: serde_json::Value = serde_json::from_str(&python(READ, &[text(&dir), kind])).unwrap();
        assert_eq!(found, expected, "{kind}");
    }
}

#[test]
#[ignore = "needs Python"]
fn we_read_what_python_writes() {
    let folder = tempfile::tempdir().unwrap();
    python(WRITE, &[text(folder.path())]);
    let file = File::open(folder.path().join("box")).unwrap();
    let mut reader = MboxReader::new(file, MboxOptions { quoting: MboxQuoting::O });
    let mut found = Vec::new();
    while let Some(message) = reader.next().unwrap() {
        let mut content = Vec::new();
        reader.copy(&message, &mut content).unwrap();
        found.push((message.archived, String::from_utf8(content).unwrap()));
    }
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0.flags, [Flag::FLAGGED, Flag::SEEN]);
    // What was `>From ` before cannot be told from what was `From ` (mboxo).
    assert!(found[0].1.ends_with("\r\n\r\nFrom here\r\nFrom there\r\n"), "{:?}", found[0].1);
    assert_eq!(
        (found[1].0.received.unwrap().seconds, found[1].1.as_str()),
        (1_704_359_100, "Subject: two\r\n\r\nx\r\n")
    );

    let reader = MaildirReader::new(&folder.path().join("dir"));
    let folders = reader.folders().unwrap();
    assert_eq!(folders.iter().map(|(levels, _)| levels.concat()).collect::<Vec<_>>(), ["INBOX", "Sent"]);
    let message = &reader.messages(&folders[0].1).unwrap()[0];
    let expected = (vec![Flag::FLAGGED, Flag::SEEN], 1_704_359_100);
    assert_eq!((message.archived.flags.clone(), message.archived.received.unwrap().seconds), expected);
    let mut content = Vec::new();
    reader.copy(message, &mut content).unwrap();
    assert_eq!(content, b"Subject: one\r\n\r\nFrom here\r\n>From there\r\n");
    assert_eq!(reader.messages(&folders[1].1).unwrap().len(), 1);
}
