//! `Mail::export` and `Mail::import`: what goes out comes in again, once, whatever is given up on the way; and Python's
//! `mailbox`, which shares no code with ours, reads it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use mailtide::imap::{Flag, InternalDate, Role};
use mailtide::{
    AppendOptions, AppendSource, ArchiveFormat, Code, ExportOptions, FetchOptions, ImportOptions, Mail, MailOptions,
    Message, OnProgress, Selection, Target,
};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tokio::sync::Notify;

async fn opened(folder: &Path, name: &str) -> Mail {
    Mail::open(folder.join(name), MailOptions::default()).await.unwrap()
}

async fn append(mail: &Mail, to: impl Into<Target>, content: impl Into<Vec<u8>>, flags: &[Flag]) {
    let received = Some(InternalDate { seconds: 1_704_359_100, offset: 60 });
    let options = AppendOptions { flags: flags.to_vec(), received, create: true, ..AppendOptions::default() };
    let source = AppendSource::Bytes(content.into().into());
    mail.mailbox(to).unwrap().append(source, options).await.unwrap();
}

async fn all(mail: &Mail, mailbox: impl Into<Target>) -> Vec<Message> {
    let mut found = mail.mailbox(mailbox).unwrap().fetch(Selection::All, FetchOptions::default());
    let mut all = Vec::new();
    while let Some(batch) = found.next_batch().await.unwrap() {
        all.extend(batch);
    }
    all
}

fn letter(number: usize) -> String {
    format!("From: ada@example.org\r\nSubject: letter {number}\r\n\r\nFrom here\r\n>From there {number}\r\n")
}

/// Larger than what is held in memory: text, and an attachment of random-looking base64.
fn large() -> String {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    format!(
        "Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nFrom me\r\n--b\r\n\
         Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        line.repeat(120_000)
    )
}

