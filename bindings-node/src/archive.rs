//! `export` and `import`: options in, reports out as JSON.

use crate::error::bad_argument;
use crate::options::progress;
use crate::queue::Queue;
use crate::selection::TargetInput;
use mailtide::archive::MboxQuoting;
use mailtide::{ArchiveFormat, ExportOptions, Exported, ImportOptions, Imported, Selection};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;

/// What to export, and as what.
#[napi(object)]
pub struct ExportInput {
    pub format: Option<String>,
    pub mailbox: Option<TargetInput>,
    pub time_zone: Option<String>,
    pub progress: Option<u32>,
}

/// How to import.
#[napi(object)]
pub struct ImportInput {
    pub to: Option<TargetInput>,
    pub quoting: Option<String>,
    pub progress: Option<u32>,
}

impl ExportInput {
    /// The engine's options.
    pub fn into_options(self, query: Selection, queue: &Arc<Queue>) -> napi::Result<ExportOptions> {
        let on_progress = self.progress.map(|id| progress(queue.callback(id)));
        let parse = |word: &str| ArchiveFormat::parse(word).ok_or_else(|| bad_argument("format is mbox or maildir"));
        let query = match query {
            Selection::Query(query) => Some(query),
            Selection::All => None,
            _ => return Err(bad_argument("query is a query, for all mailboxes alike")),
        };
        let format = self.format.as_deref().map_or(Ok(ArchiveFormat::default()), parse)?;
        let mailbox = self.mailbox.map(TargetInput::into_target).transpose()?;
        Ok(ExportOptions { format, mailbox, query, time_zone: self.time_zone, on_progress })
    }
}

impl ImportInput {
    /// The engine's options.
    pub fn into_options(self, queue: &Arc<Queue>) -> napi::Result<ImportOptions> {
        let on_progress = self.progress.map(|id| progress(queue.callback(id)));
        let parse = |word: &str| MboxQuoting::parse(word).ok_or_else(|| bad_argument("quoting is rd, o or none"));
        let quoting = self.quoting.as_deref().map_or(Ok(MboxQuoting::default()), parse)?;
        Ok(ImportOptions { to: self.to.map(TargetInput::into_target).transpose()?, quoting, on_progress })
    }
}

pub fn exported_json(done: Exported) -> Value {
    json!({ "mailboxes": done.mailboxes, "messages": done.messages, "bytes": done.bytes })
}

pub fn imported_json(done: Imported) -> Value {
    json!({ "messages": done.messages, "known": done.known, "bytes": done.bytes })
}
