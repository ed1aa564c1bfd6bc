//! The engine itself in the simulation: `cargo run --example simulate-engine -- N=1000 SEED=1`, and what `simulate` takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../tests/real/mod.rs"]
mod real;

use mailtide_simulation::runner::{Options, main_with};

fn main() -> std::process::ExitCode {
    main_with(&Options::from_args(std::env::args().skip(1)), &real::Real)
}
