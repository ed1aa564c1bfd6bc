//! A server that reads strictly, agrees to everything, and remembers; and strings to try it with.

use super::strict::{self, Token};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A command as it came, and every string, atom and literal in it.
pub struct Heard {
    pub raw: Vec<u8>,
    pub words: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Log {
    commands: Vec<Heard>,
    offences: Vec<String>,
}

pub struct Reader {
    pub port: u16,
    log: Arc<Mutex<Log>>,
}

impl Reader {
    pub async fn start(capabilities: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, log) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Log>>::default());
        let shared = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, capabilities, Arc::clone(&shared)));
            }
        });
        Self { port, log }
    }

    /// What has come since it was last asked.
    pub fn heard(&self) -> (Vec<Heard>, Vec<String>) {
        let log = std::mem::take(&mut *self.log.lock().unwrap());
        (log.commands, log.offences)
    }
}

async fn serve(stream: TcpStream, capabilities: &str, log: Arc<Mutex<Log>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    writer.write_all(format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] ready\r\n").as_bytes()).await?;
    loop {
        let mut raw = Vec::new();
        loop {
            let from = raw.len();
            if reader.read_until(b'\n', &mut raw).await? == 0 {
                return Ok(());
            }
            let Some((size, waits)) = literal(&raw[from..]) else { break };
            if waits {
                writer.write_all(b"+ go on\r\n").await?;
            }
            let at = raw.len();
            raw.resize(at + size, 0);
            reader.read_exact(&mut raw[at..]).await?;
        }
        let answer = answer(&raw, capabilities, &log);
        writer.write_all(&answer).await?;
    }
}

fn answer(raw: &[u8], capabilities: &str, log: &Mutex<Log>) -> Vec<u8> {
    let mut words = Vec::new();
    let mut log = log.lock().unwrap();
    match strict::commands(raw, false) {
        Ok(commands) if commands.len() == 1 => commands[0].iter().for_each(|token| flatten(token, &mut words)),
        Ok(commands) => log.offences.push(format!("{} commands", commands.len())),
        Err(why) => log.offences.push(why),
    }
    let tag = raw.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
    let mut out = match words.get(1).map(Vec::as_slice) {
        Some(b"STATUS") => {
            let name = words.get(2).cloned().unwrap_or_default();
            [format!("* STATUS {{{}}}\r\n", name.len()).as_bytes(), &name, b" (MESSAGES 0)\r\n"].concat()
        }
        Some(b"CAPABILITY") => format!("* CAPABILITY IMAP4rev1 {capabilities}\r\n").into_bytes(),
        Some(b"SELECT") => b"* 5 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n".to_vec(),
        Some(b"NAMESPACE") => b"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".to_vec(),
        Some(b"ID") => b"* ID NIL\r\n".to_vec(),
        Some(b"UID") => b"* SEARCH\r\n".to_vec(),
        _ => Vec::new(),
    };
    log.commands.push(Heard { raw: raw.to_vec(), words });
    out.extend_from_slice(&tag);
    out.extend_from_slice(b" OK done\r\n");
    out
}

fn flatten(token: &Token, words: &mut Vec<Vec<u8>>) {
    match token {
        Token::List(items) => items.iter().for_each(|item| flatten(item, words)),
        Token::Atom(bytes) | Token::String(bytes) | Token::Literal(bytes) => words.push(bytes.clone()),
    }
}

/// Size of the literal that a line ends with, and whether its sender waits for `+`.
fn literal(line: &[u8]) -> Option<(usize, bool)> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let at = inner.iter().rposition(|b| *b == b'{')?;
    let digits = std::str::from_utf8(&inner[at + 1..]).ok()?;
    let size = digits.strip_suffix('+').unwrap_or(digits).parse().ok()?;
    Some((size, !digits.ends_with('+')))
}

/// A mailbox name from modified UTF-7 (RFC 3501 section 5.1.3); `None` where it is none.
pub fn decoded(name: &[u8]) -> Option<String> {
    let (mut units, mut rest) = (Vec::new(), name);
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'&' {
            units.push(u16::from(*first));
            continue;
        }
        let end = rest.iter().position(|b| *b == b'-')?;
        let (mut bits, mut count) = (0u32, 0);
        for byte in &rest[..end] {
            let digit =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".iter().position(|d| d == byte)?;
            (bits, count) = (bits << 6 | digit as u32, count + 6);
            if count >= 16 {
                count -= 16;
                units.push((bits >> count) as u16);
                bits &= (1 << count) - 1;
            }
        }
        if end == 0 {
            units.push(u16::from(b'&'));
        }
        rest = &rest[end + 1..];
    }
    String::from_utf16(&units).ok()
}

/// Strings without end, the same for the same seed.
pub fn strings(seed: u64) -> impl Iterator<Item = String> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize
    };
    std::iter::from_fn(move || {
        let len = if random().is_multiple_of(200) { 2000 + random() % 6000 } else { random() % 12 };
        let alphabet = ALPHABETS[random() % ALPHABETS.len()];
        Some((0..len).map(|_| alphabet[random() % alphabet.len()]).collect())
    })
}

const ALPHABETS: [&[&str]; 7] = [
    &["a", "B", "7", "-", ".", "_", "x1", "Mail"],
    &["a", " ", "\"", "\\", "(", ")", "{", "}", "%", "*", "[", "]", "<", ">", "&", "&-", "/"],
    &["a", "\r\n", "\r", "\n", "\0", "\r\nA1 LOGOUT\r\n", " "],
    &["{3}", "{3+}", "{3}\r\n", "~{2}", "\" A1 DELETE INBOX", "abc", "+", "}"],
    &["é", "ß", "ü", "\u{80}", "\u{ff}", "a", "&"],
    &["😀", "日本", "語", "\u{202e}", "\u{200b}", "e\u{301}", "a", "-"],
    &["\u{1}", "\t", "\u{7f}", "\u{1b}[2J", "a", "\u{fffd}", "NIL", "\\Seen", "$x"],
];
