//! Parameters of `Content-Type` and `Content-Disposition`, decoded (RFC 2231, and what senders do instead).

use super::charset::decode_charset;
use super::transfer::hex;
use super::words::decode_header;
use bytes::Bytes;
use memchr::memmem;
use std::collections::BTreeMap;

/// Most continuations (`filename*0`, `filename*1`, …) that are joined (CVE-2026-27859).
const MOST_CONTINUATIONS: usize = 1000;

/// The value of parameter `name` (lower case), decoded; names in `parameters` are lower case already.
///
/// `name*` and `name*0*` of RFC 2231 come first, then the plain one, in which many senders put encoded words, raw UTF-8
/// or raw bytes of some charset.
#[must_use]
pub fn decode_parameter(parameters: &[(Bytes, Bytes)], name: &str) -> Option<String> {
    extended(parameters, name)
        .or_else(|| continued(parameters, name))
        .or_else(|| plain(parameters, name))
        .filter(|value| !value.is_empty())
}

fn find<'a>(parameters: &'a [(Bytes, Bytes)], name: &str) -> Option<&'a Bytes> {
    parameters.iter().find(|(n, _)| n.as_ref() == name.as_bytes()).map(|(_, value)| value)
}

/// `filename*=utf-8'en'na%C3%AFve.txt`
fn extended(parameters: &[(Bytes, Bytes)], name: &str) -> Option<String> {
    let value = find(parameters, &format!("{name}*"))?;
    let (charset, text) = split_charset(value);
    Some(text_of(&percent_decode(text), charset))
}

/// `filename*0*=utf-8''na%C3%AF; filename*1=ve.txt`, in any order.
fn continued(parameters: &[(Bytes, Bytes)], name: &str) -> Option<String> {
    let mut pieces = BTreeMap::new();
    for (key, value) in parameters {
        let Some((index, is_encoded)) = continuation(key, name) else { continue };
        if pieces.len() < MOST_CONTINUATIONS {
            pieces.entry(index).or_insert((is_encoded, value.as_ref()));
        }
    }
    let mut charset = None;
    let mut bytes = Vec::new();
    let mut any_encoded = false;
    for (at, (_, (is_encoded, value))) in pieces.iter().enumerate() {
        any_encoded |= is_encoded;
        match (is_encoded, at) {
            (true, 0) => {
                let (named, text) = split_charset(value);
                charset = named;
                bytes.extend(percent_decode(text));
            }
            (true, _) => bytes.extend(percent_decode(value)),
            (false, _) => bytes.extend_from_slice(value),
        }
    }
    match pieces.is_empty() {
        true => None,
        false if any_encoded => Some(text_of(&bytes, charset)),
        false => Some(decode_header(&bytes)),
    }
}

/// The number in `filename*12*`, and whether its value is percent-encoded.
fn continuation(key: &[u8], name: &str) -> Option<(u32, bool)> {
    let rest = key.strip_prefix(name.as_bytes())?.strip_prefix(b"*")?;
    let digits = rest.strip_suffix(b"*").unwrap_or(rest);
    let index = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((index, digits.len() < rest.len()))
}

/// Some write the extended form into the plain parameter, quotes and all.
fn plain(parameters: &[(Bytes, Bytes)], name: &str) -> Option<String> {
    let value = find(parameters, name)?;
    let lower = value.get(..7).map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
    if lower == b"utf-8''" && memmem::find(value, b"%").is_some() {
        let (charset, text) = split_charset(value);
        return Some(text_of(&percent_decode(text), charset));
    }
    Some(decode_header(value))
}

/// Where the charset and language are missing altogether, everything is the text.
fn split_charset(value: &[u8]) -> (Option<&str>, &[u8]) {
    let mut pieces = value.splitn(3, |b| *b == b'\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => (std::str::from_utf8(charset).ok().filter(|c| !c.is_empty()), text),
        _ => (None, value),
    }
}

fn text_of(bytes: &[u8], charset: Option<&str>) -> String {
    super::charset::one_line(&decode_charset(bytes, charset).text).trim().to_owned()
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match rest.get(1..3).and_then(hex).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(parameters: &[(&'static str, &'static [u8])]) -> Option<String> {
        let parameters: Vec<_> =
            parameters.iter().map(|(n, v)| (Bytes::from_static(n.as_bytes()), Bytes::from_static(v))).collect();
        decode_parameter(&parameters, "filename")
    }

    #[test]
    fn every_way_to_write_a_file_name_is_read() {
        for (parameters, name) in [
            (vec![("filename", b"plain.txt".as_slice())], "plain.txt"),
            (vec![("filename", b"=?utf-8?B?xbzDs8WCdy50eHQ=?=")], "żółw.txt"),
            (vec![("filename", b"=?utf-8?Q?=C5=BC=C3=B3?= =?utf-8?Q?=C5=82w.txt?=")], "żółw.txt"),
            (vec![("filename", "żółw.txt".as_bytes())], "żółw.txt"),
            (vec![("filename", b"caf\xe9.txt")], "café.txt"),
            (vec![("filename*", b"utf-8'pl'%C5%BC%C3%B3%c5%82w.txt")], "żółw.txt"),
            (vec![("filename*", b"iso-8859-2''%bf%f3%b3w.txt")], "żółw.txt"),
            (vec![("filename*", b"%C5%BC.txt")], "ż.txt"),
            (vec![("filename*", "utf-8''żółw.txt".as_bytes())], "żółw.txt"),
            (vec![("filename", b"zolw.txt"), ("filename*", b"utf-8''%C5%BC.txt")], "ż.txt"),
            (
                vec![("filename*0*", b"utf-8''%C5%BC%C3"), ("filename*1*", b"%B3%C5%82"), ("filename*2", b"w.txt")],
                "żółw.txt",
            ),
            (vec![("filename*1", b"b.txt"), ("filename*0", b"a")], "ab.txt"),
            (vec![("filename*10", b"!"), ("filename*2", b"c"), ("filename*0", b"a"), ("filename*1", b"b")], "abc!"),
            (vec![("filename*0", b"=?utf-8?Q?=C5"), ("filename*1", b"=BC.txt?=")], "ż.txt"),
            (vec![("filename", b"UTF-8''%C5%BC.txt")], "ż.txt"),
            (vec![("filename", b"100%.txt")], "100%.txt"),
            (vec![("filename*", b"100%.txt")], "100%.txt"),
            (vec![("filename", b"a\r\n\tb.txt")], "a b.txt"),
            (vec![("filename*", b"utf-8''a%00b%0D%0A.txt")], "ab .txt"),
        ] {
            assert_eq!(decoded(&parameters).as_deref(), Some(name), "{parameters:?}");
        }
        assert_eq!(decoded(&[("name", b"x")]), None);
        assert_eq!(decoded(&[("filename", b"")]), None);
        assert_eq!(decoded(&[("filename*x", b"1"), ("filename*99999999999", b"1")]), None);
    }

    #[test]
    fn a_flood_of_continuations_is_cut() {
        let parameters: Vec<_> =
            (0..100_000).map(|n| (Bytes::from(format!("filename*{n}")), Bytes::from_static(b"x"))).collect();
        assert_eq!(decode_parameter(&parameters, "filename").unwrap().len(), MOST_CONTINUATIONS);
    }
}
