//! Comparing a map with what it should hold: the kernel tells nobody when a map is written.
//!
//! The map is read in slices, so that writes need not wait for a large one. A write between two
//! slices may be seen or not; when the result then differs, the audit reads again, at last without
//! slices.

use super::BpfError;
use super::map::Map;
use super::record::Digest;
use super::walk::Walk;

/// Entries of one slice: about a millisecond.
const SLICE: usize = 4096;
/// Reads that may be disturbed by our own writes before one is done in one go.
const DISTURBED_READS: u32 = 3;

/// An audit in progress.
#[derive(Debug)]
pub struct Audit {
    walk: Walk,
    digest: Digest,
    revision: u64,
    disturbed: u32,
}

impl Audit {
    /// Starts one. Nothing when the map was never dumped: there is nothing to compare with.
    #[must_use]
    pub fn start(map: &Map) -> Option<Self> {
        map.record.as_ref().map(|record| Self {
            walk: Walk::start(map, SLICE),
            digest: Digest::default(),
            revision: record.revision,
            disturbed: 0,
        })
    }

    /// Reads the next slice. Tells at the end whether the map holds exactly what the last dump and
    /// our own confirmed writes since then say.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub fn step(&mut self, map: &mut Map) -> Result<Option<bool>, BpfError> {
        let is_in_one_go = self.disturbed >= DISTURBED_READS;
        loop {
            if !self.read_slice(map)? {
                return Ok(self.conclude(map));
            }
            if !is_in_one_go {
                return Ok(None);
            }
        }
    }

    /// False when there was nothing left to read.
    fn read_slice(&mut self, map: &mut Map) -> Result<bool, BpfError> {
        let (key_size, value_size) = (map.shape().key_size, map.shape().value_size);
        let Some((keys, values)) = self.walk.next(map)? else {
            return Ok(false);
        };
        let pairs = keys
            .chunks_exact(key_size)
            .zip(values.chunks_exact(value_size));
        for (key, value) in pairs {
            self.digest.add_entry(key, value);
        }
        Ok(true)
    }

    fn conclude(&mut self, map: &Map) -> Option<bool> {
        let record = map.record.as_ref()?;
        let is_same = record.digest() == self.digest;
        if is_same || record.revision == self.revision {
            return Some(is_same);
        }
        self.walk = Walk::start(map, SLICE);
        self.digest = Digest::default();
        self.revision = record.revision;
        self.disturbed += 1;
        None
    }
}
