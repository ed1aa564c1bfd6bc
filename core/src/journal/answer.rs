//! What a server's NO or BAD means for an intent: by its response code (RFC 5530), else by its words.

use super::{Cause, Intent, Note, Reason, State};
use crate::error::{Code, MailError, Retry};
use crate::imap::Flag;
use crate::planted::{Bug, planted};
use std::time::Duration;

/// What is to be done after a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The intent has ended, or is parked.
    End(State),
    /// Try the same later, after this delay where the server named one.
    Later(Option<Duration>),
    /// It may or may not have been done: what is there decides ([`super::steps`]).
    Doubt,
    /// Nothing was done for a reason that concerns the whole connection: the pass ends, the intent stays as it is.
    Offline,
}

/// Reads the error of a command that an intent sent. `tried` says whether it was sent before without an answer: then
/// "it is there already" is our own doing.
#[must_use]
pub fn read(intent: &Intent, error: &MailError, tried: bool) -> Answer {
    match error.code() {
        Code::NetLost | Code::NetTimeout | Code::ServerBye | Code::ServerProtocol => return Answer::Doubt,
        Code::NetConnect | Code::NetDns | Code::NetTls | Code::NetTampered | Code::UsageClosed | Code::Cancelled => {
            return Answer::Offline;
        }
        Code::AuthRejected | Code::AuthTokenExpired | Code::AuthMissing | Code::AuthNoMechanism => {
            return Answer::Offline;
        }
        // It was our own disk that failed: the server has said nothing.
        code if is_own(code) => return Answer::Offline,
        _ => {}
    }
    let text = error.context().server.as_deref().unwrap_or_default();
    let said = error.context().server_code.as_deref().unwrap_or_default().to_ascii_uppercase();
    match by_code(&said).or_else(|| by_error(error)).unwrap_or_else(|| by_words(text)) {
        Meaning::Later => Answer::Later(suggested(error)),
        Meaning::Gone => Answer::Doubt,
        Meaning::There => there(intent, tried),
        Meaning::NotThere => not_there(intent, tried, text),
        Meaning::Limit => limit(intent, error, tried, text),
        Meaning::No(reason) => park(reason, text),
        Meaning::Bare => park(bare(intent, error), text),
    }
}

/// Whether an error is this side's, so that nothing follows from it for what was to be done there.
#[must_use]
pub fn is_own(code: Code) -> bool {
    code == Code::Internal || code.as_str().starts_with("store.")
}

/// A parked state with the server's words, of bounded length.
fn park(reason: Reason, text: &str) -> Answer {
    if planted(Bug::RefusalIsSuccess) {
        return Answer::End(State::Applied { note: None });
    }
    let server = Some(text.chars().take(500).collect::<String>()).filter(|text| !text.is_empty());
    Answer::End(State::Parked { reason, server })
}

#[derive(Clone, Copy)]
enum Meaning {
    Later,
    /// The message is gone, or may be.
    Gone,
    /// The mailbox is there already.
    There,
    /// The mailbox is not there.
    NotThere,
    /// A limit of the server.
    Limit,
    No(Reason),
    /// Nothing is known but that it was refused.
    Bare,
}

fn by_code(code: &str) -> Option<Meaning> {
    Some(match code {
        "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "THROTTLED" | "INPROGRESS" => Meaning::Later,
        "EXPUNGEISSUED" => Meaning::Gone,
        "ALREADYEXISTS" => Meaning::There,
        "NONEXISTENT" | "TRYCREATE" => Meaning::NotThere,
        "LIMIT" => Meaning::Limit,
        "OVERQUOTA" => Meaning::No(Reason::OverQuota),
        "TOOBIG" => Meaning::No(Reason::TooBig),
        "NOPERM" | "AUTHORIZATIONFAILED" => Meaning::No(Reason::NotPermitted),
        "READ-ONLY" => Meaning::No(Reason::ReadOnly),
        "HASCHILDREN" => Meaning::No(Reason::MailboxChanged),
        "CORRUPTION" | "CONTACTADMIN" => Meaning::No(Reason::Refused),
        "CANNOT" | "CLIENTBUG" => Meaning::Bare,
        _ => return None,
    })
}

