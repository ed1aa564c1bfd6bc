//! The inbox as a picture: SVG, of a mailbox list and the newest messages. Pure.

use super::text::clip;
use std::fmt::Write;

/// A mailbox beside the list.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub name: String,
    pub unread: u64,
    pub is_open: bool,
}

/// A message of the list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub who: String,
    pub subject: String,
    pub preview: String,
    pub when: String,
    pub files: usize,
    pub is_unread: bool,
    pub is_flagged: bool,
}

const WIDTH: usize = 1080;
const SIDE: usize = 250;
const TOP: usize = 64;
const ROW: usize = 62;
const FONT: &str = "-apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";
/// Of the circles with initials; by the name, so that a person always has the same.
const COLOURS: &[&str] = &["#c2554d", "#b5762a", "#5c8a3a", "#2f8f83", "#3b78b8", "#6a5fc0", "#a0539b", "#7a6a58"];

/// The picture.
pub(super) fn picture(title: &str, places: &[Place], lines: &[Line]) -> String {
    let height = TOP + (lines.len() * ROW).max(places.len() * 38 + 40) + 16;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"{FONT}\">\n<rect width=\"{WIDTH}\" height=\"{height}\" rx=\"14\" fill=\"#fbfaf7\"/>\n\
         <path d=\"M14 0H{SIDE}V{height}H14A14 14 0 0 1 0 {}V14A14 14 0 0 1 14 0Z\" fill=\"#23303d\"/>\n",
        height - 14
    );
    for (at, colour) in ["#ec6a5e", "#f4bf4f", "#61c554"].iter().enumerate() {
        let _ = writeln!(out, "<circle cx=\"{}\" cy=\"26\" r=\"6\" fill=\"{colour}\"/>", 24 + at * 20);
    }
    out += &text((SIDE + 28, 40), "font-size=\"21\" font-weight=\"700\" fill=\"#23303d\"", title);
    for (at, place) in places.iter().enumerate() {
        out += &side(place, TOP + 8 + at * 38);
    }
    for (at, line) in lines.iter().enumerate() {
        out += &row(line, TOP + at * ROW, at % 2 == 1);
    }
    out + "</svg>\n"
}

fn side(place: &Place, y: usize) -> String {
    let mut out = String::new();
    if place.is_open {
        let _ =
            writeln!(out, "<rect x=\"12\" y=\"{y}\" width=\"{}\" height=\"34\" rx=\"8\" fill=\"#3a4c5f\"/>", SIDE - 24);
    }
    let fill = if place.is_open || place.unread > 0 { "#ffffff" } else { "#9fb0c0" };
    out += &text((28, y + 22), &format!("font-size=\"15\" fill=\"{fill}\""), &clip(&place.name, 24));
    if place.unread > 0 {
        let number = place.unread.to_string();
        let (x, width) = (SIDE - 32 - number.len() * 9, number.len() * 9 + 14);
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"20\" rx=\"10\" fill=\"#e0a33a\"/>",
            x - 7,
            y + 7
        );
        out += &text((x, y + 22), "font-size=\"13\" font-weight=\"700\" fill=\"#23303d\"", &number);
    }
    out
}

fn row(line: &Line, y: usize, is_odd: bool) -> String {
    let mut out = String::new();
    let left = SIDE + 28;
    if is_odd {
        let _ = writeln!(
            out,
            "<rect x=\"{SIDE}\" y=\"{y}\" width=\"{}\" height=\"{ROW}\" fill=\"#f3f0e9\"/>",
            WIDTH - SIDE
        );
    }
    if line.is_unread {
        let _ = writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"#2f7fd6\"/>", SIDE + 14, y + 31);
    }
    let at = line.who.chars().fold(7_usize, |sum, c| sum.wrapping_mul(31).wrapping_add(c as usize)) % COLOURS.len();
    let colour = COLOURS.get(at).copied().unwrap_or("#777777");
    let _ = writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"19\" fill=\"{colour}\"/>", left + 19, y + 31);
    let middle = "font-size=\"14\" font-weight=\"700\" fill=\"#ffffff\" text-anchor=\"middle\"";
    out += &text((left + 19, y + 36), middle, &initials(&line.who));
    let weight = if line.is_unread { "700" } else { "400" };
    let style = |size: u8, fill: &str| format!("font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{fill}\"");
    out += &text((left + 54, y + 27), &style(15, "#23303d"), &clip(&line.who, 20));
    out += &text((left + 244, y + 27), &style(15, "#23303d"), &clip(&line.subject, 50));
    out += &text((left + 244, y + 47), "font-size=\"13\" fill=\"#8a8f96\"", &clip(&line.preview, 62));
    if line.files > 0 {
        let label = if line.files == 1 { "1 file".to_owned() } else { format!("{} files", line.files) };
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"46\" height=\"17\" rx=\"8\" fill=\"#dfe7ee\"/>",
            left + 54,
            y + 36
        );
        out += &text((left + 77, y + 49), "font-size=\"11\" fill=\"#46586a\" text-anchor=\"middle\"", &label);
    }
    if line.is_flagged {
        // A star, drawn: fonts differ in theirs.
        let star = "M0-8 2.4-2.6 8.2-2 3.8 1.9 5.1 7.6 0 4.6-5.1 7.6-3.8 1.9-8.2-2-2.4-2.6Z";
        let _ =
            writeln!(out, "<path transform=\"translate({} {})\" d=\"{star}\" fill=\"#e0a33a\"/>", WIDTH - 34, y + 43);
    }
    out + &text((WIDTH - 24, y + 27), "font-size=\"13\" fill=\"#8a8f96\" text-anchor=\"end\"", &line.when)
}

/// The first letters of first and last name.
fn initials(who: &str) -> String {
    let mut words = who.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let last = words.next_back().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + &last
}

fn text((x, y): (usize, usize), style: &str, text: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" {style}>{}</text>\n", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_mail_is_text_in_the_picture() {
        let line = Line {
            who: "Charles <script>".to_owned(),
            subject: "1 < 2 & so".to_owned(),
            preview: String::new(),
            when: "09:14".to_owned(),
            files: 2,
            is_unread: true,
            is_flagged: true,
        };
        let place = Place { name: "INBOX".to_owned(), unread: 12, is_open: true };
        let drawn = picture("Inbox", &[place], &[line]);
        assert!(drawn.contains("1 &lt; 2 &amp; so") && !drawn.contains("<script>") && drawn.contains("2 files"));
        assert_eq!(drawn.matches('<').count(), drawn.matches('>').count());
        assert_eq!([initials("Grace Hopper"), initials("湯浅年子"), initials("")], ["GH", "湯", ""]);
    }
}
