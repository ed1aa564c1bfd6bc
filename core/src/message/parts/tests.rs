//! Section numbers and the choice of parts, on structures whose numbers are known.

use super::*;
use crate::imap::Disposition;
use bytes::Bytes;

fn leaf(kind: &'static str) -> BodyStructure {
    let (media, subtype) = kind.split_once('/').unwrap();
    BodyStructure { media_type: media.into(), subtype: subtype.into(), ..Default::default() }
}

fn multi(subtype: &'static str, parts: Vec<BodyStructure>) -> BodyStructure {
    BodyStructure { media_type: "multipart".into(), subtype: subtype.into(), parts, ..Default::default() }
}

fn nested(body: BodyStructure) -> BodyStructure {
    BodyStructure { parts: vec![body], ..leaf("message/rfc822") }
}

fn named(part: BodyStructure, disposition: &'static str, name: &'static str) -> BodyStructure {
    let parameters = vec![(Bytes::from("filename"), Bytes::from(name))];
    BodyStructure { disposition: Some(Disposition { kind: disposition.into(), parameters }), ..part }
}

fn with_id(part: BodyStructure, id: &'static str) -> BodyStructure {
    BodyStructure { id: Some(id.into()), ..part }
}

/// `text | html | attachments`, each a list of sections.
fn chosen(structure: &BodyStructure) -> String {
    let parts = parts(structure);
    let join = |list: Vec<String>| list.join(" ");
    let section = |part: &BodyPart| {
        let path: Vec<String> = part.section.iter().map(u32::to_string).collect();
        format!("{}{}", path.join("."), if part.is_html { "h" } else { "" })
    };
    let attachments = parts.attachments.iter().map(|a| format!("{}{}", a.path(), if a.inline { "i" } else { "" }));
    let text = join(parts.text.iter().map(section).collect());
    let html = join(parts.html.iter().map(section).collect());
    format!("{text} | {html} | {}", join(attachments.collect()))
}

#[test]
fn the_example_of_rfc_9051_has_the_numbers_that_it_prints() {
    // Section 6.4.5.1: the tree printed there, with its part numbers.
    let structure = multi(
        "mixed",
        vec![
            leaf("text/plain"),
            leaf("application/octet-stream"),
            nested(multi("mixed", vec![leaf("text/plain"), leaf("application/octet-stream")])),
            multi(
                "mixed",
                vec![
                    leaf("image/gif"),
                    nested(multi(
                        "mixed",
                        vec![leaf("text/plain"), multi("alternative", vec![leaf("text/plain"), leaf("text/richtext")])],
                    )),
                ],
            ),
        ],
    );
    let listed: Vec<String> = sections(&structure)
        .iter()
        .map(|(section, part)| {
            let path: Vec<String> = section.iter().map(u32::to_string).collect();
            format!("{} {}", path.join("."), String::from_utf8_lossy(&part.subtype))
        })
        .collect();
    let expected = [
        " mixed",
        "1 plain",
        "2 octet-stream",
        "3 rfc822",
        "3 mixed",
        "3.1 plain",
        "3.2 octet-stream",
        "4 mixed",
        "4.1 gif",
        "4.2 rfc822",
        "4.2 mixed",
        "4.2.1 plain",
        "4.2.2 alternative",
        "4.2.2.1 plain",
        "4.2.2.2 richtext",
    ];
    assert_eq!(listed, expected);
    assert_eq!(part_at(&structure, &[4, 2, 2, 1]).unwrap().subtype, "plain");
    assert_eq!(part_at(&structure, &[3]).unwrap().subtype, "rfc822");
    assert_eq!(part_at(&structure, &[5]), None);
}

#[test]
fn a_message_of_one_part_has_part_1_and_so_has_one_nested_in_it() {
    let listed = |s: &BodyStructure| sections(s).into_iter().map(|(section, _)| section).collect::<Vec<_>>();
    assert_eq!(listed(&leaf("text/plain")), [vec![1]]);
    assert_eq!(listed(&nested(leaf("text/plain"))), [vec![1], vec![1, 1]]);
    assert_eq!(listed(&multi("mixed", vec![nested(leaf("text/plain"))])), [vec![], vec![1], vec![1, 1]]);
}

