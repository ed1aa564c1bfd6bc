//! Runs histories with the reference engine and says what it finds:
//! `simulate N=20000 SEED=1 BUG=BlindAppend REPLAY=line PERSONALITY=cyrus`.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use mailtide_simulation::reference::{Bug, Reference};
use mailtide_simulation::runner::{Options, main_with};

fn main() -> std::process::ExitCode {
    let options = Options::from_args(std::env::args().skip(1));
    let bug = options.word("BUG").and_then(Bug::named);
    main_with(&options, &Reference { bug })
}
