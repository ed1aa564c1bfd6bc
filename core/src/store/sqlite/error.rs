//! What SQLite says, as our errors. Its texts name tables and columns, never values.

use crate::error::{Code, MailError};
use rusqlite::ffi::ErrorCode;

impl From<rusqlite::Error> for MailError {
    fn from(error: rusqlite::Error) -> Self {
        let code = code(&error);
        let text = match &error {
            rusqlite::Error::SqliteFailure(cause, Some(text)) => format!("{text} ({})", cause.extended_code),
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            _ => error.to_string(),
        };
        let error = MailError::new(code, format!("{}: {text}", sentence(code)));
        match code {
            Code::StoreDamaged => error.hint("Make a copy of the file, then repair it"),
            Code::StoreFull => error.hint("Make room on the disk; nothing is lost"),
            _ => error,
        }
    }
}

/// `EDQUOT` and a full disk under the shared memory arrive as I/O errors with these extended codes.
const SHARED_MEMORY: &[i32] = &[rusqlite::ffi::SQLITE_IOERR_SHMSIZE, rusqlite::ffi::SQLITE_IOERR_SHMOPEN];

fn code(error: &rusqlite::Error) -> Code {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(cause, _) if SHARED_MEMORY.contains(&cause.extended_code) => Code::StoreFull,
        E::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DiskFull => Code::StoreFull,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Code::StoreReadOnly,
            ErrorCode::SystemIoFailure | ErrorCode::NoLargeFileSupport => Code::StoreIo,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Code::StoreDamaged,
            // SQLITE_PROTOCOL: the locks of the log could not be had, however often it was tried.
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                Code::StoreLocked
            }
            ErrorCode::TooBig => Code::LimitExceeded,
            _ => Code::Internal,
        },
        // A statement that fits our tables does not fit those of the file: the text that describes them there is damaged.
        E::SqlInputError { .. } => Code::StoreDamaged,
        // A value of a kind that was never written there.
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => Code::StoreDamaged,
        _ => Code::Internal,
    }
}

fn sentence(code: Code) -> &'static str {
    match code {
        Code::StoreFull => "There is no room left on the disk",
        Code::StoreReadOnly => "The store cannot be written to",
        Code::StoreIo => "The disk failed",
        Code::StoreDamaged => "The store's file is damaged",
        Code::StoreLocked => "Somebody else is writing to the store",
        Code::LimitExceeded => "This is more than a store takes in one piece",
        _ => "The store's own statement failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn what_a_disk_can_do_has_a_code_each() {
        let table = [
            (ffi::SQLITE_FULL, Code::StoreFull),
            (ffi::SQLITE_IOERR_SHMSIZE, Code::StoreFull),
            (ffi::SQLITE_READONLY, Code::StoreReadOnly),
            (ffi::SQLITE_CANTOPEN, Code::StoreReadOnly),
            (ffi::SQLITE_IOERR_WRITE, Code::StoreIo),
            (ffi::SQLITE_IOERR_FSYNC, Code::StoreIo),
            (ffi::SQLITE_CORRUPT_VTAB, Code::StoreDamaged),
            (ffi::SQLITE_NOTADB, Code::StoreDamaged),
            (ffi::SQLITE_BUSY_SNAPSHOT, Code::StoreLocked),
            (ffi::SQLITE_PROTOCOL, Code::StoreLocked),
            (ffi::SQLITE_TOOBIG, Code::LimitExceeded),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Code::Internal),
        ];
        for (number, expected) in table {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(number), None);
            assert_eq!(MailError::from(error).code(), expected, "{number}");
        }
    }

    #[test]
    fn a_table_that_is_not_as_it_was_made_is_damage() {
        let file = rusqlite::Connection::open_in_memory().unwrap();
        file.execute_batch("CREATE TABLE keep (lbrgest INTEGER)").unwrap();
        let error = MailError::from(file.prepare("SELECT largest FROM keep").unwrap_err());
        assert_eq!(error.code(), Code::StoreDamaged);
        assert!(error.to_string().contains("no such column: largest"), "{error}");
        assert!(!error.to_string().contains("SELECT"), "{error}");
    }
}
