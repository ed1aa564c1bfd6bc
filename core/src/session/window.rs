//! Cutting a fetch into windows: a pure plan of which UIDs come next.

use super::options::Order;
use crate::imap::UidSet;

/// Rows of the first window. Later ones grow, as far as their bytes allow.
const FIRST: u64 = 256;
/// Rows of the first window when bodies come with them, whose sizes are not known yet.
const FIRST_BODIES: u64 = 32;
/// Bytes that a window should about come to.
const BYTES: u64 = 1 << 20;
/// Most rows of a window, however small they are.
const MOST: u64 = 4096;
/// Longest set that goes into one command: servers bound their lines (RFC 2683 section 3.2.1.5; Exchange near 8,000).
pub(crate) const SET_TEXT: usize = 4000;

/// The UIDs still to be asked for.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    left: UidSet,
    order: Order,
    rows: u64,
    least: u64,
}

impl Windows {
    /// Windows over `uids`; smaller ones where bodies come with the rows.
    pub fn new(uids: UidSet, order: Order, bodies: bool) -> Self {
        let (rows, least) = if bodies { (FIRST_BODIES, 1) } else { (FIRST, 32) };
        Self { left: uids, order, rows, least }
    }

    /// The next window; `None` at the end.
    pub fn next(&mut self) -> Option<UidSet> {
        if self.left.is_empty() {
            return None;
        }
        let window = match self.order {
            Order::Oldest => self.left.oldest(self.rows),
            Order::Newest => self.left.newest(self.rows),
        };
        let window = self.short(window);
        self.left = self.left.difference(&window);
        Some(window)
    }

    /// Learns from a window that came to `bytes` for `rows` messages.
    pub fn learn(&mut self, rows: u64, bytes: u64) {
        if let Some(bytes_each) = bytes.checked_div(rows) {
            self.rows = (BYTES / bytes_each.max(1)).clamp(self.least, MOST).min(self.rows * 2);
        }
    }

    /// As much of a window as fits one command.
    fn short(&self, window: UidSet) -> UidSet {
        let mut chunks = window.chunks_by_text(SET_TEXT);
        let chunk = match self.order {
            Order::Oldest => chunks.drain(..).next(),
            Order::Newest => chunks.pop(),
        };
        chunk.unwrap_or(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> UidSet {
        UidSet::parse(text).unwrap()
    }

    #[test]
    fn windows_cover_everything_once_in_either_order() {
        for order in [Order::Oldest, Order::Newest] {
            let all = set("1:1000,2000,3000:3500");
            let mut windows = Windows::new(all.clone(), order, false);
            let mut seen = UidSet::default();
            while let Some(window) = windows.next() {
                assert!(seen.intersection(&window).is_empty());
                seen = seen.union(&window);
                windows.learn(window.len(), window.len() * 500);
            }
            assert_eq!(seen, all);
        }
    }

    #[test]
    fn the_newest_come_first_when_asked_so() {
        let mut windows = Windows::new(set("1:1000"), Order::Newest, false);
        assert_eq!(windows.next(), Some(set("745:1000")));
        assert_eq!(windows.next(), Some(set("489:744")));
    }

    #[test]
    fn windows_grow_with_small_rows_and_stay_small_with_large_ones() {
        let mut windows = Windows::new(set("1:100000"), Order::Oldest, false);
        windows.learn(256, 256 * 300);
        assert_eq!(windows.next().map(|w| w.len()), Some(512));
        windows.learn(512, 512 * 100_000);
        assert_eq!(windows.next().map(|w| w.len()), Some(32));
    }

    #[test]
    fn a_scattered_set_is_cut_to_fit_a_command_line() {
        let scattered: UidSet = (1..4000u32).map(|n| n * 1_000_003).collect();
        let mut windows = Windows::new(scattered, Order::Newest, false);
        windows.rows = MOST;
        let window = windows.next().unwrap();
        assert!(window.to_string().len() <= SET_TEXT);
        assert!(window.contains(3999 * 1_000_003));
    }
}
