//! The outbox against receivers of ours: what it is sent, cut, refused and told, and what comes of it.

mod codes;
mod crash;
mod cut;
mod dialogue;
mod sending;
mod sink;
mod smuggling;
mod starttls;
mod support;

// The scripted server and the certificates that opening a session is tested with.
#[allow(dead_code, reason = "not everything in it is needed here")]
#[path = "../session/open/tests/server.rs"]
mod server;