#[test]
fn text_html_and_attachments_are_told_apart() {
    let plain = || leaf("text/plain");
    let html = || leaf("text/html");
    let image = || with_id(leaf("image/png"), "<i@x>");
    let cases = [
        (plain(), "1 |  | "),
        (html(), "1h | 1h | "),
        (leaf("text/enriched"), "1 |  | "),
        (leaf("application/pdf"), " |  | 1"),
        (named(plain(), "attachment", "a.txt"), " |  | 1"),
        (multi("alternative", vec![plain(), html()]), "1 | 2h | "),
        (multi("alternative", vec![html()]), "1h | 1h | "),
        (multi("alternative", vec![plain(), html(), leaf("text/calendar")]), "1 | 2h | 3"),
        (multi("mixed", vec![multi("alternative", vec![plain(), html()]), leaf("application/pdf")]), "1.1 | 1.2h | 2"),
        (multi("related", vec![html(), image()]), "1h | 1h | 2i"),
        (multi("alternative", vec![plain(), multi("related", vec![html(), image()])]), "1 | 2.1h | 2.2i"),
        (multi("related", vec![multi("alternative", vec![plain(), html()]), image()]), "1.1 | 1.2h | 2i"),
        (multi("mixed", vec![plain(), leaf("image/jpeg"), plain()]), "1 3 |  | 2"),
        (multi("mixed", vec![plain(), named(plain(), "inline", "log.txt")]), "1 |  | 2i"),
        (multi("mixed", vec![plain(), html()]), "1 2h | 2h | "),
        (multi("signed", vec![plain(), leaf("application/pgp-signature")]), "1 |  | 2"),
        (multi("mixed", vec![plain(), nested(multi("mixed", vec![plain(), leaf("application/pdf")]))]), "1 |  | 2"),
        (multi("report", vec![plain(), leaf("message/delivery-status"), nested(plain())]), "1 |  | 2 3"),
        (multi("digest", vec![nested(plain()), nested(plain())]), " |  | 1 2"),
        (multi("mixed", vec![]), " |  | 1"),
        (BodyStructure::default(), "1 |  | "),
    ];
    for (structure, expected) in cases {
        assert_eq!(chosen(&structure), expected, "{structure:?}");
    }
}

#[test]
fn related_begins_where_start_says() {
    let mut related = multi("related", vec![leaf("image/png"), with_id(leaf("text/html"), "<root@x>")]);
    related.parameters = vec![("start".into(), "<root@x>".into())];
    assert_eq!(chosen(&related), "2h | 2h | 1");
}

#[test]
fn an_attachment_is_described_as_the_server_gave_it() {
    let mut part = named(with_id(leaf("application/pdf"), "<c@x>"), "attachment", "=?utf-8?Q?na=C3=AFve.pdf?=");
    part.encoding = Some("base64".into());
    part.octets = Some(7800);
    let attachment = parts(&multi("mixed", vec![leaf("text/plain"), part])).attachments.remove(0);
    assert_eq!(attachment.filename.as_deref(), Some("naïve.pdf"));
    assert_eq!((attachment.media_type.as_str(), attachment.size()), ("application/pdf", Some(5700)));
    assert_eq!((attachment.path().as_str(), attachment.content_id.as_deref()), ("2", Some("c@x")));
    assert_eq!(attachment.encoding, TransferEncoding::Base64);
    assert!(!attachment.inline);
}

#[test]
fn signatures_and_pictures_of_the_text_are_not_called_attached() {
    let has = |structure: &BodyStructure| parts(structure).has_attachment();
    let plain = || leaf("text/plain");
    assert!(!has(&multi("signed", vec![plain(), leaf("application/pgp-signature")])));
    assert!(!has(&multi("related", vec![leaf("text/html"), with_id(leaf("image/png"), "<i@x>")])));
    assert!(has(&multi("mixed", vec![plain(), named(leaf("application/pdf"), "inline", "a.pdf")])));
    assert!(has(&multi("mixed", vec![plain(), nested(plain())])));
    assert!(!has(&plain()));
}

#[test]
fn a_structure_of_any_depth_is_walked_as_far_as_the_bound() {
    let mut structure = leaf("text/plain");
    for _ in 0..1000 {
        structure = multi("mixed", vec![structure]);
    }
    assert_eq!(parts(&structure).text, []);
    assert_eq!(sections(&structure).len(), DEEPEST + 1);
}

#[test]
fn a_structure_of_any_width_is_listed_as_far_as_the_bound() {
    let wide = multi("mixed", vec![multi("mixed", vec![leaf("image/png"); 8_000]); 3]);
    assert_eq!(parts(&wide).attachments.len(), MOST_PARTS);
    assert_eq!(sections(&wide).len(), MOST_PARTS);
}

#[test]
fn a_part_is_decoded_from_its_bytes() {
    let part = BodyPart {
        section: vec![1],
        is_html: true,
        charset: None,
        encoding: TransferEncoding::QuotedPrintable,
        octets: None,
    };
    let html = b"<meta charset=3Dkoi8-r><p>=F0=D2=C9=D7=C5=D4";
    assert_eq!(part.decode(html).text, "<meta charset=koi8-r><p>Привет");
    let part = BodyPart { charset: Some("iso-8859-2".into()), ..part };
    assert_eq!(part.decode(b"=BF").text, "ż");
}
