//! Comparing a map with what it should hold: the kernel tells nobody when a map is written.
//!
//! The map is read in slices, so that writes need not wait for a large one. A write between two
//! slices may be seen or not; when the result then differs, the audit reads again, at last without
//! slices.
//!
//! Reading a large map takes as long as it has buckets, however few are in use. While few are, most
//! audits only ask for the entries that should be there: what was changed or deleted is found at
//! once, what was added by the next full one.

use super::BpfError;
use super::map::Map;
use super::record::Digest;
use super::walk::Walk;
use crate::errno::Errno;

/// Entries of one slice: about a millisecond.
const SLICE: usize = 4096;
/// Reads that may be disturbed by our own writes before one is done in one go.
const DISTURBED_READS: u32 = 3;
/// Maps with fewer entries are always read as a whole: that takes a fifth of a millisecond.
const LARGE: u32 = 131_072;
/// Of so many audits of a large map with few entries, one reads it as a whole.
pub const AUDITS_PER_FULL_ONE: u32 = 16;

/// An audit in progress.
#[derive(Debug)]
pub struct Audit {
    /// Nothing: only the entries that should be there are asked for.
    walk: Option<Walk>,
    digest: Digest,
    revision: u64,
    disturbed: u32,
}

impl Audit {
    /// Starts one. Nothing when the map was never dumped: there is nothing to compare with.
    #[must_use]
    pub fn start(map: &mut Map) -> Option<Self> {
        let is_large = map.shape().max_entries >= LARGE;
        let record = map.record.as_mut()?;
        let is_due = record.partial_audits + 1 >= AUDITS_PER_FULL_ONE;
        let is_full = is_due || !is_large || record.few_keys().is_none();
        record.partial_audits = if is_full {
            0
        } else {
            record.partial_audits + 1
        };
        let revision = record.revision;
        Some(Self {
            walk: is_full.then(|| Walk::start(map, SLICE)),
            digest: Digest::default(),
            revision,
            disturbed: 0,
        })
    }

    /// Reads the next slice. Tells at the end whether the map holds exactly what the last dump and
    /// our own confirmed writes since then say.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub fn step(&mut self, map: &mut Map) -> Result<Option<bool>, BpfError> {
        if self.walk.is_none() && self.ask_for_each(map)? {
            return Ok(self.conclude(map));
        }
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

    /// Asks for each entry that should be there. False when there came to be too many.
    fn ask_for_each(&mut self, map: &Map) -> Result<bool, BpfError> {
        let Some(keys) = map.record.as_ref().and_then(|record| record.few_keys()) else {
            self.walk = Some(Walk::start(map, SLICE));
            return Ok(false);
        };
        let mut value = vec![0; map.shape().value_size];
        for key in keys {
            match map.fd.lookup(key, &mut value) {
                Ok(()) => self.digest.add_entry(key, &value),
                Err(Errno(libc::ENOENT)) => {}
                Err(errno) => return Err(map.failure("audit", errno)),
            }
        }
        self.revision = map.record.as_ref().map_or(0, |record| record.revision);
        Ok(true)
    }

    /// False when there was nothing left to read.
    fn read_slice(&mut self, map: &mut Map) -> Result<bool, BpfError> {
        let (key_size, value_size) = (map.shape().key_size, map.shape().value_size);
        let Some(walk) = &mut self.walk else {
            return Ok(false);
        };
        let Some((keys, values)) = walk.next(map)? else {
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
        self.revision = record.revision;
        self.walk = Some(Walk::start(map, SLICE));
        self.digest = Digest::default();
        self.disturbed += 1;
        None
    }
}
