//! Sets of message ids, a bit each.

/// A set of message ids. Takes a bit for every id up to the largest: ids are given one after another.
#[derive(Clone, Debug, Default)]
pub struct DocSet {
    bits: Vec<u64>,
}

/// Largest id that is taken: 2^32, which is 512 MiB of bits. Larger ids are left out by [`DocSet::insert`].
const LARGEST: i64 = 1 << 32;

impl DocSet {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an id; negative ones, and those beyond 2^32, which no store gives, are not taken.
    pub fn insert(&mut self, id: i64) {
        let Some((word, bit)) = place(id) else { return };
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= bit;
        }
    }

    /// Whether an id is in it.
    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        place(id).is_some_and(|(word, bit)| self.bits.get(word).is_some_and(|bits| bits & bit != 0))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    /// Keeps what is in the other one too.
    pub fn intersect(&mut self, other: &Self) {
        self.bits.truncate(other.bits.len());
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, other)| *bits &= other);
    }

    /// Takes what is in the other one out.
    pub fn subtract(&mut self, other: &Self) {
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, other)| *bits &= !other);
    }

    /// Adds what is in the other one.
    pub fn unite(&mut self, other: &Self) {
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, other)| *bits |= other);
    }

    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0_i64..).step_by(64).zip(&self.bits).flat_map(|(base, bits)| Ones(*bits).map(move |bit| base + i64::from(bit)))
    }
}

impl FromIterator<i64> for DocSet {
    fn from_iter<I: IntoIterator<Item = i64>>(ids: I) -> Self {
        let mut set = Self::new();
        set.extend(ids);
        set
    }
}

impl Extend<i64> for DocSet {
    fn extend<I: IntoIterator<Item = i64>>(&mut self, ids: I) {
        ids.into_iter().for_each(|id| self.insert(id));
    }
}

/// Trailing zeros do not count.
impl PartialEq for DocSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for DocSet {}

struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit)
    }
}

fn place(id: i64) -> Option<(usize, u64)> {
    let id = usize::try_from(id).ok().filter(|_| id <= LARGEST)?;
    Some((id / 64, 1 << (id % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(a: BTreeSet<u16>, b: BTreeSet<u16>) {
            let set = |ids: &BTreeSet<u16>| ids.iter().map(|id| i64::from(*id)).collect::<DocSet>();
            let (x, y) = (set(&a), set(&b));
            let with = |f: fn(&mut DocSet, &DocSet)| { let mut x = x.clone(); f(&mut x, &y); x };
            prop_assert_eq!(with(DocSet::intersect), set(&(&a & &b)));
            prop_assert_eq!(with(DocSet::unite), set(&(&a | &b)));
            prop_assert_eq!(with(DocSet::subtract), set(&(&a - &b)));
            prop_assert_eq!(x.len(), a.len());
            prop_assert_eq!(x.is_empty(), a.is_empty());
            prop_assert!(x.iter().eq(a.iter().map(|id| i64::from(*id))));
            prop_assert!((0..=u16::MAX).all(|id| x.contains(i64::from(id)) == a.contains(&id)));
        }
    }

    #[test]
    fn what_is_no_id_is_not_taken() {
        let set: DocSet = [-1, i64::MIN, i64::MAX].into_iter().collect();
        assert!(set.is_empty() && !set.contains(-1) && !set.contains(i64::MAX));
    }
}
