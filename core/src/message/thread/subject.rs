//! The base subject of RFC 5256 section 2.1: without `Re:`, `[list]`, `(fwd)` and their kin.

/// Most `[blobs]` that are looked past for a `Re:`.
const MOST_BLOBS: usize = 20;

/// A subject without what replies and forwards put around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseSubject {
    /// In lower case; empty where nothing is left.
    pub text: String,
    /// Whether a mark of a reply or a forward was taken off.
    pub is_reply: bool,
}

/// The base of a decoded subject.
///
/// ```
/// use mailtide::message::base_subject;
///
/// let base = base_subject("Re: [team] RE[2]: The  moth (fwd)");
/// assert_eq!((base.text.as_str(), base.is_reply), ("the moth", true));
/// ```
#[must_use]
pub fn base_subject(subject: &str) -> BaseSubject {
    // Step 1. Encoded words are decoded already.
    let joined = subject.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut rest = joined.as_str();
    let mut is_reply = false;
    loop {
        // Step 2.
        rest = rest.trim_end();
        while let Some(shorter) = rest.strip_suffix("(fwd)") {
            (rest, is_reply) = (shorter.trim_end(), true);
        }
        // Steps 3 to 5.
        loop {
            rest = rest.trim_start();
            if let Some(after) = after_leader(rest) {
                (rest, is_reply) = (after, true);
            } else if let Some(after) = after_blob(rest).filter(|after| !after.is_empty()) {
                rest = after;
            } else {
                break;
            }
        }
        // Step 6.
        match rest.strip_prefix("[fwd:").and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => (rest, is_reply) = (inner.trim_start(), true),
            None => return BaseSubject { text: rest.to_owned(), is_reply },
        }
    }
}

/// `subj-leader` but its white space: any blobs, then `re`, `fw` or `fwd`, perhaps a blob, and a colon.
fn after_leader(text: &str) -> Option<&str> {
    let mut rest = text;
    for _ in 0..MOST_BLOBS {
        rest = after_blob(rest).unwrap_or(rest);
    }
    let word = ["re", "fwd", "fw"].into_iter().find(|word| {
        let after = rest.strip_prefix(word).map(str::trim_start);
        after.is_some_and(|after| after.starts_with([':', '[']))
    })?;
    let after = rest.strip_prefix(word)?.trim_start();
    after_blob(after).unwrap_or(after).strip_prefix(':')
}

/// `subj-blob`: brackets without brackets in them, and the white space after.
fn after_blob(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(['[', ']'])?;
    inside.get(end..)?.strip_prefix(']').map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_replies_and_forwards_go() {
        for (subject, base, is_reply) in [
            ("moth", "moth", false),
            ("Re: moth", "moth", true),
            ("RE : moth", "moth", true),
            ("re: re: Fwd: FW: moth", "moth", true),
            ("Re[4]: moth", "moth", true),
            ("[team] moth", "moth", false),
            ("[team] [x] Re: [team] moth", "moth", true),
            ("Re: [team]", "[team]", true),
            ("[team]", "[team]", false),
            ("moth (fwd) (FWD)", "moth", true),
            ("[Fwd: moth]", "moth", true),
            ("[Fwd: [Fwd: Re: moth (fwd)]]", "moth", true),
            ("  the\t moth\r\n flies ", "the moth flies", false),
            ("regarding: moth", "regarding: moth", false),
            ("Re:", "", true),
            ("(fwd)", "", true),
            ("", "", false),
            ("[a[b] moth", "[a[b] moth", false),
            ("ŻÓŁW", "żółw", false),
        ] {
            let found = base_subject(subject);
            assert_eq!((found.text.as_str(), found.is_reply), (base, is_reply), "{subject:?}");
        }
    }

    #[test]
    fn floods_end_soon() {
        for unit in ["[", "[]", "re:", "re", "(fwd)", "[fwd:", "] ", "[fwd:]"] {
            let subject = unit.repeat(1 << 15);
            assert!(base_subject(&subject).text.len() <= subject.len(), "{unit}");
        }
    }
}
