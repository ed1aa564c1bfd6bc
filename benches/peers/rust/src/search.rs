//! The local mailbox in the benchmarks, once it is in step (`sync-search`): how soon it is open, how long lists of 50 and
//! searches take.

#[path = "../../../../core/examples/figures/mix.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "the same queries as an example of the library asks")]
mod mix;

use super::sync::{held, open};
use super::{Result, Settings, say};
use mailtide::query::Query;
use mailtide::store::search::{SearchOptions, SearchOrder};
use mailtide::store::{Page, Store};
use mailtide::{Engine, EngineOptions};
use serde_json::json;
use std::time::{Duration, Instant};

/// Lists that are timed.
const LISTS: usize = 200;

/// Opens the store in `BENCH_DIR`, lists its mailbox, and asks every query once for the first 50 hits.
pub async fn figures(settings: &Settings) -> Result<()> {
    let begun = Instant::now();
    let mail =
        open(settings, "ada.mail", Engine::new(EngineOptions::default(), tokio::runtime::Handle::current())).await?;
    let opened = begun.elapsed();
    let store = mail.store().store();
    let lists = lists(&**store, &settings.mailbox)?;
    let now = "2024-06-01T12:00:00+00:00[UTC]".parse()?;
    let options = SearchOptions { mailbox: None, limit: Some(50), order: SearchOrder::Newest };
    let mut searches = Vec::new();
    for (_, text) in mix::mix(&**store) {
        let query = Query::parse(&text)?;
        let begun = Instant::now();
        mail.store().searcher().search(&*store.read()?, &query, &now, &options)?;
        searches.push((begun.elapsed(), text));
    }
    searches.sort();
    let (_, messages) = held(&mail).await?;
    let worst: Vec<_> = searches.iter().rev().take(5).map(|(time, text)| json!([ms(*time), text])).collect();
    let times: Vec<Duration> = searches.into_iter().map(|(time, _)| time).collect();
    mail.close().await?;
    say(&json!({
        "seconds": settings.started.elapsed().as_secs_f64(), "messages": messages, "bytes": 0, "open_ms": ms(opened),
        "list_ms": at(&lists, 50), "search_median_ms": at(&times, 50), "search_p99_ms": at(&times, 99), "worst": worst,
    })
    .to_string())
}

fn lists(store: &dyn Store, mailbox: &str) -> Result<Vec<Duration>> {
    let id = store.read()?.mailbox_named(mailbox)?.ok_or("the mailbox is not there")?.id;
    let mut times = Vec::new();
    for _ in 0..LISTS {
        let begun = Instant::now();
        store.read()?.list(id, Page { after: None, limit: 50, newest_first: true })?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times)
}

/// So many per cent took no longer, in milliseconds.
fn at(times: &[Duration], part: usize) -> f64 {
    times.get(times.len() * part / 100).copied().map_or(0.0, ms)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
