//! Tables and bars of a terminal, as lines. Pure.

use super::text::{cells, clip, fit};

/// How things look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    #[default]
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
}

impl Look {
    /// A text that looks so, where there are colours. The text holds no control characters.
    pub fn of(self, text: &str, colour: bool) -> String {
        let code = match self {
            _ if !colour || text.trim().is_empty() => return text.to_owned(),
            Self::Plain => return text.to_owned(),
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub text: String,
    pub look: Look,
}

impl Cell {
    pub fn new(text: impl Into<String>, look: Look) -> Self {
        Self { text: text.into(), look }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Look::Plain)
    }
}

/// A column: its name, and how it is set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Column {
    /// Empty for none.
    pub title: &'static str,
    pub to_the_right: bool,
    /// Most cells.
    pub most: Option<usize>,
    /// It gives way where the line is too long.
    pub gives: bool,
}

/// The lines of a table, in at most `width` cells as far as a column gives way; a line of titles first where there are
/// any. Columns in which nothing stands are left out.
pub(super) fn table(columns: &[Column], rows: &[Vec<Cell>], width: usize, colour: bool) -> Vec<String> {
    let content =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cells(&cell.text)).max().unwrap_or(0);
    let mut widths: Vec<usize> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let content = content(at);
        let needed = if content == 0 { 0 } else { content.max(cells(column.title)) };
        widths.push(column.most.map_or(needed, |most| needed.min(most)));
    }
    let gaps = 2 * widths.iter().filter(|width| **width > 0).count().saturating_sub(1);
    let over = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
    if let Some((own, _)) = widths.iter_mut().zip(columns).find(|(_, column)| column.gives) {
        *own = own.saturating_sub(over).max((*own).min(8));
    }
    let titles = columns.iter().map(|column| Cell::new(column.title, Look::Dim)).collect::<Vec<_>>();
    let titles = Some(&titles).filter(|_| columns.iter().any(|column| !column.title.is_empty()) && !rows.is_empty());
    titles.into_iter().chain(rows).map(|row| line(columns, &widths, row, colour)).collect()
}

fn line(columns: &[Column], widths: &[usize], row: &[Cell], colour: bool) -> String {
    let mut out = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(row).filter(|((_, width), _)| **width > 0) {
        if !out.is_empty() {
            out += "  ";
        }
        out += &cell.look.of(&fit(&cell.text, *width, column.to_the_right), colour);
    }
    out.trim_end().to_owned()
}

/// A bar of `width` cells for what is done, with a text beside it.
pub(super) fn bar(done: u64, total: u64, text: &str, width: usize) -> String {
    let length = (width / 4).clamp(8, 30);
    let filled = usize::try_from(done.saturating_mul(length as u64).checked_div(total).unwrap_or(0)).unwrap_or(length);
    let filled = filled.min(length);
    let bar = "█".repeat(filled) + &"░".repeat(length - filled);
    clip(&format!("{bar} {text}"), width.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { title: "uid", to_the_right: true, most: None, gives: false },
        Column { title: "subject", to_the_right: false, most: None, gives: true },
        Column { title: "files", to_the_right: false, most: None, gives: false },
        Column { title: "size", to_the_right: true, most: Some(6), gives: false },
    ];

    fn row(uid: &str, subject: &str, size: &str) -> Vec<Cell> {
        vec![uid.into(), Cell::new(subject, Look::Bold), "".into(), size.into()]
    }

    #[test]
    fn columns_are_as_wide_as_needed_and_one_gives_way() {
        let rows = [row("7", "A moth", "1 kB"), row("12", "会議の件 お世話になっております", "2.5 MB")];
        assert_eq!(
            table(COLUMNS, &rows, 30, false),
            ["uid  subject              size", "  7  A moth               1 kB", " 12  会議の件 お世話…   2.5 MB"]
        );
        assert!(table(COLUMNS, &[], 30, false).is_empty());
        let wide = table(COLUMNS, &rows, 200, true);
        assert!(wide[1].contains("\u{1b}[1mA moth"), "{wide:?}");
    }

    #[test]
    fn a_bar_fills_and_stays_in_its_line() {
        assert_eq!(bar(0, 0, "mailboxes", 40), "░░░░░░░░░░ mailboxes");
        assert_eq!(bar(50, 100, "headers", 40), "█████░░░░░ headers");
        assert_eq!(bar(300, 100, "headers", 40), "██████████ headers");
        assert_eq!(cells(&bar(1, 2, &"long ".repeat(30), 60)), 59);
    }
}
