//! Runs the conformance cases of `tests/cases` through the engine's own API. The format is in `tests/cases/README.md`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stderr)]

#[path = "cases/call.rs"]
mod call;
#[path = "cases/coverage.rs"]
mod coverage;
#[path = "cases/json.rs"]
mod json;
#[path = "cases/local.rs"]
mod local;
#[path = "cases/served.rs"]
mod served;
#[path = "cases/server.rs"]
mod server;

use call::Caller;
use futures_util::StreamExt;
use mailtide::{Code, MailError};
use serde_json::{Value, json};
use server::Server;
use std::sync::Arc;
use std::time::Duration;

/// Cases under way at once.
const TOGETHER: usize = 8;
/// No call of a case may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_goes_as_it_is_written() {
    let server = Arc::new(Server::start());
    let only = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<Value> = server.cases().into_iter().filter(|c| text(c, "name").contains(&only)).collect();
    assert!(!cases.is_empty(), "no case");
    let runs = cases.into_iter().map(|case| run(Arc::clone(&server), case));
    let outcomes: Vec<Vec<String>> = futures_util::stream::iter(runs).buffer_unordered(TOGETHER).collect().await;
    let problems: Vec<String> = outcomes.into_iter().flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Plays one case; what is wrong with it.
async fn run(server: Arc<Server>, case: Value) -> Vec<String> {
    let name = text(&case, "name").to_owned();
    if let Some(reason) = case["skip"]["rust"].as_str() {
        eprintln!("skipped: {name}: {reason}");
        return Vec::new();
    }
    let port = server.ask(&json!({"do": "start", "case": name}))["port"].as_u64().unwrap();
    let mut caller = Caller::new(u16::try_from(port).unwrap(), case["account"].clone());
    if case["server"].is_object() {
        caller.start(&case["server"]).await;
    }
    let outcome = tokio::time::timeout(PATIENCE, steps(&mut caller, &case)).await;
    let mut problems = outcome.unwrap_or_else(|_| vec!["it takes too long".to_owned()]);
    caller.close().await;
    let wire = server.ask(&json!({"do": "finish", "case": name}));
    problems.extend(wire["problems"].as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned()));
    problems.into_iter().map(|p| format!("{name}: {p}")).collect()
}

async fn steps(caller: &mut Caller, case: &Value) -> Vec<String> {
    let steps = case["steps"].as_array().unwrap();
    let mut problems = Vec::new();
    let connects = steps.first().is_some_and(|s| matches!(text(s, "name"), "connect" | "open"));
    if !connects && let Err(error) = caller.call("connect", &json!({})).await {
        return vec![format!("connect: {error}")];
    }
    let mut last: Result<Value, MailError> = Ok(Value::Null);
    for (at, step) in steps.iter().enumerate() {
        let problem = match text(step, "do") {
            "call" => {
                last = caller.call(text(step, "name"), &step["args"]).await;
                let expected = steps.get(at + 1).is_some_and(|s| matches!(text(s, "do"), "result" | "error"));
                last.as_ref().err().filter(|_| !expected).map(ToString::to_string)
            }
            "result" => match &last {
                Ok(value) => differs(&step["value"], value),
                Err(error) => Some(error.to_string()),
            },
            "error" => match &last {
                Ok(value) => Some(format!("no error but {value}")),
                Err(error) => differs(&step["value"], &json::error(error)),
            },
            _ => match caller.event().await {
                Ok(event) => differs(&step["value"], &event),
                Err(error) => differs(&step["value"], &json!({"error": json::error(&error)})),
            },
        };
        problems.extend(problem.map(|p| format!("line {}: {p}", step["line"])));
    }
    problems
}

/// Objects may leave out what does not matter; everything else is equal.
fn differs(expected: &Value, got: &Value) -> Option<String> {
    let alike = match (expected, got) {
        (Value::Object(named), Value::Object(_)) => {
            return named.iter().find_map(|(key, value)| differs(value, &got[key]).map(|d| format!("{key}: {d}")));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            return one.iter().zip(other).find_map(|(a, b)| differs(a, b));
        }
        _ => expected == got,
    };
    (!alike).then(|| format!("expected {expected}, got {got}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn every_error_code_has_a_case() {
    let cases = Server::start().cases();
    coverage::codes(&cases, Code::ALL);
}

#[test]
fn every_public_method_has_a_case() {
    coverage::methods(&Server::start().cases());
}
