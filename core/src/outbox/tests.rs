//! The outbox against receivers of ours: what it is sent, cut, refused and told, and what comes of it.

mod codes;
mod crash;
mod cut;
mod dialogue;
mod killed;
mod real;
mod sending;
mod sink;
mod smuggling;
mod starttls;
mod stored;
mod support;
