//! What a map should hold, as small as it can be told: for each entry a hash of its key and one of
//! the whole, and the sum of the latter. The sum does not depend on the order, so that a full
//! re-read compares by adding up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Order-independent digest of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest {
    entries: u64,
    sum: u64,
}

impl Digest {
    fn add(&mut self, hash: u64) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash);
    }

    fn subtract(&mut self, hash: u64) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash);
    }

    /// Adds an entry that was read.
    pub(super) fn add_entry(&mut self, key: &[u8], value: &[u8]) {
        self.add(hash(hash(SEED, key), value));
    }
}

/// So many entries are asked for one by one in less than a millisecond.
const FEW: usize = 1024;

/// What the last dump and our own confirmed writes since then say.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Hash of the key → hash of the entry. Two keys with one hash are not expected: at a million
    /// entries the odds are one in 10^7.
    entries: HashMap<u64, u64, BuildHasherDefault<AlreadyHashed>>,
    digest: Digest,
    /// The keys by their hash; nothing once there were more than [`FEW`].
    keys: Option<HashMap<u64, Box<[u8]>, BuildHasherDefault<AlreadyHashed>>>,
    /// Audits since the last one that read the whole map.
    pub(super) partial_audits: u32,
    /// Counts the writes, so that an audit knows whether one came in between.
    pub(super) revision: u64,
}

impl Record {
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self {
            entries: HashMap::with_capacity_and_hasher(entries, BuildHasherDefault::default()),
            keys: Some(HashMap::default()),
            ..Self::default()
        }
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// The keys, while they are few.
    pub(super) fn few_keys(&self) -> Option<impl Iterator<Item = &[u8]>> {
        Some(self.keys.as_ref()?.values().map(AsRef::as_ref))
    }

    pub(super) fn insert(&mut self, key: &[u8], value: &[u8]) {
        let key_hash = hash(SEED, key);
        let entry_hash = hash(key_hash, value);
        if let Some(old) = self.entries.insert(key_hash, entry_hash) {
            self.digest.subtract(old);
        }
        if let Some(keys) = &mut self.keys {
            keys.entry(key_hash).or_insert_with(|| key.into());
        }
        self.keys = self.keys.take().filter(|keys| keys.len() <= FEW);
        self.digest.add(entry_hash);
        self.revision = self.revision.wrapping_add(1);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        let key_hash = hash(SEED, key);
        if let Some(old) = self.entries.remove(&key_hash) {
            self.digest.subtract(old);
        }
        if let Some(keys) = &mut self.keys {
            keys.remove(&key_hash);
        }
        self.revision = self.revision.wrapping_add(1);
    }
}

/// The keys of the record are hashes already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const SEED: u64 = 0x6e61_7673_7461_7231;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds the 128 bits of a product into 64, so that every input bit reaches every output bit.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
    u64::try_from(low ^ high).unwrap_or_default()
}

/// Hashes bytes whose number is the same for all entries of a map.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = seed;
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), MULTIPLIER).wrapping_add(SEED);
    }
    let mut last = [0_u8; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(state ^ u64::from_le_bytes(last), MULTIPLIER ^ SEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(entries: &[(&[u8], &[u8])]) -> Digest {
        let mut digest = Digest::default();
        for (key, value) in entries {
            digest.add_entry(key, value);
        }
        digest
    }

    #[test]
    fn the_order_of_entries_does_not_matter() {
        assert_eq!(
            digest_of(&[(b"a", b"1"), (b"b", b"2")]),
            digest_of(&[(b"b", b"2"), (b"a", b"1")])
        );
    }

    #[test]
    fn exchanged_values_are_seen() {
        let right = digest_of(&[(b"a", b"1"), (b"b", b"2")]);
        assert_ne!(right, digest_of(&[(b"a", b"2"), (b"b", b"1")]));
    }

    #[test]
    fn a_record_follows_updates_and_deletes() {
        let mut record = Record::default();
        record.insert(b"a", b"1");
        record.insert(b"b", b"2");
        record.insert(b"a", b"3");
        record.remove(b"b");
        record.remove(b"c");
        assert_eq!(record.digest(), digest_of(&[(b"a", b"3")]));
        record.remove(b"a");
        assert_eq!(record.digest(), Digest::default());
    }

    #[test]
    fn a_record_knows_its_keys_while_they_are_few() {
        let mut record = Record::with_capacity(0);
        record.insert(b"a", b"1");
        record.insert(b"b", b"2");
        record.insert(b"a", b"3");
        record.remove(b"b");
        let keys: Vec<_> = record.few_keys().unwrap().collect();
        assert_eq!(keys, [b"a"]);
        for number in 0..FEW {
            record.insert(&number.to_ne_bytes(), b"1");
        }
        assert!(record.few_keys().is_none());
    }

    #[test]
    fn every_bit_of_an_entry_counts() {
        let mut seen = std::collections::HashSet::new();
        for bit in 0..60 * 8 {
            let mut entry = [0_u8; 60];
            entry[bit / 8] = 1 << (bit % 8);
            assert!(seen.insert(hash(hash(SEED, &entry[..40]), &entry[40..])));
        }
    }
}
