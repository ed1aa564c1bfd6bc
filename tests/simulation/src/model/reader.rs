//! From bytes to whole commands: lines, and the literals they announce (RFC 9051 section 4.3, RFC 7888).

/// What the bytes so far have come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A literal is announced; a synchronising one waits for an answer before it is sent.
    Literal { size: u64, waits: bool },
    /// A command is complete, literals in place, without its last line ending.
    Command(Vec<u8>),
}

/// Collects one command after the other.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    command: Vec<u8>,
    missing: usize,
    /// What is missing is thrown away: its command has been refused.
    skipping: bool,
}

impl Reader {
    /// Takes what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next thing that is complete.
    pub fn read(&mut self) -> Option<Read> {
        loop {
            if self.missing > 0 {
                self.take_literal();
                if self.missing > 0 {
                    return None;
                }
            }
            let end = self.buffer.iter().position(|b| *b == b'\n')? + 1;
            let line: Vec<u8> = self.buffer.drain(..end).collect();
            self.command.extend_from_slice(&line);
            let Some((size, waits)) = announced(&line) else {
                let mut command = std::mem::take(&mut self.command);
                let ending = if line.ends_with(b"\r\n") { 2 } else { 1 };
                command.truncate(command.len() - ending);
                if !std::mem::take(&mut self.skipping) {
                    return Some(Read::Command(command));
                }
                continue;
            };
            self.missing = usize::try_from(size).unwrap_or(usize::MAX);
            if !self.skipping {
                return Some(Read::Literal { size, waits });
            }
        }
    }

    /// What there is of the command being read.
    pub fn partial(&self) -> &[u8] {
        &self.command
    }

    /// Forgets the command being read; a literal that does not wait is still read past.
    pub fn refuse(&mut self, waits: bool) {
        self.command.clear();
        if waits {
            self.missing = 0;
        } else {
            self.skipping = true;
        }
    }

    fn take_literal(&mut self) {
        let count = self.missing.min(self.buffer.len());
        let bytes: Vec<u8> = self.buffer.drain(..count).collect();
        if !self.skipping {
            self.command.extend_from_slice(&bytes);
        }
        self.missing -= count;
    }
}

/// The literal that a line announces at its end.
fn announced(line: &[u8]) -> Option<(u64, bool)> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"}")?;
    let (line, waits) = line.strip_suffix(b"+").map_or((line, true), |rest| (rest, false));
    let digits = line.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (before, number) = line.split_at(line.len() - digits);
    before.strip_suffix(b"{")?;
    std::str::from_utf8(number).ok()?.parse().ok().map(|size| (size, waits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<Read> {
        let mut reader = Reader::default();
        let mut out = Vec::new();
        for byte in input {
            reader.push(&[*byte]);
            out.extend(std::iter::from_fn(|| reader.read()));
        }
        out
    }

    #[test]
    fn commands_come_whole_with_their_literals() {
        let read = all(b"a NOOP\r\nb LOGIN {3}\r\nada {2+}\r\nxy\r\n");
        assert_eq!(read[0], Read::Command(b"a NOOP".to_vec()));
        assert_eq!(read[1], Read::Literal { size: 3, waits: true });
        assert_eq!(read[2], Read::Literal { size: 2, waits: false });
        assert_eq!(read[3], Read::Command(b"b LOGIN {3}\r\nada {2+}\r\nxy".to_vec()));
    }

    #[test]
    fn a_refused_command_leaves_nothing_behind() {
        let mut reader = Reader::default();
        reader.push(b"a APPEND x {4+}\r\n");
        assert_eq!(reader.read(), Some(Read::Literal { size: 4, waits: false }));
        reader.refuse(false);
        reader.push(b"a\r\nb\r\nb NOOP\r\n");
        assert_eq!(reader.read(), Some(Read::Command(b"b NOOP".to_vec())));
    }
}