/// What the session has made of it where it knows more than the text.
fn by_error(error: &MailError) -> Option<Meaning> {
    Some(match error.code() {
        Code::ServerThrottled | Code::ServerUnavailable => Meaning::Later,
        Code::MailboxReadOnly | Code::UsageReadOnly => Meaning::No(Reason::ReadOnly),
        Code::MailboxMissing => Meaning::NotThere,
        Code::MailboxExists => Meaning::There,
        Code::ServerOverQuota => Meaning::No(Reason::OverQuota),
        Code::ServerUnsupported => Meaning::No(Reason::Unsupported),
        Code::BodyNotHere | Code::MessageMissing => Meaning::No(Reason::BodyMissing),
        _ => return None,
    })
}

/// Many servers give no code. The words are those of Exchange, Gmail, Yahoo, Courier, Cyrus, Dovecot and Domino.
fn by_words(text: &str) -> Meaning {
    const WORDS: &[(&str, Meaning)] = &[
        ("throttled", Meaning::Later),
        ("backoff time", Meaning::Later),
        ("too many", Meaning::Later),
        ("try again", Meaning::Later),
        ("temporar", Meaning::Later),
        ("server error", Meaning::Later),
        ("internal error", Meaning::Later),
        ("server busy", Meaning::Later),
        ("server unavailable", Meaning::Later),
        ("is locked", Meaning::Later),
        ("timed out", Meaning::Later),
        ("quota", Meaning::No(Reason::OverQuota)),
        ("no space left", Meaning::No(Reason::OverQuota)),
        ("disk full", Meaning::No(Reason::OverQuota)),
        ("too large", Meaning::No(Reason::TooBig)),
        ("too big", Meaning::No(Reason::TooBig)),
        ("maximum message size", Meaning::No(Reason::TooBig)),
        ("size limit", Meaning::No(Reason::TooBig)),
        ("read-only", Meaning::No(Reason::ReadOnly)),
        ("read only", Meaning::No(Reason::ReadOnly)),
        ("permission", Meaning::No(Reason::NotPermitted)),
        ("not permitted", Meaning::No(Reason::NotPermitted)),
        ("not allowed", Meaning::No(Reason::NotPermitted)),
        ("access denied", Meaning::No(Reason::NotPermitted)),
        ("already exists", Meaning::There),
        ("mailbox exists", Meaning::There),
        ("does not exist", Meaning::NotThere),
        ("doesn't exist", Meaning::NotThere),
        ("no such mailbox", Meaning::NotThere),
        ("unknown mailbox", Meaning::NotThere),
        ("no longer exist", Meaning::Gone),
        ("have been deleted", Meaning::Gone),
        ("expunged", Meaning::Gone),
    ];
    let text = text.to_ascii_lowercase();
    WORDS.iter().find(|(word, _)| text.contains(word)).map_or(Meaning::Bare, |(_, meaning)| *meaning)
}

fn suggested(error: &MailError) -> Option<Duration> {
    match error.retry() {
        Retry::Later(delay) => delay,
        _ => None,
    }
}

fn there(intent: &Intent, tried: bool) -> Answer {
    match intent {
        Intent::CreateMailbox { .. } if tried => Answer::End(State::Applied { note: None }),
        Intent::CreateMailbox { .. } => Answer::End(State::Superseded { by: Cause::AlreadySo }),
        Intent::RenameMailbox { .. } if tried => Answer::Doubt,
        _ => Answer::End(State::Parked { reason: Reason::MailboxExists, server: None }),
    }
}

fn not_there(intent: &Intent, tried: bool, text: &str) -> Answer {
    match intent {
        Intent::DeleteMailbox { .. } | Intent::Unsubscribe { .. } if tried => {
            Answer::End(State::Applied { note: None })
        }
        Intent::DeleteMailbox { .. } | Intent::Unsubscribe { .. } => {
            Answer::End(State::Superseded { by: Cause::AlreadySo })
        }
        Intent::RenameMailbox { .. } if tried => Answer::Doubt,
        Intent::RenameMailbox { .. } => Answer::End(State::Superseded { by: Cause::MailboxGone }),
        _ => park(Reason::MailboxMissing, text),
    }
}

