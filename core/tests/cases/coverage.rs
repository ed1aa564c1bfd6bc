//! What has no case.

use crate::server::folder;
use mailtide::Code;
use serde_json::Value;
use std::collections::BTreeSet;

/// Codes that no script can provoke, each with its reason and where it is tested instead.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::Cancelled, "it takes a caller who cancels: the tests of each language do"),
    (Code::Internal, "it would be a fault of ours"),
    (Code::StoreFull, "it takes a full disk: core/src/store/sqlite/tests/file.rs"),
    (Code::StoreReadOnly, "it takes a file that cannot be written: core/src/store/sqlite/tests/file.rs"),
    (Code::StoreIo, "it takes a disk that fails: core/src/store/sqlite/tests/crash.rs"),
    (Code::StoreDamaged, "it takes a damaged file: core/src/store/sqlite/tests/damage.rs"),
    (Code::StoreLocked, "it takes a second process: core/src/store/sqlite/tests/process.rs"),
    (Code::StoreNewer, "it takes a file of a later version: core/src/store/sqlite/tests/file.rs"),
    (Code::StoreLeaseLost, "it takes a second process: core/src/store/suite/transactions.rs"),
];

pub fn codes(cases: &[Value], all: &[Code]) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for step in cases.iter().flat_map(|case| case["steps"].as_array().unwrap()) {
        provoked(&step["value"], &mut seen);
    }
    let without: Vec<&str> = all
        .iter()
        .filter(|code| !ELSEWHERE.iter().any(|(other, _)| other == *code))
        .map(|code| code.as_str())
        .filter(|code| !seen.contains(*code))
        .collect();
    assert!(without.is_empty(), "codes without a case: {without:?}");
}

fn provoked(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                seen.extend(inner.as_str().filter(|_| key == "code").map(str::to_owned));
                if key == "failed" {
                    let codes = inner.as_object().into_iter().flat_map(serde_json::Map::values);
                    seen.extend(codes.filter_map(|c| c.as_str().map(str::to_owned)));
                }
                provoked(inner, seen);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| provoked(inner, seen)),
        _ => {}
    }
}

/// The table that the runners of all languages share: one method a line, remarks after it.
pub fn methods(cases: &[Value]) {
    let table = std::fs::read_to_string(folder().join("methods.txt")).unwrap();
    let called: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| case["steps"].as_array().unwrap())
        .filter_map(|step| step["name"].as_str())
        .collect();
    let listed: Vec<&str> =
        table.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_whitespace().next()).collect();
    let without: Vec<&&str> = listed.iter().filter(|name| !called.contains(**name)).collect();
    assert!(without.is_empty(), "methods without a case: {without:?}");
    let unlisted: Vec<&&str> = called.iter().filter(|name| !listed.contains(*name)).collect();
    assert!(unlisted.is_empty(), "calls that are in no table: {unlisted:?}");
}
