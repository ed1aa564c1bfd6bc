//! HTML to plain text, for messages that have nothing else.

use mail_parser::decoders::html::add_html_token;
use memchr::{memchr, memmem};

/// Elements whose content is no text.
const DROPPED: [&str; 6] = ["script", "style", "head", "template", "title", "noscript"];

/// Longest entity looked for (`&CounterClockwiseContourIntegral;`).
const LONGEST_ENTITY: usize = 40;

/// The text of an HTML document: tags, comments, scripts and styles out, entities decoded, blocks on lines of their own,
/// white space as a browser would show it. One pass, whatever the nesting.
///
/// ```
/// use mailtide::message::html_to_text;
///
/// assert_eq!(html_to_text("<p>Dear&nbsp;Ada,<br>see <b>below</b></p><script>x()</script>"), "Dear Ada,\nsee below\n");
/// ```
#[must_use]
pub fn html_to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        let (text, tag) = rest.split_at_checked(at).unwrap_or((rest, ""));
        writer.text(text);
        rest = match tag_end(tag) {
            // No tag: a mathematician's `<`.
            None => {
                writer.text("<");
                tag.get(1..).unwrap_or_default()
            }
            Some((tag, after)) => writer.tag(tag, after),
        };
    }
    writer.text(rest);
    writer.finish()
}

/// The charset that the document itself declares in its first 2 KiB (`<meta charset>`), for a part without one.
pub(super) fn meta_charset(html: &[u8]) -> Option<String> {
    let start = html.get(..html.len().min(2048))?.to_ascii_lowercase();
    let at = memmem::find(&start, b"charset=")? + 8;
    let value = start.get(at..)?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let end = value.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_:.".contains(b))).unwrap_or(value.len());
    value.get(..end).filter(|v| !v.is_empty()).map(|v| String::from_utf8_lossy(v).into_owned())
}

/// The inside of the tag and what comes after it. A tag that is never closed goes up to the next one.
fn tag_end(tag: &str) -> Option<(&str, &str)> {
    let inside = tag.strip_prefix('<')?;
    if let Some(comment) = inside.strip_prefix("!--") {
        return Some(("", comment.split_once("-->").map_or("", |(_, after)| after)));
    }
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        return None;
    }
    let end = inside.find(['<', '>']).unwrap_or(inside.len());
    let (inside, after) = inside.split_at_checked(end)?;
    Some((inside, after.strip_prefix('>').unwrap_or(after)))
}

