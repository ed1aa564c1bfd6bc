//! Engines.

use crate::account::AccountInput;
use crate::bridge::Bridge;
use crate::mail::OpenInput;
use crate::queue::{Callback, Queue};
use crate::reply::Reply;
use mailtide::{LogLine, Stats};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Settings, callbacks by their numbers.
#[napi(object)]
pub struct EngineInput {
    pub max_connections: Option<u32>,
    pub logins_per_second: Option<f64>,
    pub logger: Option<u32>,
    pub on_stats: Option<u32>,
}

/// What sessions share.
#[napi]
pub struct Engine {
    queue: Arc<Queue>,
    inner: mailtide::Engine,
}

#[napi]
impl Engine {
    #[napi(constructor)]
    pub fn new(bridge: &Bridge, options: EngineInput) -> Self {
        let queue = bridge.queue();
        let mut settings = mailtide::EngineOptions::default();
        if let Some(most) = options.max_connections {
            settings.max_connections = most as usize;
        }
        settings.logins_per_second = options.logins_per_second;
        settings.logger = options.logger.map(|id| {
            let callback = queue.callback(id);
            Arc::new(move |line: LogLine| log(&callback, &line)) as Arc<dyn Fn(LogLine) + Send + Sync>
        });
        settings.on_stats = options.on_stats.map(|id| {
            let callback = queue.callback(id);
            Arc::new(move |stats: Stats| callback.tell(&stats_json(&stats))) as Arc<dyn Fn(Stats) + Send + Sync>
        });
        let inner = mailtide::Engine::new(settings, queue.runtime().clone());
        Self { queue, inner }
    }

    #[napi]
    pub fn connect(&self, id: u32, account: AccountInput) -> napi::Result<()> {
        let (engine, queue) = (self.inner.clone(), Arc::clone(&self.queue));
        let account = account.into_account(&queue)?;
        self.queue.start(id, async move { Ok(Reply::Session(engine.connect(account).await?, queue)) });
        Ok(())
    }

    #[napi]
    pub fn open(&self, id: u32, path: String, options: OpenInput) -> napi::Result<()> {
        let (mut options, queue) = (options.into_options(&self.queue)?, Arc::clone(&self.queue));
        options.engine = Some(self.inner.clone());
        self.queue.start(id, async move { Ok(Reply::Mail(mailtide::Mail::open(path, options).await?, queue)) });
        Ok(())
    }

    #[napi]
    pub fn close(&self, id: u32, timeout_ms: u32) {
        let (engine, timeout) = (self.inner.clone(), Duration::from_millis(timeout_ms.into()));
        self.queue.start(id, async move { engine.close(timeout).await.map(Reply::from) });
    }

    #[napi]
    pub fn stats(&self) -> String {
        stats_json(&self.inner.stats()).to_string()
    }
}

fn log(callback: &Callback, line: &LogLine) {
    callback.tell(&json!({ "connection": line.connection, "sent": line.sent, "text": line.text }));
}

fn stats_json(stats: &Stats) -> Value {
    json!({
        "connections": stats.connections,
        "opened": stats.opened,
        "commands": stats.commands,
        "bytesIn": stats.bytes_in,
        "bytesOut": stats.bytes_out,
    })
}
