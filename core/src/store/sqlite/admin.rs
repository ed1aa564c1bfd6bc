//! The account, users and what is theirs, what is kept, leases and notes.

use super::tx::Tx;
use super::unreadable;
use crate::error::{Code, MailError, Result};
use crate::store::{
    Account, AppPassword, Flags, Keep, KeepRule, Lease, MailboxId, Metadata, Right, User, UserId, Verifier,
};
use rusqlite::{Row, params};

pub(super) fn account(tx: &Tx<'_>) -> Result<Option<Account>> {
    tx.one("SELECT address, settings, identity FROM account", [], |row| {
        Ok(Account { address: row.get(0)?, settings: row.get(1)?, identity: row.get(2)? })
    })
}

pub(super) fn set_account(tx: &Tx<'_>, account: &Account) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO account (id, address, settings, identity) VALUES (1, ?1, ?2, ?3)";
    tx.run_one("set_account", sql, params![account.address, account.settings, account.identity])
}

pub(super) fn keep(tx: &Tx<'_>, mailbox: Option<MailboxId>) -> Result<KeepRule> {
    let sql = "SELECT keep, days, largest FROM keep WHERE mailbox IN (?1, 0) ORDER BY mailbox DESC LIMIT 1";
    let rule = tx.one(sql, [or_zero(mailbox)], |row| {
        let keep = Keep::parse(&row.get::<_, String>(0)?).ok_or_else(|| unreadable("rule of what is kept"))?;
        Ok(KeepRule { keep, days: row.get(1)?, largest: row.get(2)? })
    })?;
    Ok(rule.unwrap_or_default())
}

pub(super) fn set_keep(tx: &Tx<'_>, mailbox: Option<MailboxId>, rule: Option<KeepRule>) -> Result<()> {
    let mailbox = or_zero(mailbox);
    match rule {
        None => tx.run("delete_keep", "DELETE FROM keep WHERE mailbox = ?1", [mailbox])?,
        Some(KeepRule { keep, days, largest }) => {
            let sql = "INSERT OR REPLACE INTO keep (mailbox, keep, days, largest) VALUES (?1, ?2, ?3, ?4)";
            tx.run("set_keep", sql, params![mailbox, keep.as_str(), days, largest])?
        }
    };
    Ok(())
}

pub(super) fn lease(tx: &Tx<'_>, name: &str) -> Result<Option<Lease>> {
    tx.one("SELECT name, holder, fence, renewed, ttl FROM leases WHERE name = ?1", [name], |row| {
        Ok(Lease { name: row.get(0)?, holder: row.get(1)?, fence: row.get(2)?, renewed: row.get(3)?, ttl: row.get(4)? })
    })
}

pub(super) fn set_lease(tx: &Tx<'_>, lease: &Lease) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO leases (name, holder, fence, renewed, ttl) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Lease { name, holder, fence, renewed, ttl } = lease;
    tx.run_one("set_lease", sql, params![name, holder, fence, renewed, ttl])
}

macro_rules! select_user {
    ($rest:literal) => {
        concat!("SELECT id, name, disabled, mechanism, iterations, salt, stored_key, server_key FROM users ", $rest)
    };
}

pub(super) fn user(tx: &Tx<'_>, name: &str) -> Result<Option<User>> {
    tx.one(select_user!("WHERE name = ?1"), [name], read_user)
}

pub(super) fn users(tx: &Tx<'_>) -> Result<Vec<User>> {
    tx.all(select_user!("ORDER BY name"), [], read_user)
}

pub(super) fn users_version(tx: &Tx<'_>) -> Result<u64> {
    let sql = "SELECT value FROM meta WHERE name = 'users_version'";
    Ok(tx.one(sql, [], |row| Ok(row.get(0)?))?.unwrap_or(0))
}

/// Whoever has come in by what is no longer so is to hear of it.
fn users_changed(tx: &Tx<'_>) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('users_version', ?1)";
    tx.run_one("users_version", sql, [users_version(tx)? + 1])
}

pub(super) fn insert_user(tx: &Tx<'_>, name: &str, verifier: Option<&Verifier>) -> Result<UserId> {
    if user(tx, name)?.is_some() {
        return Err(MailError::new(Code::UsageArgument, format!("There is a user {name:?} already")));
    }
    let id = UserId(tx.insert("insert_user", "INSERT INTO users (name, disabled) VALUES (?1, 0)", [name])?);
    update_user(tx, &User { id, name: name.to_owned(), verifier: verifier.cloned(), disabled: false })?;
    Ok(id)
}