#[derive(Default)]
struct Writer {
    out: String,
    /// White space is due before the next word.
    space: bool,
    /// Line ends are due before the next word: one after a block, two after a paragraph.
    lines: usize,
    preformatted: usize,
    /// Elements of [`DROPPED`] that are known not to end any more, so that nobody searches for that twice.
    endless: Vec<String>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = memchr(b'&', rest.as_bytes()) {
            let (before, entity) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.words(before);
            rest = match entity.bytes().take(LONGEST_ENTITY).position(|b| b == b';') {
                Some(end) => {
                    let (entity, after) = entity.split_at_checked(end + 1).unwrap_or((entity, ""));
                    self.entity(entity);
                    after
                }
                None => {
                    self.words("&");
                    entity.get(1..).unwrap_or_default()
                }
            };
        }
        self.words(rest);
    }

    fn entity(&mut self, entity: &str) {
        let mut decoded = String::new();
        add_html_token(&mut decoded, entity.as_bytes(), false);
        match decoded.replace('\u{A0}', " ").as_str() {
            " " => self.word(" "),
            decoded if decoded == entity && entity.contains(char::is_whitespace) => self.words(decoded),
            decoded => self.word(decoded),
        }
    }

    fn words(&mut self, text: &str) {
        if self.preformatted > 0 && !text.is_empty() {
            self.word(text);
            return;
        }
        let mut is_first = true;
        for word in text.split(|c: char| c.is_ascii_whitespace()) {
            self.space |= !is_first;
            is_first = false;
            if !word.is_empty() {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        if self.lines > 0 && !self.out.is_empty() {
            let ends = self.out.bytes().rev().take_while(|b| *b == b'\n').count();
            self.out.extend(std::iter::repeat_n('\n', self.lines.saturating_sub(ends)));
        } else if self.space && !self.out.is_empty() && !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
        (self.lines, self.space) = (0, false);
        self.out.push_str(word);
    }

    /// Returns what comes after the tag, and after the content of an element that has no text.
    fn tag<'a>(&mut self, tag: &str, after: &'a str) -> &'a str {
        let end = tag.trim_start_matches('/').find(|c: char| !c.is_ascii_alphanumeric());
        let name = tag.trim_start_matches('/');
        let name = end.and_then(|end| name.get(..end)).unwrap_or(name).to_ascii_lowercase();
        let opens = !tag.starts_with('/') && !tag.ends_with('/');
        if opens && DROPPED.contains(&name.as_str()) {
            return self.after_element(&name, after);
        }
        match name.as_str() {
            "br" => self.out.push('\n'),
            "pre" | "textarea" => {
                self.preformatted = if opens { self.preformatted + 1 } else { self.preformatted.saturating_sub(1) };
                self.block(1);
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "ul" | "ol" | "dl" | "table" => {
                self.block(2);
            }
            "div" | "tr" | "li" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "center" | "hr"
            | "form" | "body" | "html" | "address" | "fieldset" | "option" | "caption" | "nav" | "main" => {
                self.block(1);
            }
            "td" | "th" => self.space = true,
            _ => {}
        }
        if name == "li" && opens {
            self.word("- ");
        }
        after
    }

    /// An element without end has all the rest, but for a `head` or `title`, which would hide the whole message.
    fn after_element<'a>(&mut self, name: &str, text: &'a str) -> &'a str {
        if !self.endless.iter().any(|endless| endless == name) {
            if let Some(after) = after_end_tag(name, text) {
                return after;
            }
            self.endless.push(name.to_owned());
        }
        if matches!(name, "script" | "style" | "template") { "" } else { text }
    }

    fn block(&mut self, lines: usize) {
        self.lines = self.lines.max(lines);
    }

    fn finish(mut self) -> String {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

/// What follows `</name` and its `>`.
fn after_end_tag<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let is_end = |at: &usize| {
        bytes.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    let at = memmem::find_iter(bytes, b"</").find(is_end)?;
    Some(text.get(at..)?.split_once('>').map_or("", |(_, after)| after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_text() {
        for (html, text) in [
            ("", ""),
            ("plain", "plain\n"),
            ("<div>a</div><div>b</div>", "a\nb\n"),
            ("<p>a</p><p>b</p>", "a\n\nb\n"),
            ("a<br>b<br/><br>c", "a\nb\n\nc\n"),
            ("  a \n <b> b </b>c", "a b c\n"),
            ("<b>bo</b>ld", "bold\n"),
            ("<ul><li>one</li><li>two</li></ul>", "- one\n- two\n"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
            ("<pre>a\n  b</pre>", "a\n  b\n"),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &euro; &#8364; &#x20AC;", "1 < 2 && 3 > 2 € € €\n"),
            ("a&nbsp;b &unknown; &; & &#xFFFFFFFF;", "a b &unknown; &; & &#xFFFFFFFF;\n"),
            ("AT&T; R&D", "AT&T; R&D\n"),
            ("a < b", "a < b\n"),
            ("<!-- <p>hidden</p> -->shown", "shown\n"),
            ("<!-- never closed", ""),
            ("<style>p { color: red }</style><SCRIPT>alert('</p>')</SCRIPT>text", "text\n"),
            ("<head><title>t</title></head>text", "text\n"),
            ("<head>never closed", "never closed\n"),
            ("<script>never closed", ""),
            ("<a href=x", ""),
            ("<a href=x<b>y", "y\n"),
            ("<!DOCTYPE html><html><body>x</body></html>", "x\n"),
        ] {
            assert_eq!(html_to_text(html), text, "{html}");
        }
    }

    #[test]
    fn floods_end_soon() {
        for unit in
            ["<", "<a", "<!--", "&", "&amp", "<div>", "<script>", "</", "<style></styl>", "<li>", "<pre>", "<head>"]
        {
            let html = unit.repeat(1 << 16);
            assert!(html_to_text(&html).len() <= html.len() + 1, "{unit}");
        }
    }

    #[test]
    fn a_charset_is_found_in_the_document() {
        for (html, charset) in [
            ("<meta charset=\"Shift_JIS\">", Some("shift_jis")),
            ("<META http-equiv=Content-Type content='text/html; charset=KOI8-R'>", Some("koi8-r")),
            ("<p>no", None),
        ] {
            assert_eq!(meta_charset(html.as_bytes()).as_deref(), charset, "{html}");
        }
    }
}
