//! What FETCH is asked for (RFC 9051 section 6.4.5).

use super::args::{Args, Bad};

/// One thing to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The number that does not change.
    Uid,
    /// Flags and keywords.
    Flags,
    /// INTERNALDATE.
    InternalDate,
    /// RFC822.SIZE.
    Size,
    /// ENVELOPE.
    Envelope,
    /// BODYSTRUCTURE, or BODY without its extensions.
    Structure { extended: bool },
    /// MODSEQ.
    ModSeq,
    /// EMAILID (RFC 8474).
    EmailId,
    /// THREADID (RFC 8474).
    ThreadId,
    /// SAVEDATE (RFC 8514).
    SaveDate,
    /// X-GM-MSGID.
    GmailId,
    /// X-GM-THRID.
    GmailThread,
    /// X-GM-LABELS.
    GmailLabels,
    /// A section of the message.
    Section(Section),
}

/// A section of a message: `BODY.PEEK[1.HEADER]<0.100>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What the answer calls it.
    pub label: String,
    /// `1.HEADER.FIELDS`.
    pub path: String,
    /// Names after HEADER.FIELDS.
    pub fields: Vec<String>,
    /// First byte and count.
    pub partial: Option<(usize, usize)>,
    /// Whether it leaves `\Seen` alone.
    pub peek: bool,
}

/// Reads the items: one, a macro, or a list.
pub fn read(args: &mut Args<'_>) -> Result<Vec<Item>, Bad> {
    if args.peek() == Some(b'(') {
        return args.list(item);
    }
    let fast = [Item::Flags, Item::InternalDate, Item::Size];
    let mut ahead = args.clone();
    let word = ahead.until(|b| b == b' ' || b == b'[').to_ascii_uppercase();
    let more: &[Item] = match word.as_str() {
        "FAST" => &[],
        "ALL" => &[Item::Envelope],
        "FULL" => &[Item::Envelope, Item::Structure { extended: false }],
        _ => return item(args).map(|item| vec![item]),
    };
    *args = ahead;
    Ok(fast.iter().chain(more).cloned().collect())
}

fn item(args: &mut Args<'_>) -> Result<Item, Bad> {
    let word = args.until(|b| b" ()[".contains(&b)).to_ascii_uppercase();
    let whole = |label: &str, path: &str, peek| {
        Item::Section(Section {
            label: label.to_owned(),
            path: path.to_owned(),
            fields: Vec::new(),
            partial: None,
            peek,
        })
    };
    Ok(match word.as_str() {
        "UID" => Item::Uid,
        "FLAGS" => Item::Flags,
        "INTERNALDATE" => Item::InternalDate,
        "RFC822.SIZE" => Item::Size,
        "ENVELOPE" => Item::Envelope,
        "BODYSTRUCTURE" => Item::Structure { extended: true },
        "MODSEQ" => Item::ModSeq,
        "EMAILID" => Item::EmailId,
        "THREADID" => Item::ThreadId,
        "SAVEDATE" => Item::SaveDate,
        "X-GM-MSGID" => Item::GmailId,
        "X-GM-THRID" => Item::GmailThread,
        "X-GM-LABELS" => Item::GmailLabels,
        "RFC822" => whole("RFC822", "", false),
        "RFC822.HEADER" => whole("RFC822.HEADER", "HEADER", true),
        "RFC822.TEXT" => whole("RFC822.TEXT", "TEXT", false),
        "BODY" | "BODY.PEEK" if args.peek() == Some(b'[') => section(args, word == "BODY.PEEK")?,
        "BODY" => Item::Structure { extended: false },
        _ => return Err(Bad(format!("Unknown parameter {word}"))),
    })
}

fn section(args: &mut Args<'_>, peek: bool) -> Result<Item, Bad> {
    args.expect(b'[')?;
    let path = args.until(|b| b == b']' || b == b' ').to_ascii_uppercase();
    let mut fields = Vec::new();
    if path.ends_with("HEADER.FIELDS") || path.ends_with("HEADER.FIELDS.NOT") {
        args.space()?;
        fields = args.list(Args::text)?;
    }
    args.expect(b']')?;
    let partial = if args.has(b'<') { Some(range(args)?) } else { None };
    let names = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(" ")) };
    let from = partial.map(|(first, _)| format!("<{first}>")).unwrap_or_default();
    let label = format!("BODY[{path}{names}]{from}");
    Ok(Item::Section(Section { label, path, fields, partial, peek }))
}

fn range(args: &mut Args<'_>) -> Result<(usize, usize), Bad> {
    let number = |n: u64| usize::try_from(n).map_err(|_| Bad::from("a range too large"));
    let first = number(args.number()?)?;
    args.expect(b'.')?;
    let count = number(args.number()?)?;
    args.expect(b'>')?;
    Ok((first, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_alone_in_lists_and_as_macros() {
        let read = |text: &str| read(&mut Args::new(text.as_bytes())).unwrap();
        assert_eq!(read("FLAGS"), [Item::Flags]);
        assert_eq!(read("ALL").len(), 4);
        assert_eq!(read("(UID BODY)"), [Item::Uid, Item::Structure { extended: false }]);
        let Item::Section(section) = &read("BODY.PEEK[1.HEADER.FIELDS (To Cc)]<5.10>")[0] else { panic!() };
        assert_eq!((section.path.as_str(), section.partial, section.peek), ("1.HEADER.FIELDS", Some((5, 10)), true));
        assert_eq!(section.label, "BODY[1.HEADER.FIELDS (To Cc)]<5>");
    }
}