pub(super) fn update_user(tx: &Tx<'_>, user: &User) -> Result<()> {
    let sql = "UPDATE users SET name = ?2, disabled = ?3, mechanism = ?4, iterations = ?5, salt = ?6, stored_key = ?7,
                   server_key = ?8 WHERE id = ?1";
    let verifier = user.verifier.as_ref();
    let params = params![
        user.id.0,
        user.name,
        user.disabled,
        verifier.map(|verifier| &verifier.mechanism),
        verifier.map(|verifier| verifier.iterations),
        verifier.map(|verifier| &verifier.salt),
        verifier.map(|verifier| &verifier.stored_key),
        verifier.map(|verifier| &verifier.server_key)
    ];
    tx.run_one("update_user", sql, params)?;
    users_changed(tx)
}

fn read_user(row: &Row<'_>) -> Result<User> {
    let verifier = if row.get::<_, Option<String>>(3)?.is_some() { Some(read_verifier(row)?) } else { None };
    Ok(User { id: UserId(row.get(0)?), name: row.get(1)?, verifier, disabled: row.get(2)? })
}

/// From its mechanism in column 3 on.
fn read_verifier(row: &Row<'_>) -> Result<Verifier> {
    Ok(Verifier {
        mechanism: row.get(3)?,
        iterations: row.get(4)?,
        salt: row.get(5)?,
        stored_key: row.get(6)?,
        server_key: row.get(7)?,
    })
}

pub(super) fn delete_user(tx: &Tx<'_>, id: UserId) -> Result<()> {
    for (name, sql) in [
        ("delete_users_passwords", "DELETE FROM app_passwords WHERE user = ?1"),
        ("delete_users_flags", "DELETE FROM user_flags WHERE user = ?1"),
        ("delete_users_subscriptions", "DELETE FROM subscriptions WHERE user = ?1"),
        ("delete_users_metadata", "DELETE FROM metadata WHERE user = ?1"),
    ] {
        tx.run(name, sql, [id.0])?;
    }
    tx.run_one("delete_user", "DELETE FROM users WHERE id = ?1", [id.0])?;
    users_changed(tx)
}

macro_rules! select_app_password {
    ($rest:literal) => {
        concat!(
            "SELECT user, label, created, mechanism, iterations, salt, stored_key, server_key FROM app_passwords ",
            $rest
        )
    };
}

pub(super) fn app_password(tx: &Tx<'_>, user: UserId, label: &str) -> Result<Option<AppPassword>> {
    tx.one(select_app_password!("WHERE user = ?1 AND label = ?2"), (user.0, label), read_app_password)
}

pub(super) fn app_passwords(tx: &Tx<'_>, user: UserId) -> Result<Vec<AppPassword>> {
    tx.all(select_app_password!("WHERE user = ?1 ORDER BY label"), [user.0], read_app_password)
}

pub(super) fn insert_app_password(tx: &Tx<'_>, password: &AppPassword) -> Result<()> {
    let AppPassword { user, label, created, verifier } = password;
    if app_password(tx, *user, label)?.is_some() {
        return Err(MailError::new(Code::UsageArgument, format!("There is an app password {label:?} already")));
    }
    let sql = "INSERT INTO app_passwords (user, label, created, mechanism, iterations, salt, stored_key, server_key)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Verifier { mechanism, iterations, salt, stored_key, server_key } = verifier;
    let params = params![user.0, label, created, mechanism, iterations, salt, stored_key, server_key];
    tx.run_one("insert_app_password", sql, params)?;
    users_changed(tx)
}

pub(super) fn delete_app_password(tx: &Tx<'_>, user: UserId, label: &str) -> Result<bool> {
    let sql = "DELETE FROM app_passwords WHERE user = ?1 AND label = ?2";
    let is_gone = tx.run("delete_app_password", sql, (user.0, label))? > 0;
    if is_gone {
        users_changed(tx)?;
    }
    Ok(is_gone)
}

fn read_app_password(row: &Row<'_>) -> Result<AppPassword> {
    let (user, label, created) = (UserId(row.get(0)?), row.get(1)?, row.get(2)?);
    Ok(AppPassword { user, label, created, verifier: read_verifier(row)? })
}

pub(super) fn user_flags(tx: &Tx<'_>, user: UserId, mailbox: MailboxId, uid: u32) -> Result<Option<Flags>> {
    let sql = "SELECT bits, keywords FROM user_flags WHERE user = ?1 AND mailbox = ?2 AND uid = ?3";
    tx.one(sql, (user.0, mailbox.0, uid), |row| {
        let keywords = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        Ok(Flags::from_parts(row.get(0)?, &keywords))
    })
}

