//! The clock and the dice of an outbox.

use ring::rand::{SecureRandom, SystemRandom};

/// A clock and dice. The outbox takes no other, so that a history can be replayed.
pub trait Moment: Send + Sync {
    /// Seconds since 1970.
    fn now(&self) -> i64;
    /// In `0.0..1.0`.
    fn random(&self) -> f64;
}

/// Those of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemMoment;

impl Moment for SystemMoment {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn random(&self) -> f64 {
        let mut bytes = [0; 4];
        // Without randomness the delay is only less spread out.
        let _ = SystemRandom::new().fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}
