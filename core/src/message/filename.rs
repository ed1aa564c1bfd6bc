//! File names from strangers, made safe to write to a folder on any system.

use super::charset::is_bidi_control;

/// Longest base name, in bytes: it leaves room for a suffix within the 143 bytes of encrypted file systems.
const LONGEST: usize = 120;

/// Longest extension, with its dot, that a cut keeps.
const LONGEST_EXTENSION: usize = 24;

/// The base name under which an attachment may be saved.
///
/// Folders of either system go, and so do control characters, those that turn the direction of text, and what Windows
/// does not allow in names; a device name of Windows (`NUL.txt`) is put out of harm's way with an underscore. Where
/// nothing is left, the media type gives the name. The result has neither separator nor leading dot and is at most
/// 120 bytes long.
///
/// ```
/// use mailtide::message::safe_filename;
///
/// assert_eq!(safe_filename(Some("../../etc/passwd"), "text/plain"), "passwd");
/// assert_eq!(safe_filename(Some("C:\\temp\\NUL.txt"), "text/plain"), "_NUL.txt");
/// assert_eq!(safe_filename(None, "application/pdf"), "attachment.pdf");
/// ```
#[must_use]
pub fn safe_filename(name: Option<&str>, media_type: &str) -> String {
    let base = name.unwrap_or_default().rsplit(['/', '\\']).find(|piece| !is_dots(piece)).unwrap_or_default();
    let cleaned: String = base.chars().filter(|c| !is_dropped(*c)).map(replaced).collect();
    let trimmed = cleaned.trim_matches(|c: char| c.is_whitespace() || c == '.');
    let cut = cut(trimmed);
    match cut.as_str() {
        "" => fallback(media_type),
        name if is_reserved(name) => format!("_{name}"),
        _ => cut,
    }
}

/// The name, then `name (1).ext`, `name (2).ext`, …: to be tried until one is free.
///
/// ```
/// let mut names = mailtide::message::filename_candidates("log.txt");
/// assert_eq!(names.next().unwrap(), "log.txt");
/// assert_eq!(names.next().unwrap(), "log (1).txt");
/// ```
pub fn filename_candidates(name: &str) -> impl Iterator<Item = String> + use<> {
    let (stem, extension) = split_extension(name);
    let (stem, extension) = (stem.to_owned(), extension.to_owned());
    (0_u64..).map(move |n| if n == 0 { format!("{stem}{extension}") } else { format!("{stem} ({n}){extension}") })
}

fn is_dots(piece: &str) -> bool {
    piece.chars().all(|c| c == '.' || c.is_whitespace() || c.is_control())
}

/// Format characters that nobody sees: they make two names look like one.
fn is_dropped(c: char) -> bool {
    c.is_control()
        || is_bidi_control(c)
        || matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
        || matches!(c, '\u{E0000}'..='\u{E007F}')
}

/// Windows refuses these; `:` would name an alternate stream there. The look-alikes of separators go the same way.
fn replaced(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{2044}' | '\u{2215}' | '\u{29F8}' | '\u{FF0F}' | '\u{FF3C}' => '_',
        '\u{2028}' | '\u{2029}' | '\u{00A0}' => ' ',
        c => c,
    }
}

/// Cuts the stem, at a character, and keeps the extension.
fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    let room = LONGEST - extension.len();
    let end = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at)).unwrap_or(0);
    let stem = stem.get(..end).unwrap_or_default().trim_end_matches(|c: char| c.is_whitespace() || c == '.');
    format!("{stem}{extension}")
}

/// The extension with its dot; empty where there is none or it is too long to be one.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= LONGEST_EXTENSION && name.len() - dot > 1) {
        Some(dot) => name.split_at_checked(dot).unwrap_or((name, "")),
        None => (name, ""),
    }
}

/// Device names of Windows, with any extension and in any case; the superscript digits count there too.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|n| n.chars().count() == 1 && n.chars().all(|c| c.is_ascii_digit() || "¹²³".contains(c)))
}

