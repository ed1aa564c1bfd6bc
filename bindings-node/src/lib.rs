//! The Node door of Mailtide: convert, call, convert.
//!
//! One file per noun. Classes here are handles; what users see is in `ts/`.

// napi's macros expand to unsafe code; none is written here.
#![allow(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bridge;
mod error;
mod queue;
mod reply;
