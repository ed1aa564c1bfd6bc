//! `search` over a store: options in; messages of several mailboxes out, with what was found of each.

use crate::columns;
use crate::error::bad_argument;
use crate::queue::Queue;
use crate::reply::{Places, Reply};
use crate::selection::TargetInput;
use mailtide::query::{Query, Snippet};
use mailtide::store::search::SearchOrder;
use mailtide::{MailHit, MailSearchOptions, Message, Selection};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;

/// What to search, and how.
#[napi(object)]
pub struct FindInput {
    pub mailbox: Option<TargetInput>,
    pub order: Option<String>,
    /// No limit where it is not there.
    pub limit: Option<u32>,
    pub snippets: bool,
    pub time_zone: Option<String>,
}

impl FindInput {
    /// The engine's options.
    pub fn into_options(self) -> napi::Result<MailSearchOptions> {
        let parse =
            |word: &str| SearchOrder::parse(word).ok_or_else(|| bad_argument("order is newest, oldest or rank"));
        let order = self.order.as_deref().map_or(Ok(SearchOrder::default()), parse)?;
        let mailbox = self.mailbox.map(TargetInput::into_target).transpose()?;
        let (limit, snippets) = (self.limit.map(|limit| limit as usize), self.snippets);
        Ok(MailSearchOptions { mailbox, order, limit, snippets, time_zone: self.time_zone })
    }
}

/// The query; only a query finds messages in all mailboxes.
pub fn query(selection: Selection) -> napi::Result<Query> {
    match selection {
        Selection::Query(query) => Ok(query),
        _ => Err(bad_argument("A search of all mailboxes takes a query")),
    }
}

/// A batch whose rows are `{batch, places, placeOf, hits: [[score, snippet], …]}`: its messages are of several mailboxes.
pub fn found(hits: Vec<MailHit>, queue: Arc<Queue>) -> Reply {
    let mut places = Places::default();
    let place_of: Vec<usize> = hits.iter().map(|hit| places.of(hit.message.reference())).collect();
    let about: Vec<Value> = hits.iter().map(|hit| json!([hit.score, hit.snippet.as_ref().map(snippet)])).collect();
    let messages: Vec<Message> = hits.into_iter().map(|hit| hit.message).collect();
    let (places, place_of, about) = (places.json(), json!(place_of), json!(about));
    let batch = columns::batch(&messages);
    let rows = format!("{{\"batch\":{batch},\"places\":{places},\"placeOf\":{place_of},\"hits\":{about}}}");
    Reply::Batch(rows, messages, queue)
}

/// `{text, marks, beginsInside, endsInside}`, its marks in UTF-16, as JavaScript counts.
fn snippet(snippet: &Snippet) -> Value {
    let marks = snippet.marks_counted(char::len_utf16).into_iter().map(|mark| json!([mark.start, mark.end]));
    let (text, marks): (_, Value) = (&snippet.text, marks.collect());
    json!({ "text": text, "marks": marks, "beginsInside": snippet.begins_inside, "endsInside": snippet.ends_inside })
}