fn fallback(media_type: &str) -> String {
    let extension = match media_type.to_ascii_lowercase().as_str() {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/json" => "json",
        "application/pgp-signature" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/ms-tnef" => "dat",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/tiff" => "tiff",
        "audio/mpeg" => "mp3",
        "video/mp4" => "mp4",
        "message/rfc822" | "message/global" => "eml",
        _ => "bin",
    };
    format!("attachment.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_hostile_names_become_safe_ones() {
        let cases: &[(&str, &str)] = &[
            ("invoice.pdf", "invoice.pdf"),
            ("żółw.txt", "żółw.txt"),
            ("日本語.docx", "日本語.docx"),
            ("a b.txt", "a b.txt"),
            ("/etc/passwd", "passwd"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system32\\cmd.exe", "cmd.exe"),
            ("C:\\autoexec.bat", "autoexec.bat"),
            ("C:autoexec.bat", "C_autoexec.bat"),
            ("\\\\server\\share\\x.txt", "x.txt"),
            ("a/../../b.txt", "b.txt"),
            ("a\\../b\\c.txt", "c.txt"),
            ("..", "attachment.bin"),
            (".", "attachment.bin"),
            ("...", "attachment.bin"),
            ("/", "attachment.bin"),
            ("\\", "attachment.bin"),
            ("folder/", "folder"),
            ("folder/..", "folder"),
            ("", "attachment.bin"),
            ("   ", "attachment.bin"),
            (".bashrc", "bashrc"),
            (".ssh/authorized_keys", "authorized_keys"),
            ("..hidden", "hidden"),
            (". .x", "x"),
            ("x.txt.", "x.txt"),
            ("x.txt. . .", "x.txt"),
            ("x.txt   ", "x.txt"),
            ("nul", "_nul"),
            ("NUL.txt", "_NUL.txt"),
            ("con .txt", "_con .txt"),
            ("Aux.tar.gz", "_Aux.tar.gz"),
            ("COM1", "_COM1"),
            ("com¹.log", "_com¹.log"),
            ("LPT9.pdf", "_LPT9.pdf"),
            ("COM10", "COM10"),
            ("CONIN$", "_CONIN$"),
            ("console.txt", "console.txt"),
            ("x\0.exe", "x.exe"),
            ("x.pdf\0.exe", "x.pdf.exe"),
            ("a\r\nb.txt", "ab.txt"),
            ("\u{1b}[2Jx.txt", "[2Jx.txt"),
            ("gpj.\u{202E}exe", "gpj.exe"),
            ("a\u{2066}b\u{2069}.txt", "ab.txt"),
            ("zero\u{200B}width.txt", "zerowidth.txt"),
            ("\u{FEFF}bom.txt", "bom.txt"),
            ("soft\u{AD}hyphen", "softhyphen"),
            ("a:b.txt", "a_b.txt"),
            ("x.txt:stream", "x.txt_stream"),
            ("x.txt::$DATA", "x.txt__$DATA"),
            ("what?.txt", "what_.txt"),
            ("*.*", "_._"),
            ("<script>.html", "_script_.html"),
            ("\"quoted\".txt", "_quoted_.txt"),
            ("pipe|pipe", "pipe_pipe"),
            ("a\u{2215}b", "a_b"),
            ("a\u{FF0F}b\u{FF3C}c", "a_b_c"),
            ("line\u{2028}sep", "line sep"),
            ("-rf", "-rf"),
            ("~root", "~root"),
            ("$(reboot)", "$(reboot)"),
            ("a;b&c", "a;b&c"),
            ("%2e%2e%2fx", "%2e%2e%2fx"),
            ("tag\u{E0041}", "tag"),
        ];
        assert!(cases.len() >= 60);
        for (name, safe) in cases {
            assert_eq!(safe_filename(Some(name), "application/x-nobody-knows"), *safe, "{name:?}");
            assert_eq!(safe_filename(Some(safe), ""), *safe, "what is safe stays as it is: {name:?}");
        }
    }

    #[test]
    fn long_names_are_cut_at_a_character_and_keep_their_extension() {
        for stem in ["x", "ż", "日", "😀"] {
            let safe = safe_filename(Some(&format!("{}.pdf", stem.repeat(300))), "");
            assert!(safe.len() <= LONGEST && safe.len() > LONGEST - 8, "{safe}");
            assert!(safe.ends_with(".pdf"));
        }
        let long_extension = format!("a.{}", "e".repeat(500));
        assert_eq!(safe_filename(Some(&long_extension), "").len(), LONGEST);
        assert_eq!(safe_filename(Some(&format!("{}{}", "x".repeat(110), " ".repeat(300))), "").len(), 110);
    }

    #[test]
    fn candidates_differ_and_keep_the_extension() {
        let names: Vec<_> = filename_candidates("a.b.tar").take(3).collect();
        assert_eq!(names, ["a.b.tar", "a.b (1).tar", "a.b (2).tar"]);
        assert_eq!(filename_candidates("README").nth(12).unwrap(), "README (12)");
    }
}
