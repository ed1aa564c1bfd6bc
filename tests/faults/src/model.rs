//! What is on a disk after so many changes, and what is left of it after a crash or a power loss.

use crate::disk::{Change, Op};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Contents of files by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Files(pub BTreeMap<Arc<str>, Vec<u8>>);

/// What a disk keeps of what was not synced. What was synced, it always keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// All: the process has died, the machine has not.
    Kept,
    /// Nothing.
    Forgotten,
    /// The first half of the changes of each file.
    Half,
    /// All, and half of the change that was under way.
    Torn,
    /// Each sector of 512 bytes, each new length and each deletion by chance.
    Scattered(u64),
    /// The same, and what is lost of a file that has grown is noise instead of zeros.
    Noise(u64),
    /// Only what was done to the database.
    Database,
    /// Only what was done to the files beside it.
    Beside,
}

/// A disk after some changes.
#[derive(Clone, Debug, Default)]
pub struct Model {
    files: BTreeMap<Arc<str>, File>,
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What is sure to be there; `None` where the file may be missing.
    durable: Option<Vec<u8>>,
    now: Option<Vec<u8>>,
    pending: Vec<Change>,
}

const SECTOR: usize = 512;

impl Way {
    /// Every way, with so many seeds for those that go by chance.
    #[must_use]
    pub fn all(seeds: u64) -> Vec<Self> {
        let mut ways = vec![Self::Kept, Self::Forgotten, Self::Half, Self::Torn, Self::Database, Self::Beside];
        ways.extend((0..seeds).flat_map(|seed| [Self::Scattered(seed), Self::Noise(seed)]));
        ways
    }
}

impl Files {
    /// Writes them into a folder.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        self.0.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(&**name), bytes))
    }

    /// Reads all of a folder, the shared memory excepted, which a system that starts again does not have.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.ends_with("-shm") {
                let bytes = std::fs::read(folder.join(&name))?;
                files.insert(name.into(), bytes);
            }
        }
        Ok(Self(files))
    }
}

impl Model {
    /// A disk with these files, safe on it.
    #[must_use]
    pub fn new(files: Files) -> Self {
        let file = |bytes: Vec<u8>| File { durable: Some(bytes.clone()), now: Some(bytes), pending: Vec::new() };
        Self { files: files.0.into_iter().map(|(name, bytes)| (name, file(bytes))).collect() }
    }

    /// One more change.
    pub fn apply(&mut self, op: &Op) {
        let file = self.files.entry(Arc::clone(&op.file)).or_default();
        match &op.change {
            Change::Sync => {
                file.durable.clone_from(&file.now);
                file.pending.clear();
            }
            Change::Delete(true) => *file = File::default(),
            change => {
                change_file(&mut file.now, change);
                file.pending.push(change.clone());
            }
        }
    }

    /// The files as they are found afterwards. `next`: the change that was under way.
    #[must_use]
    pub fn files(&self, way: Way, next: Option<&Op>) -> Files {
        let left = self.files.iter().filter_map(|(name, file)| {
            let under_way = next.filter(|op| op.file == *name).map(|op| &op.change);
            Some((Arc::clone(name), file.left(name, way, under_way)?))
        });
        Files(left.collect())
    }
}

impl File {
    fn left(&self, name: &str, way: Way, under_way: Option<&Change>) -> Option<Vec<u8>> {
        let is_beside = name.ends_with("-wal") || name.ends_with("-journal");
        match way {
            Way::Kept => self.now.clone(),
            Way::Forgotten => self.durable.clone(),
            Way::Database => if is_beside { &self.durable } else { &self.now }.clone(),
            Way::Beside => if is_beside { &self.now } else { &self.durable }.clone(),
            Way::Half => self.changed(&self.pending[..self.pending.len() / 2]),
            Way::Torn => {
                let mut bytes = self.now.clone();
                if let Some(Change::Write(at, given)) = under_way {
                    change_file(&mut bytes, &Change::Write(*at, given[..given.len() / 2].into()));
                }
                bytes
            }
            Way::Scattered(seed) => self.scattered(Chance(seed ^ salt(name, self.pending.len())), false),
            Way::Noise(seed) => self.scattered(Chance(seed ^ salt(name, self.pending.len())), true),
        }
    }

