//! Protocol lines as they may be shown: literals by their length, line ends and controls taken out.

use crate::wire::Frame;

/// Longest line that is shown whole.
const LONGEST: usize = 2000;

/// A response as it may be logged.
pub(super) fn received(frame: &Frame) -> String {
    let mut line = text(&frame.head);
    for (octets, after) in &frame.tail {
        line.push_str(&format!("<{} bytes>{}", octets.len(), text(after)));
    }
    if line.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// Text with its small literals replaced by their length.
fn text(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
        out.push_str(&printable(line));
        let size = literal_size(line).filter(|n| *n <= after.len());
        match size {
            Some(size) => {
                out.push_str(&format!("<{size} bytes>"));
                rest = after.get(size..).unwrap_or_default();
            }
            None => rest = after,
        }
    }
    out.push_str(&printable(rest));
    out
}

fn literal_size(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end().strip_suffix(b"}")?;
    let open = line.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(line.get(open + 1..)?).ok()?.trim_end_matches('+').parse().ok()
}

fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.trim_ascii_end()).chars().filter(|c| !c.is_control()).collect()
}
