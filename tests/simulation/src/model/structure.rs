//! ENVELOPE and BODYSTRUCTURE as they are written (RFC 9051 section 7.5.2).

use super::mime::{Part, parameters};
use super::text::{nstring, string};

/// The envelope of a message.
pub fn envelope(part: &Part) -> Vec<u8> {
    let text = |name: &str| nstring(part.field(name).map(str::as_bytes));
    let from = addresses(part.field("from"));
    let or_from = |name: &str| part.field(name).map_or_else(|| from.clone(), |value| addresses(Some(value)));
    let list = |name: &str| addresses(part.field(name));
    let items = [
        text("date"),
        text("subject"),
        from.clone(),
        or_from("sender"),
        or_from("reply-to"),
        list("to"),
        list("cc"),
        list("bcc"),
        text("in-reply-to"),
        text("message-id"),
    ];
    [b"(", items.join(&b' ').as_slice(), b")"].concat()
}

/// The structure of a message or part; `extended` is BODYSTRUCTURE, else BODY.
pub fn structure(bytes: &[u8], part: &Part, extended: bool) -> Vec<u8> {
    if part.is_multipart() && !part.children.is_empty() {
        return multipart(bytes, part, extended);
    }
    let mut items = vec![
        string(part.kind.0.as_bytes()),
        string(part.kind.1.as_bytes()),
        pairs(&part.params),
        nstring(part.field("content-id").map(str::as_bytes)),
        nstring(part.field("content-description").map(str::as_bytes)),
        string(part.field("content-transfer-encoding").unwrap_or("7bit").as_bytes()),
        part.body.len().to_string().into_bytes(),
    ];
    let lines = bytes[part.body.clone()].iter().filter(|b| **b == b'\n').count().to_string().into_bytes();
    if let Some(message) = &part.message {
        items.extend([envelope(message), structure(bytes, message, extended), lines]);
    } else if part.kind.0 == "text" {
        items.push(lines);
    }
    if extended {
        items.push(nstring(part.field("content-md5").map(str::as_bytes)));
        items.extend(rest(part));
    }
    [b"(", items.join(&b' ').as_slice(), b")"].concat()
}

fn multipart(bytes: &[u8], part: &Part, extended: bool) -> Vec<u8> {
    let children: Vec<u8> = part.children.iter().flat_map(|child| structure(bytes, child, extended)).collect();
    let mut items = vec![string(part.kind.1.as_bytes())];
    if extended {
        items.push(pairs(&part.params));
        items.extend(rest(part));
    }
    [b"(", children.as_slice(), b" ", items.join(&b' ').as_slice(), b")"].concat()
}

/// Disposition, language, location.
fn rest(part: &Part) -> [Vec<u8>; 3] {
    let disposition = part.field("content-disposition").map(|value| {
        let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
        [b"(", string(kind.trim().as_bytes()).as_slice(), b" ", &pairs(&parameters(rest)), b")"].concat()
    });
    let location = nstring(part.field("content-location").map(str::as_bytes));
    [disposition.unwrap_or_else(|| b"NIL".to_vec()), b"NIL".to_vec(), location]
}

fn pairs(pairs: &[(String, String)]) -> Vec<u8> {
    if pairs.is_empty() {
        return b"NIL".to_vec();
    }
    let items: Vec<Vec<u8>> = pairs.iter().flat_map(|(n, v)| [string(n.as_bytes()), string(v.as_bytes())]).collect();
    [b"(", items.join(&b' ').as_slice(), b")"].concat()
}

/// A list of addresses; groups show as their members between two marks (RFC 9051 section 7.5.2).
fn addresses(value: Option<&str>) -> Vec<u8> {
    let all: Vec<u8> = value.map(split).unwrap_or_default().into_iter().flat_map(|a| address(&a)).collect();
    if all.is_empty() { b"NIL".to_vec() } else { [b"(", all.as_slice(), b")"].concat() }
}

/// Splits at commas, colons and semicolons outside quotes; the latter two stay as items of their own.
fn split(value: &str) -> Vec<String> {
    let (mut items, mut item, mut quoted, mut angle) = (Vec::new(), String::new(), false, false);
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        match c {
            ',' if !quoted && !angle => items.push(std::mem::take(&mut item)),
            ':' if !quoted && !angle => items.push(std::mem::take(&mut item) + ":"),
            ';' if !quoted && !angle => items.extend([std::mem::take(&mut item), ";".to_owned()]),
            _ => item.push(c),
        }
    }
    items.push(item);
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

fn address(text: &str) -> Vec<u8> {
    let shown = |parts: [Option<&str>; 3]| {
        let [name, local, host] = parts.map(|part| nstring(part.map(str::as_bytes)));
        [b"(", name.as_slice(), b" NIL ", &local, b" ", &host, b")"].concat()
    };
    if let Some(group) = text.strip_suffix(':') {
        return shown([None, Some(group), None]);
    }
    if text == ";" {
        return shown([None, None, None]);
    }
    let (name, spec) = match text.split_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"'), rest.trim_end_matches('>')),
        None => ("", text),
    };
    let (local, host) = spec.rsplit_once('@').unwrap_or((spec, ""));
    shown([Some(name).filter(|n| !n.is_empty()), Some(local), Some(host)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_has_ten_fields() {
        let part = Part::parse(b"From: Ada <ada@x.org>\r\nTo: a@b, \"C, D\" <c@d>\r\nSubject: hi\r\n\r\nbody\r\n");
        let expected = "(NIL \"hi\" ((\"Ada\" NIL \"ada\" \"x.org\")) ((\"Ada\" NIL \"ada\" \"x.org\")) \
                        ((\"Ada\" NIL \"ada\" \"x.org\")) ((NIL NIL \"a\" \"b\")(\"C, D\" NIL \"c\" \"d\")) NIL NIL NIL NIL)";
        assert_eq!(String::from_utf8(envelope(&part)).unwrap(), expected);
    }

    #[test]
    fn a_multipart_shows_its_parts() {
        let bytes = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\
                      Content-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nzz\r\n--x--\r\n";
        let part = Part::parse(bytes);
        assert_eq!(&bytes[part.number(1).unwrap().body.clone()], b"one");
        let shown = String::from_utf8(structure(bytes, &part, true)).unwrap();
        assert_eq!(
            shown,
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL)\
             (\"image\" \"png\" NIL NIL NIL \"7bit\" 2 NIL (\"attachment\" (\"filename\" \"a.png\")) NIL NIL) \
             \"mixed\" (\"boundary\" \"x\") NIL NIL NIL)"
        );
    }
}
