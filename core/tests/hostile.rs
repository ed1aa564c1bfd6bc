//! Sessions with servers that lie, refuse, stall and hang up. Every call gives the whole right result or a typed error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]

mod support;

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/cut.rs"]
mod cut;
#[path = "hostile/given_up.rs"]
mod given_up;
#[path = "hostile/refs.rs"]
mod refs;
#[path = "hostile/refused.rs"]
mod refused;
#[path = "hostile/runs.rs"]
mod runs;
#[path = "hostile/script.rs"]
mod script;
#[path = "hostile/secrets.rs"]
mod secrets;
#[path = "hostile/watch.rs"]
mod watch;
#[path = "hostile/wrong.rs"]
mod wrong;
