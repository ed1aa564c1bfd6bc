//! The program `mailtide`; what it does is in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(mailtide::cli::run(std::env::args_os().skip(1)))
}
