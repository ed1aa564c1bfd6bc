//! What there is: on the server, in the store, and in the rows of its file.

use mailtide::imap::UidSet;
use mailtide::store::{Page, Store, body};
use mailtide_simulation::letter;
use mailtide_simulation::model::Server;
use mailtide_simulation::network::Network;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::Path;

/// The messages of each mailbox: their tokens, flags and contents, in whatever order.
pub type Mail = BTreeMap<String, Vec<(u64, BTreeSet<String>, u64)>>;

/// What is on the server.
pub fn on_server(server: &Server) -> Mail {
    let mailbox = |mailbox: &mailtide_simulation::model::Mailbox| {
        let mut rows: Vec<_> = mailbox.placements.values().map(|p| row(&p.content.bytes, &p.flags)).collect();
        rows.sort();
        (mailbox.name.clone(), rows)
    };
    server.mailboxes().map(mailbox).collect()
}

fn row(bytes: &[u8], flags: &BTreeSet<String>) -> (u64, BTreeSet<String>, u64) {
    let flags = flags.iter().map(|flag| flag.to_ascii_lowercase()).collect();
    (letter::token(bytes).unwrap_or_default(), flags, letter::hash(bytes))
}

/// A mirror and its server agree, UID by UID and byte by byte. A mailbox of the store's own is what a repair has saved whose
/// row was lost, and holds nothing that is on the server.
pub fn compare(store: &dyn Store, network: &Network) {
    let reader = store.read().unwrap();
    let mut here = BTreeMap::new();
    for mailbox in reader.mailboxes().unwrap() {
        let Some(remote) = mailbox.remote.clone() else {
            let saved = reader.placements(mailbox.id, &UidSet::range(1, u32::MAX)).unwrap();
            let on_server: Vec<_> = saved.iter().filter(|row| row.remote_uid.is_some()).collect();
            assert!(on_server.is_empty(), "{} holds what the server has: {on_server:?}", mailbox.name);
            continue;
        };
        let name = String::from_utf8(remote.name).unwrap();
        let rows = here.entry(name).or_insert_with(BTreeMap::new);
        for listed in reader.list(mailbox.id, Page { after: None, limit: 1000, newest_first: false }).unwrap() {
            let bytes = body::read(&*reader, listed.message.id, u64::MAX).unwrap();
            let flags = listed.placement.flags.iter().map(|flag| flag.as_str().to_owned()).collect();
            assert!(rows.insert(listed.placement.remote_uid.unwrap(), row(&bytes, &flags)).is_none());
        }
    }
    let there: BTreeMap<String, BTreeMap<u32, _>> = network.server(|server| {
        let rows = |mailbox: &mailtide_simulation::model::Mailbox| {
            mailbox.placements.iter().map(|(uid, p)| (*uid, row(&p.content.bytes, &p.flags))).collect()
        };
        server.mailboxes().map(|mailbox| (mailbox.name.clone(), rows(mailbox))).collect()
    });
    assert_eq!(here, there, "the mirror is not what the server has");
}

/// A number for every value in every row of a file.
pub fn rows(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    each_row(path, |table, row| format!("{table} {row:?}").hash(&mut hasher));
    hasher.finish()
}

/// Every row of every table, in order.
pub fn each_row(path: &Path, mut take: impl FnMut(&str, &[Value])) {
    let connection = Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(tables).unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..width).map(|at| row.get(at).unwrap()).collect();
            take(&table, &values);
        }
    }
}
