//! Mail in files of other programs: mbox and Maildir, out and in.
//!
//! Nothing here knows a store: a message goes out as flags, INTERNALDATE and bytes, and comes in as the same. What was
//! written here comes back byte for byte, with its flags and keywords, whatever its line ends are; what others have
//! written is read as leniently as it can be. Contents are streamed, never held.
//!
//! Line ends: messages have CRLF, these files have LF as other programs expect it. A message with nothing but CRLF is
//! turned into LF and marked, so that it is turned back; any other is written as it is, and marked too.

mod lines;
mod maildir;
mod maildir_read;
mod mbox;
mod mbox_folder;
mod mbox_read;
mod names;

pub use maildir::{MaildirFolder, MaildirWriter};
pub use maildir_read::{MaildirMessage, MaildirReader};
pub use mbox::MboxWriter;
pub use mbox_folder::{MboxFolder, mbox_files, mbox_levels};
pub use mbox_read::{MboxMessage, MboxOptions, MboxQuoting, MboxReader};
pub use names::{decode_folder, encode_folder};

use crate::error::{Code, MailError};
use crate::imap::{Flag, InternalDate};

/// What is known of a message beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Flags and keywords.
    pub flags: Vec<Flag>,
    /// INTERNALDATE. mbox and Maildir keep the second, not the zone.
    pub received: Option<InternalDate>,
}

/// What reading a content says of itself goes through as it is.
fn io(error: &std::io::Error) -> MailError {
    if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<MailError>()) {
        return own.clone();
    }
    MailError::new(Code::FileIo, error.to_string())
}
