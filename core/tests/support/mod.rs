//! What the tests against misbehaving servers share.
#![allow(dead_code)]

pub mod answer;
pub mod faults;
pub mod server;
pub mod store;
pub mod strict;