/// `[LIMIT]` (RFC 5530): for keywords alone, and said again later, that there is no room for one more; else that it is too
/// much for now. There is always room for what the server itself defines.
fn limit(intent: &Intent, error: &MailError, tried: bool, text: &str) -> Answer {
    match intent {
        Intent::Flag { add, remove, .. } if tried && remove.is_empty() && !add.iter().any(Flag::is_system) => {
            Answer::End(State::Applied { note: Some(Note::KeptHere) })
        }
        Intent::CreateMailbox { .. } => park(Reason::Refused, text),
        _ => Answer::Later(suggested(error)),
    }
}

/// A refusal without a reason: what was most likely wrong with a command of this kind.
fn bare(intent: &Intent, error: &MailError) -> Reason {
    match intent {
        Intent::Append { .. } if error.code() == Code::ServerBad => Reason::MessageRefused,
        Intent::CreateMailbox { .. } | Intent::RenameMailbox { .. } => Reason::NameRefused,
        _ => Reason::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{append, create, flag, move_to, remove_mailbox, rename};

    fn no(code: &str, text: &str) -> MailError {
        MailError::new(Code::ServerRefused, "refused").with(|context| {
            context.server = Some(text.to_owned());
            context.server_code = Some(code.to_owned()).filter(|code| !code.is_empty());
        })
    }

    fn shown(answer: &Answer) -> String {
        match answer {
            Answer::End(State::Parked { reason, .. }) => format!("parked {}", reason.as_str()),
            Answer::End(State::Applied { note }) => format!("applied {}", note.map_or("", Note::as_str)),
            Answer::End(State::Superseded { by }) => format!("superseded {}", by.as_str()),
            Answer::End(state) => state.to_string(),
            Answer::Later(_) => "later".to_owned(),
            Answer::Doubt => "doubt".to_owned(),
            Answer::Offline => "offline".to_owned(),
        }
    }

    #[test]
    fn every_no_that_servers_are_known_for_has_its_meaning() {
        let (flag, append) = (flag(5, &["$Label1"], &[]), append(9));
        let (create, rename, remove) = (create("A"), rename("A", "B"), remove_mailbox("A", None));
        let table: &[(&Intent, &str, &str, &str)] = &[
            (&append, "OVERQUOTA", "Quota exceeded (mailbox for user is full)", "parked over_quota"),
            (&append, "", "Quota exceeded", "parked over_quota"),
            (&append, "", "Mailbox is full: no space left on device", "parked over_quota"),
            (&append, "TRYCREATE", "Mailbox doesn't exist: Nowhere", "parked mailbox_missing"),
            (&append, "NONEXISTENT", "Unknown Mailbox: Nowhere (Failure)", "parked mailbox_missing"),
            (&append, "TOOBIG", "Message size exceeds fixed maximum message size", "parked too_big"),
            (&append, "", "APPEND failed: maximum message size exceeded", "parked too_big"),
            (&append, "", "Message too large", "parked too_big"),
            (&append, "LIMIT", "Too many messages today", "later"),
            (&append, "UNAVAILABLE", "Internal error occurred", "later"),
            (&append, "INUSE", "Mailbox is in use", "later"),
            (&append, "SERVERBUG", "UID FETCH Server error - Please try again later", "later"),
            (&append, "", "Server Unavailable. 15", "later"),
            (&append, "", "Mailbox is locked by POP server", "later"),
            (&append, "", "Timed out waiting for the mailbox lock", "later"),
            (&append, "NOPERM", "Permission denied", "parked not_permitted"),
            (&append, "", "Access denied", "parked not_permitted"),
            (&append, "CONTACTADMIN", "Account is locked", "parked refused"),
            (&append, "", "Cannot be done. 17", "parked refused"),
            (&flag, "LIMIT", "Too many keywords", "later"),
            (&flag, "READ-ONLY", "Mailbox is read-only", "parked read_only"),
            (&flag, "", "Mailbox is read only", "parked read_only"),
            (&flag, "CANNOT", "Cannot store flags", "parked refused"),
            (&flag, "EXPUNGEISSUED", "Some of the requested messages no longer exist.", "doubt"),
            (&flag, "", "Some messages have been deleted by another session", "doubt"),
            (&flag, "", "Too many simultaneous connections. (Failure)", "later"),
            (&create, "ALREADYEXISTS", "Mailbox already exists", "superseded already_so"),
            (&create, "CANNOT", "Invalid mailbox name", "parked name_refused"),
            (&create, "LIMIT", "Too many mailboxes", "parked refused"),
            (&rename, "ALREADYEXISTS", "Target exists", "parked mailbox_exists"),
            (&rename, "NONEXISTENT", "Mailbox doesn't exist", "superseded mailbox_gone"),
            (&remove, "NONEXISTENT", "Mailbox doesn't exist", "superseded already_so"),
            (&remove, "HASCHILDREN", "Mailbox has children", "parked mailbox_changed"),
            (&remove, "", "Mailbox does not exist", "superseded already_so"),
        ];
        for (intent, code, text, wanted) in table {
            let answer = read(intent, &no(code, text), false);
            assert_eq!(shown(&answer), *wanted, "{} [{code}] {text}", intent.kind());
        }
    }

    #[test]
    fn a_keyword_stays_here_alone_when_there_is_no_room_for_it_twice() {
        let error = no("LIMIT", "Too many keywords");
        let flags = |add: &[&str], remove: &[&str]| shown(&read(&flag(5, add, remove), &error, true));
        assert_eq!(flags(&["$Label1"], &[]), "applied kept_here");
        // Too many operations for now, perhaps: what would be lost with it must be tried again.
        assert_eq!(flags(&["\\Answered"], &[]), "later");
        assert_eq!(flags(&["\\Answered", "$Label1"], &[]), "later");
        assert_eq!(flags(&["$Label1"], &["\\Seen"]), "later");
    }

    #[test]
    fn what_is_there_after_a_lost_answer_is_our_own_doing() {
        let (exists, missing) = (no("ALREADYEXISTS", ""), no("NONEXISTENT", ""));
        assert_eq!(shown(&read(&create("A"), &exists, true)), "applied ");
        assert_eq!(shown(&read(&remove_mailbox("A", None), &missing, true)), "applied ");
        assert_eq!(shown(&read(&rename("A", "B"), &missing, true)), "doubt");
        assert_eq!(shown(&read(&rename("A", "B"), &exists, true)), "doubt");
    }

    #[test]
    fn exchange_is_waited_for_as_long_as_it_says() {
        let wait = Duration::from_millis(299_961);
        let error = no("", "Request is throttled. Suggested Backoff Time: 299961 milliseconds");
        assert_eq!(read(&append(9), &error, false), Answer::Later(None), "the words alone");
        let error = MailError::new(Code::ServerThrottled, "throttled").with_retry(Retry::Later(Some(wait)));
        assert_eq!(read(&append(9), &error, false), Answer::Later(Some(wait)));
    }

    #[test]
    fn a_lost_connection_leaves_doubt_and_no_connection_leaves_none() {
        let doubt = [Code::NetLost, Code::NetTimeout, Code::ServerBye, Code::ServerProtocol];
        let offline = [Code::NetConnect, Code::NetDns, Code::NetTls, Code::AuthRejected, Code::Cancelled];
        for code in doubt {
            assert_eq!(read(&move_to(5, 9), &code.into(), false), Answer::Doubt);
        }
        for code in offline {
            assert_eq!(read(&move_to(5, 9), &code.into(), false), Answer::Offline);
        }
    }

    #[test]
    fn a_disk_that_fails_is_no_answer_of_the_server() {
        for code in [Code::StoreIo, Code::StoreFull, Code::StoreLocked, Code::StoreDamaged, Code::StoreLeaseLost] {
            assert_eq!(read(&append(9), &code.into(), false), Answer::Offline, "{code:?}");
        }
        assert_eq!(shown(&read(&append(9), &Code::BodyNotHere.into(), false)), "parked body_missing");
    }

    #[test]
    fn a_line_that_the_server_does_not_take_is_the_messages_fault() {
        let bad = MailError::new(Code::ServerBad, "bad").with(|c| c.server = Some("Command Argument Error. 11".into()));
        assert_eq!(shown(&read(&append(9), &bad, false)), "parked message_refused");
        let unsupported = MailError::new(Code::ServerUnsupported, "no UIDPLUS");
        assert_eq!(shown(&read(&append(9), &unsupported, false)), "parked unsupported");
    }
}
