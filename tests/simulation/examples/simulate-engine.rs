//! The engine itself in the simulation: `cargo run --example simulate-engine -- N=1000 SEED=1`, and what `simulate` takes;
//! `BUG=` names a mistake of `core/src/planted.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../tests/real/mod.rs"]
mod real;

use mailtide::Bug;
use mailtide_simulation::runner::{Options, main_with};

fn main() -> std::process::ExitCode {
    let options = Options::from_args(std::env::args().skip(1));
    let bug = options.word("BUG").map(|name| Bug::named(name).expect("a mistake of that name"));
    main_with(&options, &real::Real { bug })
}
