//! A live session: opening a connection, and one task that owns it.

mod account;
mod credentials;
mod guard;
mod guard_script;
mod link;
mod open;
mod redact;
mod refusal;
mod starttls;

pub use account::Account;
pub use credentials::{
    Credentials, PasswordCallback, PasswordRequest, Token, TokenCallback, TokenReason, TokenRequest,
};
