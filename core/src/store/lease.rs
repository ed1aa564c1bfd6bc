//! Who may sync: one process at a time, fenced.
//!
//! A lease lasts for a time from its last renewal. Whoever takes it over gets a larger number, and every write of a
//! pass checks that number in its own transaction ([`check`]): a process that was stopped for an hour and wakes up
//! cannot write over what another has done meanwhile.

use super::{Lease, Now, Reader, Writer};
use crate::error::{Code, MailError, Result};
use std::time::Duration;

/// The lease of the synchronisation.
pub const SYNC: &str = "sync";

/// Takes the lease, or `None` while somebody else has it.
///
/// A clock that was set back makes a lease look as if it were of the future: it counts as over. That is safe, since
/// its holder can no longer write once it is taken.
pub fn take(writer: &mut dyn Writer, name: &str, holder: &str, ttl: Duration, now: Now) -> Result<Option<Lease>> {
    let before = writer.lease(name)?;
    if before.as_ref().is_some_and(|lease| lasts(lease, now)) {
        return Ok(None);
    }
    let lease = Lease {
        name: name.to_owned(),
        holder: holder.to_owned(),
        fence: before.map_or(1, |lease| lease.fence + 1),
        renewed: now.millis(),
        ttl: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX),
    };
    writer.set_lease(&lease)?;
    Ok(Some(lease))
}

/// Makes it last from now on; `store.lease_lost` where somebody else has it.
pub fn renew(writer: &mut dyn Writer, lease: &Lease, now: Now) -> Result<Lease> {
    check(writer, lease)?;
    let renewed = Lease { renewed: now.millis(), ..lease.clone() };
    writer.set_lease(&renewed)?;
    Ok(renewed)
}

/// Gives it back: the next one need not wait. Nothing where somebody else has it.
pub fn release(writer: &mut dyn Writer, lease: &Lease) -> Result<()> {
    match check(writer, lease) {
        Ok(()) => writer.set_lease(&Lease { ttl: 0, ..lease.clone() }),
        Err(_) => Ok(()),
    }
}

/// Whether it is still held, to be asked in every transaction that writes under it: `store.lease_lost` if not.
///
/// Only who holds it counts, not for how long: a holder that is late and was not replaced does no harm.
pub fn check(reader: &dyn Reader, lease: &Lease) -> Result<()> {
    match reader.lease(&lease.name)? {
        Some(current) if current.fence == lease.fence => Ok(()),
        Some(current) => {
            let text = format!("The lease {:?} is held by {}", lease.name, current.holder);
            Err(MailError::new(Code::StoreLeaseLost, text))
        }
        None => Err(MailError::new(Code::StoreLeaseLost, "There is no such lease")),
    }
}

/// Whether its holder has it to itself.
#[must_use]
pub fn lasts(lease: &Lease, now: Now) -> bool {
    let age = now.millis() - lease.renewed;
    (0..lease.ttl).contains(&age)
}
