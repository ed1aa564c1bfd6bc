//! The Python door of Mailtide: convert, call, convert. What users see is in `python/mailtide`.

// What Python passes is owned by the call.
#![allow(clippy::needless_pass_by_value)]

mod account;
mod address;
mod archive;
mod attachment;
mod bridge;
mod bulk;
mod bytes;
mod call;
mod callback;
mod cli;
mod dates;
mod draft;
mod engine;
mod errors;
mod feed;
mod flags;
mod headers;
mod info;
mod light;
mod local;
mod mail;
mod mailbox;
mod mailboxes;
mod message;
mod messages;
mod options;
mod query;
mod reference;
mod runtime;
mod selection;
mod session;
mod stream;
mod target;
mod uidset;
mod watch;

/// Messages are made on the engine's threads and dropped on the caller's. The C library's allocator grows such threads'
/// memory by a system call for every few kilobytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The native half of the package `mailtide`; not for direct use.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::account::AccountSetup;
    #[pymodule_export]
    use crate::address::Address;
    #[pymodule_export]
    use crate::attachment::Attachment;
    #[pymodule_export]
    use crate::bytes::Bytes;
    #[pymodule_export]
    use crate::call::{Call, run_blocking};
    #[pymodule_export]
    use crate::cli::command_line;
    #[pymodule_export]
    use crate::draft::addresses;
    #[pymodule_export]
    use crate::engine::NativeEngine;
    #[pymodule_export]
    use crate::errors::{codes, make_error};
    #[pymodule_export]
    use crate::feed::{Feed, Source};
    #[pymodule_export]
    use crate::mail::{NativeMail, repair};
    #[pymodule_export]
    use crate::mailbox::NativeMailbox;
    #[pymodule_export]
    use crate::mailboxes::NativeMailboxes;
    #[pymodule_export]
    use crate::message::Message;
    #[pymodule_export]
    use crate::messages::Fetch;
    #[pymodule_export]
    use crate::query::Q;
    #[pymodule_export]
    use crate::reference::MessageRef;
    #[pymodule_export]
    use crate::runtime::after_fork;
    #[pymodule_export]
    use crate::session::NativeSession;
    #[pymodule_export]
    use crate::stream::Stream;
    #[pymodule_export]
    use crate::uidset::UidSet;
    #[pymodule_export]
    use crate::watch::NativeWatch;

    /// The version of the package.
    #[allow(non_upper_case_globals)]
    #[pymodule_export]
    const version: &str = env!("CARGO_PKG_VERSION");

    /// A child of a fork must know that it is one before anything of ours runs in it.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let register = module.py().import("os")?.getattr("register_at_fork").ok();
        let Some(register) = register else { return Ok(()) };
        let keywords = pyo3::types::PyDict::new(module.py());
        keywords.set_item("after_in_child", module.getattr("after_fork")?)?;
        register.call((), Some(&keywords)).map(drop)
    }
}
