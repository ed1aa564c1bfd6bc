//! Message-IDs in the fields that name them (RFC 5322 section 3.6.4).

/// Most ids that are taken of one field; of more, the first and the last ones.
const MOST: usize = 200;
/// Longest id, in bytes. Longer ones name nothing.
const LONGEST: usize = 998;

/// The ids in `Message-ID`, `In-Reply-To` or `References`, their angle brackets taken off.
///
/// Quotes around a local part that needs none are taken off too (RFC 5256 section 3). Of what stands beside the ids
/// (`Your message of Monday`) nothing is taken. At most 200: the first, and those at the end.
///
/// ```
/// use mailtide::message::message_ids;
///
/// assert_eq!(message_ids(b"<a@x> your mail (<no id>)\r\n <\"b.c\"@y>"), ["a@x", "b.c@y"]);
/// ```
#[must_use]
pub fn message_ids(value: &[u8]) -> Vec<String> {
    written_ids(value).into_iter().map(|id| unquoted(&id).unwrap_or(id)).collect()
}

/// The same with quotes as they stand there: for a field that repeats them.
pub(in crate::message) fn written_ids(value: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(start) = memchr::memchr(b'<', rest) {
        rest = rest.get(start + 1..).unwrap_or_default();
        let Some(end) = memchr::memchr2(b'>', b'<', rest) else { break };
        let (inside, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        rest = after;
        if after.first() == Some(&b'>')
            && let Some(id) = id(inside)
        {
            ids.push(id);
            if ids.len() > MOST {
                ids.remove(1);
            }
        }
    }
    ids
}

fn id(inside: &[u8]) -> Option<String> {
    // Folding inside an id, as some programs write it.
    let bytes: Vec<u8> = inside.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | b'\t')).collect();
    let text = String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
    (!text.is_empty() && text.len() <= LONGEST && !text.contains(' ')).then_some(text)
}

fn unquoted(text: &str) -> Option<String> {
    let (local, domain) = text.strip_prefix('"')?.split_once("\"@")?;
    let is_plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    (!local.is_empty() && local.chars().all(is_plain)).then(|| format!("{local}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_anything() {
        for (value, ids) in [
            ("<a@x>", vec!["a@x"]),
            ("<a@x><b@y>", vec!["a@x", "b@y"]),
            ("<a@x>\r\n\t<b@y>", vec!["a@x", "b@y"]),
            ("Message of \"Mon\" <a@x>", vec!["a@x"]),
            ("<\"a b\"@x> <c@y>", vec!["c@y"]),
            ("<\"a(\"@x>", vec!["\"a(\"@x"]),
            ("<no-at-sign>", vec!["no-at-sign"]),
            ("<broken <a@x>", vec!["a@x"]),
            ("<> < > a@x", vec![]),
            ("<a@x", vec![]),
            ("<long\r\n -id@x>", vec![]),
            ("<long\r\n\t-id@x>", vec!["long-id@x"]),
        ] {
            assert_eq!(message_ids(value.as_bytes()), ids, "{value:?}");
        }
    }

    #[test]
    fn quotes_stay_where_an_id_is_repeated() {
        assert_eq!(written_ids(b"<\"b.c\"@y>"), ["\"b.c\"@y"]);
        assert_eq!(message_ids(b"<\"b.c\"@y>"), ["b.c@y"]);
    }

    #[test]
    fn a_long_list_keeps_its_ends() {
        let value: String = (0..10_000).map(|n| format!("<{n}@x> ")).collect();
        let ids = message_ids(value.as_bytes());
        assert_eq!((ids.len(), ids[0].as_str(), ids[1].as_str()), (MOST, "0@x", "9801@x"));
        assert_eq!(ids[MOST - 1], "9999@x");
        assert!(message_ids("<".repeat(1 << 20).as_bytes()).is_empty());
        assert!(message_ids(format!("<{}>", "x".repeat(100_000)).as_bytes()).is_empty());
    }
}
