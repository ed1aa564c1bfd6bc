//! Subjects and quoted text of replies and forwarded messages.

/// `Re:` and what programs in other languages write instead (German, Scandinavian, Dutch, Finnish, Italian, French,
/// Polish, Turkish, Portuguese, Chinese).
const REPLIES: [&str; 13] = ["re", "aw", "antw", "sv", "vs", "r", "rif", "ré", "odp", "ynt", "res", "回复", "回覆"];
/// The same for forwarded ones.
const FORWARDS: [&str; 11] = ["fwd", "fw", "wg", "vb", "vl", "i", "tr", "pd", "enc", "转发", "轉寄"];

/// `Re: ` once, whatever was there.
pub(super) fn reply_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some(after) = without(rest, &REPLIES) {
        rest = after;
    }
    format!("Re: {rest}")
}

/// `Fwd: ` once; what the message itself answers stays.
pub(super) fn forward_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some(after) = without(rest, &FORWARDS) {
        rest = after;
    }
    format!("Fwd: {rest}")
}

/// What follows one prefix, also one that counts (`Re[2]:`, `RE(3):`).
fn without<'a>(subject: &'a str, prefixes: &[&str]) -> Option<&'a str> {
    let (prefix, rest) = subject.split_once([':', '：'])?;
    let prefix = prefix.trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^".contains(c)).to_lowercase();
    prefixes.contains(&prefix.as_str()).then(|| rest.trim_start())
}

/// The text with `> ` before each line, or `>` where the line is a quote already (RFC 3676 section 4.5).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 20);
    for line in text.trim_end().lines() {
        out.push_str(if line.is_empty() || line.starts_with('>') { ">" } else { "> " });
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Without line ends and other controls, which a header may have encoded.
pub(super) fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_do_not_pile_up() {
        for subject in
            ["moth", "Re: moth", "RE: re: AW: moth", "Re[2]: moth", "Antw: SV: moth", "回复：moth", "re : moth"]
        {
            assert_eq!(reply_subject(subject), "Re: moth", "{subject}");
        }
        assert_eq!(reply_subject("Release: moth"), "Re: Release: moth");
        assert_eq!(reply_subject("Fwd: moth"), "Re: Fwd: moth");
        assert_eq!(reply_subject(""), "Re: ");
        for subject in ["moth", "Fwd: moth", "FW: WG: moth", "TR: moth"] {
            assert_eq!(forward_subject(subject), "Fwd: moth", "{subject}");
        }
        assert_eq!(forward_subject("Re: moth"), "Fwd: Re: moth");
    }

    #[test]
    fn quotes_are_deepened_by_one() {
        assert_eq!(quoted("a\n> b\n\nc\n\n\n"), "> a\n>> b\n>\n> c\n");
        assert_eq!(quoted(""), "");
    }
}
