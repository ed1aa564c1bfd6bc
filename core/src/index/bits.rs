//! Lists of ascending numbers as bits: how many (Elias gamma), then their distances (Rice codes).

/// Longest run of zeros of a unary code: a longer one is damage.
const LONGEST: u32 = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that are no whole byte yet, the last one lowest; and how many, 0 to 7.
    pending: u64,
    count: u32,
}

impl BitWriter {
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push((self.pending << (8 - self.count)) as u8);
        }
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() + usize::from(self.count > 0)
    }

    /// `list` ascends and is below `universe`.
    pub(super) fn list(&mut self, list: &[u32], universe: u32) {
        self.gamma(list.len() as u64);
        let rice = rice(list.len() as u64, universe);
        let mut next = 0;
        for number in list {
            let gap = u64::from(number.saturating_sub(next));
            self.coded((gap >> rice) as u32, gap & ((1 << rice) - 1), rice);
            next = number + 1;
        }
    }

    /// A number of 1 or more.
    fn gamma(&mut self, number: u64) {
        let length = number.max(1).ilog2();
        self.coded(length, number & ((1 << length) - 1), length);
    }

    /// So many zeros, a one, and the lowest `count` bits, at most 63.
    fn coded(&mut self, zeros: u32, bits: u64, count: u32) {
        if zeros < 16 && count <= 32 {
            return self.put(1 << count | bits, zeros + 1 + count);
        }
        (0..zeros / 32).for_each(|_| self.put(0, 32));
        self.put(1, zeros % 32 + 1);
        if count > 32 {
            self.put(bits >> 32, count - 32);
        }
        self.put(bits & u64::from(u32::MAX), count.min(32));
    }

    /// `count` bits, at most 56, above which `bits` has none.
    fn put(&mut self, bits: u64, count: u32) {
        self.pending = self.pending << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }
}

#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads a list and adds it to `out`; `None` where it is damaged.
    pub(super) fn list(&mut self, universe: u32, out: &mut Vec<u32>) -> Option<()> {
        self.each(universe, |number| out.push(number))
    }

    /// Reads past a list.
    pub(super) fn skip(&mut self, universe: u32) -> Option<()> {
        self.each(universe, |_| {})
    }

    fn each(&mut self, universe: u32, mut take: impl FnMut(u32)) -> Option<()> {
        let count = self.gamma()?;
        let rice = rice(count, universe);
        let mut next: u64 = 0;
        for _ in 0..count {
            let number = next + self.coded(rice)?;
            take(u32::try_from(number).ok().filter(|number| *number < universe)?);
            next = number + 1;
        }
        Some(())
    }

    /// What [`BitWriter::coded`] wrote: so many zeros and the bits after the one, as one number.
    fn coded(&mut self, count: u32) -> Option<u64> {
        let window = self.window();
        let zeros = window.leading_zeros();
        // All of it is in what is certain of the window.
        if zeros + 1 + count <= 57 {
            self.at += (zeros + 1 + count) as usize;
            let bits = (window << (zeros + 1)).checked_shr(64 - count).unwrap_or(0);
            return (self.at <= self.bytes.len() * 8).then_some(u64::from(zeros) << count | bits);
        }
        Some(u64::from(self.unary()?) << count | self.take(count)?)
    }

    fn gamma(&mut self) -> Option<u64> {
        let length = self.unary()?;
        (length < 32).then_some(())?;
        Some(1 << length | self.take(length)?)
    }

    fn unary(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            let window = self.window();
            let here = window.leading_zeros();
            // A window has 57 bits that are certain.
            if here < 57 {
                self.at += here as usize + 1;
                return (self.at <= self.bytes.len() * 8).then_some(zeros + here);
            }
            self.at += 57;
            zeros += 57;
            if zeros > LONGEST || self.at > self.bytes.len() * 8 {
                return None;
            }
        }
    }

    /// At most 32 bits.
    fn take(&mut self, count: u32) -> Option<u64> {
        if count == 0 {
            return Some(0);
        }
        let bits = self.window() >> (64 - count);
        self.at += count as usize;
        (self.at <= self.bytes.len() * 8).then_some(bits)
    }

    /// The next bits, the first one on top; zeros after the end.
    fn window(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => rest.iter().zip((0..8).rev()).fold(0, |word, (byte, place)| word | u64::from(*byte) << (place * 8)),
        };
        word << (self.at % 8)
    }
}

/// The parameter that suits `count` numbers below `universe`: log2 of 0.69 times their mean distance.
fn rice(count: u64, universe: u32) -> u32 {
    (u64::from(universe) * 44 / 64 / count.max(1)).max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_takes_what_its_density_asks_for() {
        for (step, bits_each) in [(1, 1.1), (2, 2.1), (10, 5.1), (100, 9.0), (1000, 12.5)] {
            let list: Vec<u32> = (0..60_000).filter(|n| n % step == 0).collect();
            let mut writer = BitWriter::default();
            writer.list(&list, 60_000);
            let each = writer.len() as f64 * 8.0 / list.len() as f64;
            assert!(each <= bits_each, "{step}: {each}");
        }
    }

    proptest! {
        #[test]
        fn lists_come_back(lists in prop::collection::vec((prop::collection::btree_set(0_u32..5000, 1..300), any::<bool>()), 1..20)) {
            let mut writer = BitWriter::default();
            for (list, _) in &lists {
                writer.list(&list.iter().copied().collect::<Vec<_>>(), 5000);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            let mut found = Vec::new();
            for (list, is_read) in &lists {
                if *is_read {
                    found.clear();
                    reader.list(5000, &mut found).unwrap();
                    prop_assert!(found.iter().eq(list.iter()));
                } else {
                    reader.skip(5000).unwrap();
                }
            }
        }

        #[test]
        fn damage_is_noticed_or_bounded(bytes: Vec<u8>, universe in 1_u32..10_000) {
            let mut reader = BitReader::new(&bytes);
            let mut found = Vec::new();
            while reader.list(universe, &mut found).is_some() {
                prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]) && found.last().is_none_or(|n| *n < universe));
                found.clear();
            }
        }
    }
}