pub(super) fn set_user_flags(
    tx: &Tx<'_>,
    user: UserId,
    (mailbox, uid): (MailboxId, u32),
    flags: Option<&Flags>,
) -> Result<()> {
    let at = (user.0, mailbox.0, uid);
    match flags {
        None => {
            tx.run("delete_user_flags", "DELETE FROM user_flags WHERE user = ?1 AND mailbox = ?2 AND uid = ?3", at)?
        }
        Some(flags) => {
            let sql = "INSERT OR REPLACE INTO user_flags (user, mailbox, uid, bits, keywords)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            tx.run("set_user_flags", sql, params![at.0, at.1, at.2, flags.bits(), flags.keywords()])?
        }
    };
    Ok(())
}

pub(super) fn rights(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Vec<Right>> {
    let sql = "SELECT identifier, rights FROM rights WHERE mailbox = ?1 ORDER BY identifier";
    tx.all(sql, [mailbox.0], |row| Ok(Right { mailbox, identifier: row.get(0)?, rights: row.get(1)? }))
}

pub(super) fn set_right(tx: &Tx<'_>, right: &Right) -> Result<()> {
    let Right { mailbox, identifier, rights } = right;
    if rights.is_empty() {
        let sql = "DELETE FROM rights WHERE mailbox = ?1 AND identifier = ?2";
        tx.run("delete_right", sql, params![mailbox.0, identifier])?;
    } else {
        let sql = "INSERT OR REPLACE INTO rights (mailbox, identifier, rights) VALUES (?1, ?2, ?3)";
        tx.run("set_right", sql, params![mailbox.0, identifier, rights])?;
    }
    Ok(())
}

pub(super) fn subscriptions(tx: &Tx<'_>, user: Option<UserId>) -> Result<Vec<String>> {
    let user = user.map_or(0, |user| user.0);
    tx.all("SELECT name FROM subscriptions WHERE user = ?1 ORDER BY name", [user], |row| Ok(row.get(0)?))
}

pub(super) fn set_subscription(tx: &Tx<'_>, user: Option<UserId>, name: &str, subscribed: bool) -> Result<()> {
    let user = user.map_or(0, |user| user.0);
    let sql = if subscribed {
        "INSERT OR IGNORE INTO subscriptions (user, name) VALUES (?1, ?2)"
    } else {
        "DELETE FROM subscriptions WHERE user = ?1 AND name = ?2"
    };
    tx.run("set_subscription", sql, (user, name))?;
    Ok(())
}

pub(super) fn metadata(tx: &Tx<'_>, mailbox: Option<MailboxId>) -> Result<Vec<Metadata>> {
    let sql = "SELECT user, entry, value FROM metadata WHERE mailbox = ?1 ORDER BY user, entry";
    tx.all(sql, [or_zero(mailbox)], |row| {
        let user = Some(row.get(0)?).filter(|user| *user != 0).map(UserId);
        Ok(Metadata { mailbox, user, entry: row.get(1)?, value: row.get(2)? })
    })
}

pub(super) fn set_metadata(tx: &Tx<'_>, metadata: &Metadata) -> Result<()> {
    let (mailbox, user) = (or_zero(metadata.mailbox), metadata.user.map_or(0, |user| user.0));
    if metadata.value.is_empty() {
        let sql = "DELETE FROM metadata WHERE mailbox = ?1 AND user = ?2 AND entry = ?3";
        tx.run("delete_metadata", sql, params![mailbox, user, metadata.entry])?;
    } else {
        let sql = "INSERT OR REPLACE INTO metadata (mailbox, user, entry, value) VALUES (?1, ?2, ?3, ?4)";
        tx.run("set_metadata", sql, params![mailbox, user, metadata.entry, metadata.value])?;
    }
    Ok(())
}

pub(super) fn note(tx: &Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    tx.one("SELECT value FROM notes WHERE name = ?1", [name], |row| Ok(row.get(0)?))
}

pub(super) fn set_note(tx: &Tx<'_>, name: &str, value: Option<&[u8]>) -> Result<()> {
    match value {
        None => tx.run("delete_note", "DELETE FROM notes WHERE name = ?1", [name])?,
        Some(value) => {
            tx.run("set_note", "INSERT OR REPLACE INTO notes (name, value) VALUES (?1, ?2)", params![name, value])?
        }
    };
    Ok(())
}

/// Rows for all have 0 in place of a mailbox.
fn or_zero(mailbox: Option<MailboxId>) -> i64 {
    mailbox.map_or(0, |id| id.0)
}
