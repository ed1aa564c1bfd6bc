//! Lower-casing without memory for the words that nearly every message has.

use bytes::Bytes;

/// The same in lower case: as it came, or one of the words below, or a copy.
pub(super) fn lower(word: Bytes) -> Bytes {
    if !word.iter().any(u8::is_ascii_uppercase) {
        return word;
    }
    let known = common(word.len()).iter().find(|known| known.as_bytes().eq_ignore_ascii_case(&word));
    known.map_or_else(|| word.to_ascii_lowercase().into(), |known| Bytes::from_static(known.as_bytes()))
}

/// Types, subtypes, parameter names, encodings and dispositions, by length.
fn common(len: usize) -> &'static [&'static str] {
    match len {
        3 => &["pdf", "png", "gif", "zip"],
        4 => &["text", "html", "7bit", "8bit", "name", "type", "size", "jpeg"],
        5 => &["plain", "mixed", "image", "audio", "video", "delsp"],
        6 => &["base64", "format", "inline", "binary", "signed", "report", "rfc822", "msword", "digest", "micalg"],
        7 => &["charset", "related", "message", "x-empty"],
        8 => &["boundary", "filename", "calendar", "protocol"],
        9 => &["multipart", "encrypted"],
        10 => &["attachment"],
        11 => &["application", "alternative", "report-type", "x-unix-mode"],
        12 => &["octet-stream"],
        13 => &["pgp-signature", "creation-date"],
        15 => &["delivery-status"],
        16 => &["quoted-printable"],
        17 => &["modification-date"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_stand_under_their_length() {
        for len in 0..32 {
            assert!(common(len).iter().all(|word| word.len() == len && word.to_ascii_lowercase() == **word), "{len}");
        }
    }

    #[test]
    fn words_are_lower_cased() {
        assert_eq!(lower(Bytes::from_static(b"QUOTED-PRINTABLE")), "quoted-printable");
        assert_eq!(lower(Bytes::from_static(b"X-Odd")), "x-odd");
        assert_eq!(lower(Bytes::from_static(b"plain")), "plain");
    }
}
