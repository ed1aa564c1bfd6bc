//! What must hold of the decoders for any bytes, and some headers against another implementation.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

/// What Python 3.11's `email` package makes of the same headers (`policy.default`, `str(message["subject"])`).
#[test]
fn subjects_are_read_as_python_reads_them() {
    for (subject, python) in [
        ("=?utf-8?B?UmU6IMSwc3RhbmJ1bA==?=", "Re: İstanbul"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
        ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        ("=?utf-8?Q?=F0=9F=8E=89?= party", "🎉 party"),
        ("=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?= =?iso-2022-jp?B?GyRCJE4bKEI=?=", "日本語の"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2=2C?= x", "Привет, x"),
        ("=?euc-kr?B?vsiz58fPvLy/5A==?=", "안녕하세요"),
        ("plain =?", "plain =?"),
    ] {
        assert_eq!(decode_header(subject.as_bytes()), python, "{subject}");
    }
}

proptest! {
    #[test]
    fn decoded_text_never_has_control_characters(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!decode_header(&bytes).contains(char::is_control));
        for address in parse_addresses(&bytes) {
            prop_assert!(!address.to_string().contains(char::is_control));
        }
        let parameters = [(Bytes::from("filename"), Bytes::from(bytes.clone())), (Bytes::from("filename*"), Bytes::from(bytes))];
        prop_assert!(!decode_parameter(&parameters, "filename").unwrap_or_default().contains(char::is_control));
    }

    #[test]
    fn pieces_of_encoded_words_never_break_the_reader(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("=?"), Just("?="), Just("?"), Just("="), Just("utf-8"), Just("Q"), Just("b"), Just("?q?"), Just("?B?"), Just(" "),
                Just("\r\n "), Just("YWI="), Just("=C3"), Just("_"), Just("x"), Just("<"), Just(">"), Just("@"), Just(","), Just("\""),
                Just("("), Just(")"), Just(":"), Just(";"), Just("\\"), Just("\u{e9}"),
            ],
            0..30,
        )
    ) {
        let text = pieces.concat();
        prop_assert!(decode_header(text.as_bytes()).len() <= text.len() * 3);
        for address in parse_addresses(text.as_bytes()) {
            prop_assert!(!address.email.is_empty() || address.name.is_some());
        }
    }

    #[test]
    fn a_safe_name_names_a_file_in_the_folder_and_nothing_else(name in "(?s).{0,200}", dots in "[./\\\\ a:]{0,20}") {
        for name in [name, dots] {
            let safe = safe_filename(Some(&name), "");
            prop_assert!(!safe.is_empty() && safe.len() <= 121, "{:?}", safe);
            prop_assert!(!safe.contains(['/', '\\', ':', '\0']) && !safe.contains(char::is_control), "{:?}", safe);
            prop_assert!(!safe.starts_with('.') && !safe.ends_with(['.', ' ']), "{:?}", safe);
            prop_assert_eq!(std::path::Path::new(&safe).components().count(), 1);
        }
    }

    #[test]
    fn dates_are_within_the_calendar(text in "[0-9A-Za-z:+, ().-]{0,40}") {
        if let Some(date) = parse_date(text.as_bytes()) {
            prop_assert!((-14 * 60..=14 * 60).contains(&date.offset));
            prop_assert!(date.seconds >= -24 * 3600);
        }
    }

    #[test]
    fn html_of_any_kind_becomes_text(html in "[<>/a-z!&;# \n-]{0,120}") {
        let text = html_to_text(&html);
        prop_assert!(text.is_empty() || text.ends_with('\n'));
    }

    #[test]
    fn content_arrives_the_same_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1..40_usize) {
        for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable, TransferEncoding::Uuencode] {
            let mut decoder = TransferDecoder::new(encoding);
            let mut out: Vec<u8> = bytes.chunks(size).flat_map(|piece| decoder.push(piece)).collect();
            out.extend(decoder.finish());
            prop_assert_eq!(out, decode_transfer(&bytes, encoding));
        }
    }
}
