//! A message through everything that a local mailbox does with one: `round_trip FOLDER FILE`. The message of the file is
//! added and read, exported as mbox, imported into another store and read again, each time byte for byte; its attachment
//! is read alone. Prints what each step took, and the most memory that all of it needed. Lines of the file end with CRLF.

use mailtide::{
    AppendOptions, AppendSource, ExportOptions, FetchOptions, ImportOptions, Mail, MailOptions, Message, Selection,
};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("round_trip FOLDER FILE".into());
    };
    let mbox = folder.join("out.mbox");
    let first = Mail::open(folder.join("first.mail"), MailOptions::default()).await?;
    let mut out = std::io::stdout();
    let mut began = Instant::now();
    let mut tell = |what: &str| -> Result<()> {
        writeln!(out, "{what}: {:.1?}, at most {} MiB of memory", began.elapsed(), most_memory()? >> 10)?;
        began = Instant::now();
        Ok(())
    };
    first.mailbox("INBOX")?.append(AppendSource::File(file.clone()), AppendOptions::default()).await?;
    tell("added")?;
    is_same(&first, &file).await?;
    tell("read")?;
    read_attachment(&first).await?;
    tell("its attachment read")?;
    first.export(&mbox, ExportOptions { mailbox: Some("INBOX".into()), ..ExportOptions::default() }).await?;
    tell("exported")?;
    first.close().await?;
    std::fs::remove_file(folder.join("first.mail"))?;
    let second = Mail::open(folder.join("second.mail"), MailOptions::default()).await?;
    second.import(&mbox, ImportOptions { to: Some("INBOX".into()), ..ImportOptions::default() }).await?;
    tell("imported")?;
    is_same(&second, &file).await?;
    tell("read again")?;
    second.close().await?;
    Ok(())
}

/// The only message of a store.
async fn message(mail: &Mail) -> Result<Message> {
    let mut found = mail.mailbox("INBOX")?.fetch(Selection::All, FetchOptions::default());
    let message = found.next_batch().await?.and_then(|all| all.into_iter().next());
    Ok(message.ok_or("the message is not there")?)
}

/// Reads all of the first attachment, as a program does that saves it.
async fn read_attachment(mail: &Mail) -> Result<()> {
    let message = message(mail).await?;
    let attachment = message.attachments().into_iter().next().ok_or("nothing is attached")?;
    let (mut stream, mut length) = (message.stream(Some(&attachment.path()))?, 0);
    while let Some(piece) = stream.next().await? {
        length += piece.len() as u64;
    }
    // Some of its encoded bytes are line ends.
    let expected = attachment.octets.unwrap_or_default();
    if (expected / 3 * 2..expected).contains(&length) { Ok(()) } else { Err("the attachment is another one".into()) }
}

/// That the only message of a store is that of the file.
async fn is_same(mail: &Mail, file: &Path) -> Result<()> {
    let (mut stream, mut file) = (message(mail).await?.stream(None)?, std::fs::File::open(file)?);
    let mut expected = Vec::new();
    while let Some(piece) = stream.next().await? {
        expected.resize(piece.len(), 0);
        file.read_exact(&mut expected)?;
        if piece != expected {
            return Err("the message is another one".into());
        }
    }
    if file.read(&mut [0])? > 0 { Err("the message is shorter".into()) } else { Ok(()) }
}

/// The most memory that this process has had, in KiB.
fn most_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.and_then(|line| line.trim().split(' ').next()).ok_or("no VmHWM")?.parse()?)
}
