//! A map's descriptor together with the sizes that the kernel tells, so that no call can pass a
//! buffer that is too small.
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::{
    BatchRequest, Command, ElementRequest, MapFacts, Plain, address, address_mut, call, descriptor,
    facts,
};
use crate::bpf::errno_of;
use crate::errno::Errno;

const PERCPU_HASH: u32 = 5;
const PERCPU_ARRAY: u32 = 6;
const LRU_PERCPU_HASH: u32 = 10;
/// `enum bpf_map_type` of the maps whose value lies in one piece for each key: hash, array,
/// their per-CPU forms, LRU hash, LPM trie.
const SIMPLE: [u32; 7] = [1, 2, PERCPU_HASH, PERCPU_ARRAY, 9, LRU_PERCPU_HASH, 11];

/// What a map is, as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// `enum bpf_map_type`, e.g. 1 for a hash.
    pub map_type: u32,
    /// The kernel's number for it.
    pub identifier: u32,
    /// In bytes.
    pub key_size: usize,
    /// In bytes as exchanged with user space: a per-CPU map has a value for each possible CPU,
    /// each rounded up to 8 bytes.
    pub value_size: usize,
    /// How many entries fit.
    pub max_entries: u32,
}

/// Where a batch of lookups goes on.
#[derive(Debug, Clone)]
pub(in crate::bpf) struct Cursor {
    next: Vec<u8>,
    is_started: bool,
}

/// What one batch of lookups brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bpf) struct Batch {
    /// Entries written to the buffers.
    pub(in crate::bpf) count: usize,
    /// Nothing follows.
    pub(in crate::bpf) is_last: bool,
}

/// The owner of a map's descriptor.
#[derive(Debug)]
pub(in crate::bpf) struct MapFd {
    fd: OwnedFd,
    shape: Shape,
}

impl MapFd {
    /// Takes over a descriptor of a map.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for a kind of map whose values have no fixed size.
    pub(in crate::bpf) fn new(fd: OwnedFd) -> Result<Self, Errno> {
        let told = facts(fd.as_fd(), MapFacts::zeroed())?;
        if !SIMPLE.contains(&told.map_type) {
            return Err(Errno(libc::EOPNOTSUPP));
        }
        let is_per_cpu = [PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH].contains(&told.map_type);
        let value_size = told.value_size as usize;
        let shape = Shape {
            map_type: told.map_type,
            identifier: told.identifier,
            key_size: told.key_size as usize,
            value_size: if is_per_cpu {
                value_size.next_multiple_of(8) * possible_cpus()?
            } else {
                value_size
            },
            max_entries: told.max_entries,
        };
        Ok(Self { fd, shape })
    }

    pub(in crate::bpf) fn shape(&self) -> Shape {
        self.shape
    }

    pub(in crate::bpf) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn element(&self, key: &[u8], value: u64) -> Result<ElementRequest, Errno> {
        if key.len() != self.shape.key_size {
            return Err(Errno(libc::EINVAL));
        }
        Ok(ElementRequest {
            map_fd: descriptor(self.fd.as_fd()),
            key: address(key),
            value,
            ..ElementRequest::zeroed()
        })
    }

    pub(in crate::bpf) fn lookup(&self, key: &[u8], value: &mut [u8]) -> Result<(), Errno> {
        self.expect_values(value.len(), 1)?;
        let mut request = self.element(key, address_mut(value))?;
        // SAFETY: the key has the map's size, and so has the value that is written.
        unsafe { call(Command::MapLookupElement, &mut request) }.map(drop)
    }

    pub(in crate::bpf) fn update(&self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.expect_values(value.len(), 1)?;
        let mut request = self.element(key, address(value))?;
        // SAFETY: key and value have the map's sizes and are only read.
        unsafe { call(Command::MapUpdateElement, &mut request) }.map(drop)
    }

