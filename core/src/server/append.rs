//! APPEND, of one message or several in one transaction (RFC 9051 section 6.3.12, RFC 3502, RFC 4315).

use super::command::{Mail, NewMail};
use super::now;
use super::reply::{Handled, News, Refusal, Reply};
use super::select::usable;
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::{InternalDate, UidSet};
use crate::store::{Flags, NewMessage, Writer, body, change, describe};
use bytes::Bytes;

/// A message that is to be added.
struct Incoming {
    raw: Bytes,
    flags: Flags,
    new: NewMessage,
}

impl Session {
    pub(super) async fn append(&mut self, name: String, messages: Vec<NewMail>, apart: Vec<Bytes>) -> Handled {
        let limit = self.append_limit();
        let described = tokio::task::spawn_blocking(move || incoming(messages, apart, limit)).await;
        let described = described.map_err(|_| Refusal::no("SERVERBUG", "The message could not be read"))??;
        let add = move |writer: &mut dyn Writer| {
            let row = usable(writer, &name)?;
            let mut uids = UidSet::new();
            for Incoming { raw, flags, new } in described {
                let body = body::put(writer, &raw, &new.headers.header, now())?;
                uids.insert(change::append(writer, row.id, (&new, body), flags, now())?);
            }
            Ok((row.uid_validity, uids))
        };
        let (uid_validity, uids) = self.write(add).await.map_err(Refusal::try_create)?;
        let code = format!("APPENDUID {uid_validity} {uids}");
        Ok(Reply::ok("The message is there").code(code).news(News::All))
    }
}

/// What a server says of each, made of its bytes.
fn incoming(messages: Vec<NewMail>, apart: Vec<Bytes>, limit: u32) -> Result<Vec<Incoming>> {
    let mut apart = apart.into_iter();
    let mut all = Vec::with_capacity(messages.len());
    for NewMail { flags, date, body } in messages {
        let raw = match body {
            Mail::Here(raw) => raw,
            Mail::Apart => apart.next().ok_or_else(|| MailError::from(Code::Internal))?,
        };
        if raw.is_empty() {
            return Err(MailError::new(Code::UsageArgument, "A message is not empty"));
        }
        if raw.len() as u64 > u64::from(limit) {
            return Err(MailError::new(Code::LimitExceeded, "The message is too large"));
        }
        let received = date.unwrap_or(InternalDate { seconds: now().seconds(), offset: 0 });
        all.push(Incoming { new: describe(&raw, received), raw, flags });
    }
    Ok(all)
}