    fn changed(&self, changes: &[Change]) -> Option<Vec<u8>> {
        let mut bytes = self.durable.clone();
        changes.iter().for_each(|change| change_file(&mut bytes, change));
        bytes
    }

    fn scattered(&self, mut chance: Chance, noisy: bool) -> Option<Vec<u8>> {
        let (mut bytes, old) = (self.durable.clone(), self.durable.as_ref().map_or(0, Vec::len));
        for change in &self.pending {
            let Change::Write(at, given) = change else {
                if chance.toss() {
                    change_file(&mut bytes, change);
                }
                continue;
            };
            for (number, sector) in given.chunks(SECTOR).enumerate() {
                let at = at + (number * SECTOR) as u64;
                let is_new = usize::try_from(at).is_ok_and(|at| at >= old);
                if chance.toss() {
                    change_file(&mut bytes, &Change::Write(at, sector.into()));
                } else if noisy && is_new && bytes.is_some() {
                    let noise = sector.iter().map(|_| chance.draw().to_le_bytes()[3]).collect();
                    change_file(&mut bytes, &Change::Write(at, noise));
                }
            }
        }
        bytes
    }
}

/// A write to a file whose making was lost is lost as well.
fn change_file(bytes: &mut Option<Vec<u8>>, change: &Change) {
    match (change, &mut *bytes) {
        (Change::Opened, None) => *bytes = Some(Vec::new()),
        (Change::Delete(_), _) => *bytes = None,
        (Change::Truncate(size), Some(bytes)) => bytes.resize(usize::try_from(*size).unwrap(), 0),
        (Change::Write(at, given), Some(bytes)) => {
            let at = usize::try_from(*at).unwrap();
            if bytes.len() < at + given.len() {
                bytes.resize(at + given.len(), 0);
            }
            bytes[at..at + given.len()].copy_from_slice(given);
        }
        _ => {}
    }
}

fn salt(name: &str, count: usize) -> u64 {
    name.bytes().fold(count as u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// A sequence that is the same for a seed each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn toss(&mut self) -> bool {
        self.draw() & 1 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(file: &str, change: Change) -> Op {
        Op { file: file.into(), change }
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_goes_as_the_way_says() {
        let mut model = Model::default();
        for change in [Change::Opened, Change::Write(0, [1; 600].into()), Change::Sync] {
            model.apply(&op("a", change));
        }
        model.apply(&op("a", Change::Write(600, [2; 600].into())));
        let next = op("a", Change::Write(0, [3; 10].into()));
        let bytes = |way| model.files(way, Some(&next)).0.remove("a").unwrap();
        assert_eq!(bytes(Way::Kept).len(), 1200);
        assert_eq!(bytes(Way::Forgotten), vec![1; 600]);
        assert_eq!(bytes(Way::Half), vec![1; 600]);
        assert_eq!(bytes(Way::Torn)[..6], [3, 3, 3, 3, 3, 1]);
        for seed in 0..20 {
            assert_eq!(bytes(Way::Scattered(seed))[..600], [1; 600]);
            assert_eq!(bytes(Way::Noise(seed)).len(), 1200);
        }
    }

    #[test]
    fn a_file_that_was_never_synced_may_be_missing_and_a_deletion_may_be_undone() {
        let mut model = Model::new(Files([("b".into(), vec![7])].into()));
        model.apply(&op("a", Change::Opened));
        model.apply(&op("b", Change::Delete(false)));
        let there = |model: &Model, way| model.files(way, None).0.into_keys().collect::<Vec<_>>().join(" ");
        assert_eq!((there(&model, Way::Kept), there(&model, Way::Forgotten)), ("a".to_owned(), "b".to_owned()));
        model.apply(&op("b", Change::Delete(true)));
        assert_eq!(there(&model, Way::Forgotten), "");
    }
}
