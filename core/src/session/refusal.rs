//! What a NO, BAD or BYE means, from its response code and, where servers give none, from its words.

use crate::error::{Code, MailError, Retry};
use crate::imap::{ResponseCode, Status};
use std::time::Duration;

/// The error for a tagged NO or BAD.
pub(crate) fn refused(command: &str, status: Status, code: Option<&ResponseCode>, text: &str) -> MailError {
    let kind = code.and_then(by_code).or_else(|| by_words(text)).unwrap_or(match status {
        Status::Bad => Code::ServerBad,
        _ => Code::ServerRefused,
    });
    let said = if status == Status::Bad { "did not accept" } else { "refused" };
    describe(MailError::new(kind, format!("The server {said} {command}")), command, code, text)
}

/// The error for a connection that the server ends with BYE.
pub(crate) fn farewell(code: Option<&ResponseCode>, text: &str) -> MailError {
    let kind = code.and_then(by_code).or_else(|| by_words(text)).filter(|c| *c == Code::ServerThrottled);
    describe(MailError::new(kind.unwrap_or(Code::ServerBye), "The server closes the connection"), "", code, text)
}

fn describe(error: MailError, command: &str, code: Option<&ResponseCode>, text: &str) -> MailError {
    let delay = suggested_delay(text);
    let error = if error.code() == Code::ServerThrottled { error.with_retry(Retry::Later(delay)) } else { error };
    error.with(|context| {
        context.command = Some(command.to_owned()).filter(|c| !c.is_empty());
        context.server = Some(text.chars().take(500).collect());
        context.server_code = code.map(|c| c.name().to_owned());
    })
}

fn by_code(code: &ResponseCode) -> Option<Code> {
    Some(match code {
        ResponseCode::NonExistent | ResponseCode::TryCreate => Code::MailboxMissing,
        ResponseCode::AlreadyExists => Code::MailboxExists,
        ResponseCode::HasChildren => Code::MailboxNotEmpty,
        ResponseCode::OverQuota => Code::ServerOverQuota,
        ResponseCode::Unavailable | ResponseCode::InUse | ResponseCode::ServerBug => Code::ServerUnavailable,
        ResponseCode::Limit => Code::ServerThrottled,
        ResponseCode::AuthenticationFailed | ResponseCode::AuthorizationFailed => Code::AuthRejected,
        ResponseCode::Expired => Code::AuthTokenExpired,
        ResponseCode::ReadOnly => Code::MailboxReadOnly,
        _ if code.name().eq_ignore_ascii_case("THROTTLED") => Code::ServerThrottled,
        _ => return None,
    })
}

/// Gmail, Exchange and others say it in words only.
fn by_words(text: &str) -> Option<Code> {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if says(&["throttled", "too many simultaneous", "too many connections", "rate limit", "backoff time"]) {
        Some(Code::ServerThrottled)
    } else if says(&["server unavailable", "temporarily unavailable", "internal error", "try again later"]) {
        Some(Code::ServerUnavailable)
    } else if says(&[
        "mailbox doesn't exist",
        "mailbox does not exist",
        "no such mailbox",
        "unknown mailbox",
        "nonexistent",
    ]) {
        Some(Code::MailboxMissing)
    } else if says(&["mailbox already exists", "mailbox exists"]) {
        Some(Code::MailboxExists)
    } else if says(&["over quota", "quota exceeded"]) {
        Some(Code::ServerOverQuota)
    } else {
        None
    }
}

/// `Suggested Backoff Time: 299961 milliseconds` (Exchange), at most 15 minutes.
fn suggested_delay(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("Backoff Time:")?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    let delay = Duration::from_millis(digits.parse().ok()?);
    Some(delay.min(Duration::from_secs(15 * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_names_its_delay_and_the_error_carries_it() {
        let text = "Request is throttled. Suggested Backoff Time: 299961 milliseconds";
        let error = refused("UID FETCH", Status::Bad, None, text);
        assert_eq!(error.code(), Code::ServerThrottled);
        assert_eq!(error.retry(), Retry::Later(Some(Duration::from_millis(299_961))));
        assert_eq!(error.context().server.as_deref(), Some(text));
    }

    #[test]
    fn a_code_says_more_than_the_words() {
        let error = refused("SELECT", Status::No, Some(&ResponseCode::NonExistent), "server unavailable");
        assert_eq!(error.code(), Code::MailboxMissing);
        assert_eq!(refused("NOOP", Status::Bad, None, "what?").code(), Code::ServerBad);
        assert_eq!(refused("NOOP", Status::No, None, "no").code(), Code::ServerRefused);
    }
}
