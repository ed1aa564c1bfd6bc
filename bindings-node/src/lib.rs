//! The Node door of Mailtide: convert, call, convert.
//!
//! One file per noun. Classes here are handles; what users see is in `ts/`.

// napi's macros expand to unsafe code; none is written here.
#![allow(unsafe_code)]
// napi hands arguments over by value; and what it registers looks unused in a test build.
#![allow(clippy::needless_pass_by_value)]
#![cfg_attr(test, allow(dead_code))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod account;
mod append;
mod archive;
mod bridge;
mod cli;
mod columns;
mod draft;
mod engine;
mod error;
mod info;
mod json;
mod local;
mod mail;
mod mailbox;
mod mailboxes;
mod messages;
mod options;
mod query;
mod queue;
mod reply;
mod selection;
mod session;
mod stream;
mod watch;

/// Messages are made on the engine's threads and dropped on the caller's. The C library's allocator grows such threads'
/// memory by a system call for every few kilobytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
