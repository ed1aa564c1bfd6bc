//! SEARCHRES (RFC 5182): what a search has found stays on the server, and the next command names it by `$`.
//!
//! The set belongs to a connection and its open mailbox: the next search that saves, and every SELECT, puts another in
//! its place. So search and use must go out together, with nothing of others between them.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, FetchItem, FetchModifiers, SearchOptions, SearchReturn};
use crate::imap::{Capabilities, ResponseCode, SearchKey};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "SEARCHRES",
    rfc: 5182,
    about: "Nothing so far: all that a search finds would come in one answer, and the engine asks in windows",
    fallback: "The UIDs are told first, and then sent back with each FETCH",
};

/// The search that saves what it finds and tells it as well, and the FETCH of just those, to be sent without waiting.
/// `None` for a server that lacks it, or the ESEARCH that SAVE is an option of.
///
/// The FETCH of a search that was refused, or not saved ([`is_not_saved`]), finds nothing: its answer says nothing then.
pub fn plan(
    caps: &Capabilities,
    key: &SearchKey,
    utf8: bool,
    items: &[FetchItem],
) -> Result<Option<(Command, Command)>> {
    if !(caps.has("SEARCHRES") && caps.has("ESEARCH")) {
        return Ok(None);
    }
    let returns = vec![SearchReturn::Save, SearchReturn::All];
    let search = command::uid_search(key, &SearchOptions { returns, utf8 })?;
    let fetch = command::uid_fetch(command::Chosen::Saved, items, FetchModifiers::default())?;
    Ok(Some((search, fetch)))
}

/// Whether the server has found messages and not saved them (RFC 5182 section 2.1): it has no room for so many.
#[must_use]
pub fn is_not_saved(code: Option<&ResponseCode>) -> bool {
    matches!(code, Some(ResponseCode::NotSaved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::command::Chosen;
    use crate::imap::extension::tests::{responses, text};
    use crate::imap::{Flag, Response, search_date};
    use jiff::civil::date;

    /// RFC 5182 section 2.2, examples 1 and 2.
    #[test]
    fn a_search_and_its_use_go_out_together() {
        let caps: Capabilities = ["IMAP4rev2"].into_iter().collect();
        let key = SearchKey::And(vec![
            SearchKey::Flagged(Flag::FLAGGED),
            SearchKey::Since(date(1994, 2, 1)),
            SearchKey::Not(Box::new(SearchKey::From("Smith".into()))),
        ]);
        let items = [FetchItem::Uid, FetchItem::InternalDate, FetchItem::Flags];
        let (search, fetch) = plan(&caps, &key, false, &items).unwrap().unwrap();
        assert_eq!(search_date(date(1994, 2, 1)), "1-Feb-1994");
        assert_eq!(text(&search), "UID SEARCH RETURN (SAVE ALL) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"");
        assert_eq!(text(&fetch), "UID FETCH $ (UID INTERNALDATE FLAGS)");
        let narrower = SearchKey::And(vec![SearchKey::Saved, SearchKey::Smaller(4096)]);
        let narrower = command::uid_search(&narrower, &SearchOptions::default()).unwrap();
        assert_eq!(text(&narrower), "UID SEARCH $ SMALLER 4096");
        let copy = command::uid_copy(Chosen::Saved, &crate::imap::MailboxName::new("Other", false)).unwrap();
        assert_eq!(text(&copy), "UID COPY $ Other");
    }

    #[test]
    fn a_server_without_it_is_asked_for_the_numbers_first() {
        for lacking in [&["ESEARCH"][..], &["SEARCHRES"], &[]] {
            let caps: Capabilities = lacking.iter().collect();
            assert_eq!(plan(&caps, &SearchKey::All, false, &[FetchItem::Uid]).unwrap(), None);
        }
    }

    /// RFC 5182 section 2.1.
    #[test]
    fn a_result_that_was_not_saved_is_noticed() {
        let told = responses("A0002 NO [NOTSAVED] too many saved\r\n");
        let Response::Tagged { code, .. } = &told[0] else { panic!("{told:?}") };
        assert!(is_not_saved(code.as_ref()) && !is_not_saved(None));
    }
}