fn python(script: &str, arguments: &[&Path]) -> String {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mail = opened(folder.path(), "a.mail").await;
    let work = Flag::parse("$Work").unwrap();
    append(&mail, "INBOX", letter(1), &[Flag::SEEN, work.clone()]).await;
    append(&mail, "INBOX", letter(1), &[]).await;
    append(&mail, Target::Path(vec!["Archive".into(), "v1.0 ä".into()]), large(), &[Flag::FLAGGED]).await;
    append(&mail, Role::Sent, "Subject: odd\n\nno CR\n\r\0".as_bytes(), &[]).await;
    for (name, format) in [("mbox", ArchiveFormat::Mbox), ("dir", ArchiveFormat::Maildir)] {
        let out = folder.path().join(name);
        let options = ExportOptions { format, ..ExportOptions::default() };
        let done = mail.export(&out, options.clone()).await.unwrap();
        assert_eq!((done.mailboxes, done.messages), (3, 4), "INBOX, a child of Archive, Sent: {name}");
        assert_eq!(mail.export(&out, options).await.unwrap_err().code(), Code::FileIo);

        let copy = opened(folder.path(), &format!("{name}.mail")).await;
        let imported = copy.import(&out, ImportOptions::default()).await.unwrap();
        assert_eq!((imported.messages, imported.known, imported.bytes), (4, 0, done.bytes));
        for mailbox in ["INBOX", "Archive/v1.0 ä", "Sent"] {
            let (before, after) = (all(&mail, mailbox).await, all(&copy, mailbox).await);
            assert_eq!(before.len(), after.len(), "{name}: {mailbox}");
            for (one, other) in before.iter().zip(&after) {
                assert_eq!(one.raw().await.unwrap(), other.raw().await.unwrap());
                assert_eq!(one.flags(), other.flags());
                assert_eq!(one.received().unwrap().seconds, other.received().unwrap().seconds);
                assert_eq!(one.structure(), other.structure());
            }
        }
        let large = &all(&copy, "Archive/v1.0 ä").await[0];
        assert_eq!(large.attachments()[0].filename.as_deref(), Some("a.pdf"));
        assert_eq!(large.text().await.unwrap(), "From me");
        let again = copy.import(&out, ImportOptions::default()).await.unwrap();
        assert_eq!((again.messages, again.known), (0, 4));
        assert!(copy.check().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_given_up_goes_on_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from.mbox");
    let mut text = String::new();
    for number in 0..1000 {
        // Every tenth is there twice, and so it stays.
        for _ in 0..1 + usize::from(number % 10 == 0) {
            text += &format!("From ada Thu Jan  4 09:05:00 2024\nSubject: {number}\n\nx {number}\n\n");
        }
    }
    std::fs::write(&from, text).unwrap();
    let mail = opened(folder.path(), "a.mail").await;
    let told = Arc::new(Notify::new());
    let tell = told.clone();
    let on_progress = Some(OnProgress(Arc::new(move |_| tell.notify_one())));
    let options = ImportOptions { to: Some("Old".into()), ..ImportOptions::default() };
    tokio::select! {
        done = mail.import(&from, ImportOptions { on_progress, ..options.clone() }) => drop(done),
        () = told.notified() => {}
    }
    let done = mail.import(&from, options.clone()).await.unwrap();
    assert_eq!(done.messages + done.known, 1100);
    assert_eq!(mail.mailbox("Old").unwrap().count(Selection::All, None).await.unwrap(), 1100);
    assert_eq!(mail.import(&from, options).await.unwrap().known, 1100);
    // Somebody has let a message go: it comes back, and no other.
    mail.mailbox("Old").unwrap().expunge(7, mailtide::WriteOptions::default()).await.unwrap();
    let options = ImportOptions { to: Some("Old".into()), ..ImportOptions::default() };
    assert_eq!(mail.import(&from, options).await.unwrap().messages, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_fails_or_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mail = opened(folder.path(), "a.mail").await;
    for number in 0..30 {
        append(&mail, "INBOX", letter(number), &[Flag::parse(&format!("k{number}")).unwrap()]).await;
    }
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    for (name, format) in [("a", ArchiveFormat::Maildir), ("b", ArchiveFormat::Mbox)] {
        let told = Arc::new(Notify::new());
        let tell = told.clone();
        let on_progress = Some(OnProgress(Arc::new(move |_| tell.notify_one())));
        let exporting = mail.export(out.join(name), ExportOptions { format, on_progress, ..ExportOptions::default() });
        tokio::pin!(exporting);
        // One step only: then nobody waits any more.
        if let Some(done) = futures_util::FutureExt::now_or_never(&mut exporting) {
            drop(done);
        }
    }
    let maildir = ExportOptions { format: ArchiveFormat::Maildir, ..ExportOptions::default() };
    let error = mail.export(out.join("c"), maildir).await.unwrap_err();
    assert_eq!((error.code(), error.context().mailbox.as_deref()), (Code::LimitExceeded, Some("INBOX")));
    let nowhere = mail.export(folder.path().join("no/where"), ExportOptions::default()).await.unwrap_err();
    assert!(nowhere.code() == Code::FileIo && nowhere.message().contains("where"), "{nowhere}");
    mail.close().await.unwrap();
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mail = opened(folder.path(), "a.mail").await;
    let file = folder.path().join("text");
    std::fs::write(&file, "no mail").unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for path in [&file, &empty] {
        let error = mail.import(path, ImportOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::UsageArgument, "{error}");
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
    std::fs::write(&file, "").unwrap();
    assert_eq!(mail.import(&file, ImportOptions::default()).await.unwrap().messages, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Python"]
async fn python_reads_what_mail_exports() {
    let folder = tempfile::tempdir().unwrap();
    let mail = opened(folder.path(), "a.mail").await;
    append(&mail, "INBOX", letter(1), &[Flag::SEEN]).await;
    append(&mail, "Archive", letter(2), &[Flag::FLAGGED]).await;
    let (mbox, maildir) = (folder.path().join("mbox"), folder.path().join("dir"));
    mail.export(&mbox, ExportOptions::default()).await.unwrap();
    let options = ExportOptions { format: ArchiveFormat::Maildir, ..ExportOptions::default() };
    mail.export(&maildir, options).await.unwrap();
    let one = ExportOptions { mailbox: Some("Archive".into()), ..ExportOptions::default() };
    mail.export(folder.path().join("one"), one).await.unwrap();
    let script = "import mailbox, sys
boxes = [mailbox.mbox(sys.argv[1] + '/INBOX.mbox'), mailbox.mbox(sys.argv[1] + '/Archive.mbox'), mailbox.Maildir(sys.argv[2], create=False),
    mailbox.Maildir(sys.argv[2], create=False).get_folder('Archive'), mailbox.mbox(sys.argv[3])]
print(*('|'.join(m['Subject'] + ' ' + ''.join(sorted(set(m.get_flags()) - {'O'})) for m in box) for box in boxes), sep=',')";
    let seen = python(script, &[&mbox, &maildir, &folder.path().join("one")]);
    assert_eq!(seen, "letter 1 R,letter 2 F,letter 1 S,letter 2 F,letter 2 F");
}