    pub(in crate::bpf) fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        let mut request = self.element(key, 0)?;
        // SAFETY: the key has the map's size and is only read.
        unsafe { call(Command::MapDeleteElement, &mut request) }.map(drop)
    }

    /// The key after `key`, or the first; `ENOENT` after the last.
    pub(in crate::bpf) fn next_key(
        &self,
        key: Option<&[u8]>,
        next: &mut [u8],
    ) -> Result<(), Errno> {
        if next.len() != self.shape.key_size
            || key.is_some_and(|key| key.len() != self.shape.key_size)
        {
            return Err(Errno(libc::EINVAL));
        }
        let mut request = ElementRequest {
            map_fd: descriptor(self.fd.as_fd()),
            key: key.map_or(0, address),
            value: address_mut(next),
            ..ElementRequest::zeroed()
        };
        // SAFETY: both keys have the map's size; only `next` is written.
        unsafe { call(Command::MapGetNextKey, &mut request) }.map(drop)
    }

    fn expect_values(&self, length: usize, count: usize) -> Result<(), Errno> {
        if self.shape.value_size.checked_mul(count) == Some(length) {
            Ok(())
        } else {
            Err(Errno(libc::EINVAL))
        }
    }

    fn batch(&self, keys: &[u8]) -> Result<(BatchRequest, usize), Errno> {
        let key_size = self.shape.key_size;
        if key_size == 0 || !keys.len().is_multiple_of(key_size) {
            return Err(Errno(libc::EINVAL));
        }
        let count = keys.len() / key_size;
        let request = BatchRequest {
            count: u32::try_from(count).map_err(|_| Errno(libc::EINVAL))?,
            map_fd: descriptor(self.fd.as_fd()),
            ..BatchRequest::zeroed()
        };
        Ok((request, count))
    }

    /// Writes entries in order; on failure also tells how many were written before it.
    pub(in crate::bpf) fn update_batch(
        &self,
        keys: &[u8],
        values: &[u8],
    ) -> Result<(), (usize, Errno)> {
        let (mut request, count) = self.batch(keys).map_err(|errno| (0, errno))?;
        self.expect_values(values.len(), count)
            .map_err(|errno| (0, errno))?;
        request.keys = address(keys);
        request.values = address(values);
        // SAFETY: `count` keys and values of the map's sizes, only read.
        let outcome = unsafe { call(Command::MapUpdateBatch, &mut request) };
        outcome
            .map(drop)
            .map_err(|errno| (done_before_failure(&request, count), errno))
    }

    /// Deletes entries in order; on failure also tells how many were deleted before it.
    pub(in crate::bpf) fn delete_batch(&self, keys: &[u8]) -> Result<(), (usize, Errno)> {
        let (mut request, count) = self.batch(keys).map_err(|errno| (0, errno))?;
        request.keys = address(keys);
        // SAFETY: `count` keys of the map's size, only read.
        let outcome = unsafe { call(Command::MapDeleteBatch, &mut request) };
        outcome
            .map(drop)
            .map_err(|errno| (done_before_failure(&request, count), errno))
    }

    /// A cursor at the start. Hash maps write 4 bytes to it, the others a key.
    pub(in crate::bpf) fn cursor(&self) -> Cursor {
        Cursor {
            next: vec![0; self.shape.key_size.max(4)],
            is_started: false,
        }
    }

    /// Reads the next entries, as many as fit the buffers. `ENOSPC`: not even one bucket fits.
    pub(in crate::bpf) fn lookup_batch(
        &self,
        cursor: &mut Cursor,
        keys: &mut [u8],
        values: &mut [u8],
    ) -> Result<Batch, Errno> {
        let (mut request, count) = self.batch(keys)?;
        self.expect_values(values.len(), count)?;
        if cursor.next.len() < self.shape.key_size.max(4) {
            return Err(Errno(libc::EINVAL));
        }
        let from = cursor.next.clone();
        request.in_batch = if cursor.is_started { address(&from) } else { 0 };
        request.out_batch = address_mut(&mut cursor.next);
        request.keys = address_mut(keys);
        request.values = address_mut(values);
        // SAFETY: the buffers hold `count` keys and values, the cursor a key or 4 bytes.
        let outcome = unsafe { call(Command::MapLookupBatch, &mut request) };
        let is_last = match outcome {
            Ok(_) => false,
            Err(Errno(libc::ENOENT)) => true,
            Err(errno) => return Err(errno),
        };
        cursor.is_started = true;
        Ok(Batch {
            count: (request.count as usize).min(count),
            is_last,
        })
    }
}

/// Where a batch stopped. The kernel leaves `count` alone when it refuses the request as such, so
/// "all of them" next to an error means none.
fn done_before_failure(request: &BatchRequest, count: usize) -> usize {
    let done = request.count as usize;
    if done < count { done } else { 0 }
}

/// How many CPUs the kernel may ever have: its per-CPU values are that many.
fn possible_cpus() -> Result<usize, Errno> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible")
        .map_err(|error| errno_of(&error))?;
    count_cpus(&text).ok_or(Errno(libc::EINVAL))
}

/// The length of a CPU list, e.g. 5 for `0-3,6`.
fn count_cpus(list: &str) -> Option<usize> {
    list.trim().split(',').try_fold(0_usize, |count, range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to) = (from.parse::<usize>().ok()?, to.parse::<usize>().ok()?);
        count.checked_add(to.checked_sub(from)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use super::count_cpus;

    #[test]
    fn a_cpu_list_is_counted() {
        for (list, count) in [("0\n", 1), ("0-1\n", 2), ("0-3,6", 5), ("0,2,4-5", 4)] {
            assert_eq!(count_cpus(list), Some(count), "{list}");
        }
        for list in ["", "a", "3-1", "0-"] {
            assert_eq!(count_cpus(list), None, "{list}");
        }
    }
}
