//! Errors as JSON, the one shape in which they cross; `ts/errors.ts` makes them classes again.

use crate::reply::bulk_json;
use mailtide::{Code, MailError, Retry};
use napi_derive::napi;
use serde_json::{Value, json};

/// An error as plain data. Absent context is left out.
pub fn error_json(error: &MailError) -> Value {
    let context = error.context();
    let after = match error.retry() {
        Retry::Later(Some(delay)) => Some(delay.as_millis() as u64),
        _ => None,
    };
    json!({
        "code": error.code().as_str(),
        "message": error.to_string(),
        "retry": error.retry().as_str(),
        "retryAfter": after,
        "context": {
            "host": context.host,
            "mailbox": context.mailbox,
            "uid": context.uid,
            "command": context.command,
            "server": context.server,
            "serverCode": context.server_code,
            "position": context.position,
            "hint": context.hint,
        },
        "result": error.bulk().map(bulk_json),
    })
}

/// An error thrown by a call that does not wait. Its message is the JSON.
pub fn thrown(error: &MailError) -> napi::Error {
    napi::Error::from_reason(error_json(error).to_string())
}

/// A wrong argument, in the shape of every other error.
pub fn bad_argument(message: impl Into<String>) -> napi::Error {
    thrown(&MailError::new(Code::UsageArgument, message))
}

/// Every code that an error can carry.
#[napi]
pub fn codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.as_str()).collect()
}
