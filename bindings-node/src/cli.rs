//! The command line of the package.

use napi_derive::napi;
use std::ffi::OsString;

/// Does what was typed, and returns the exit code. The thread is taken until then; Ctrl-C is handled by it.
#[napi]
pub fn command_line(args: Vec<String>) -> u32 {
    mailtide::cli::run(args.into_iter().map(OsString::from)).into()
}
