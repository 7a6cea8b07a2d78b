//! A map: many entries at a time, with an errno for each that failed.

use std::path::Path;

use super::record::Record;
use super::sys::MapFd;
pub use super::sys::Shape;
use super::walk::Walk;
use super::{BpfError, pin};
use crate::errno::Errno;

/// Entries of one system call; a call cannot be interrupted.
const CHUNK: usize = 4096;
/// The kernel's internal "not supported", which no libc knows: a kind of map without batches.
const ENOTSUPP: i32 = 524;

/// All entries of a map, packed: `n × key_size` and `n × value_size` bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// One key after the other.
    pub keys: Vec<u8>,
    /// Their values in the same order.
    pub values: Vec<u8>,
}

/// An open map. Dropping it closes the descriptor; the map lives on while it is pinned or used.
#[derive(Debug)]
pub struct Map {
    pub(super) fd: MapFd,
    name: String,
    pub(super) has_batches: bool,
    pub(super) record: Option<Record>,
}

impl Map {
    /// Opens a pinned map, e.g. `/sys/fs/bpf/navstar/vips`.
    ///
    /// # Errors
    /// [`BpfError::PinMissing`], [`BpfError::PinKind`] or [`BpfError::Pin`].
    pub fn open_pinned(path: &Path) -> Result<Self, BpfError> {
        let fd = pin::open(path, "map")?;
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.display().to_string());
        Self::of(fd, name)
    }

    pub(super) fn of(fd: std::os::fd::OwnedFd, name: String) -> Result<Self, BpfError> {
        let fd = MapFd::new(fd).map_err(|source| BpfError::Map {
            operation: "open",
            map: name.clone(),
            source,
        })?;
        Ok(Self {
            fd,
            name,
            has_batches: true,
            record: None,
        })
    }

    /// A second handle to the same map.
    ///
    /// # Errors
    /// [`BpfError::Map`] when there are no descriptors left.
    pub fn try_clone(&self) -> Result<Self, BpfError> {
        let fd = self.fd.as_fd().try_clone_to_owned();
        let fd = fd.map_err(|error| self.failure("open", super::errno_of(&error)))?;
        Self::of(fd, self.name.clone())
    }

    /// Sizes and kind.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.fd.shape()
    }

    pub(super) fn failure(&self, operation: &'static str, source: Errno) -> BpfError {
        BpfError::Map {
            operation,
            map: self.name.clone(),
            source,
        }
    }

    fn misshapen(&self) -> BpfError {
        BpfError::Shape {
            map: self.name.clone(),
            key_size: self.shape().key_size,
            value_size: self.shape().value_size,
        }
    }

    /// Writes entries in order, each replaced atomically. Returns an errno for each entry, 0 for
    /// those that were written; nothing when all were.
    ///
    /// # Errors
    /// [`BpfError::Shape`] when the buffers do not fit the map; nothing was written then.
    pub fn update(&mut self, keys: &[u8], values: &[u8]) -> Result<Vec<i32>, BpfError> {
        let Shape {
            key_size,
            value_size,
            ..
        } = self.shape();
        let count = keys.len().checked_div(key_size).unwrap_or_default();
        if count * key_size != keys.len() || count * value_size != values.len() {
            return Err(self.misshapen());
        }
        let mut failures = Failures::new(count);
        let write = |map: &MapFd, from: usize, to: usize, is_batch: bool| {
            let keys = keys.get(from * key_size..to * key_size).unwrap_or_default();
            let values = values
                .get(from * value_size..to * value_size)
                .unwrap_or_default();
            if is_batch {
                map.update_batch(keys, values)
            } else {
                map.update(keys, values).map_err(|errno| (0, errno))
            }
        };
        self.in_chunks(count, &mut failures, write);
        if let Some(record) = &mut self.record {
            let entries = keys
                .chunks_exact(key_size)
                .zip(values.chunks_exact(value_size));
            for (index, (key, value)) in entries.enumerate() {
                if failures.is_done(index) {
                    record.insert(key, value);
                }
            }
        }
        Ok(failures.errnos)
    }

    /// Deletes entries in order. Returns an errno for each key, `ENOENT` where there was none;
    /// nothing when all were deleted.
    ///
    /// # Errors
    /// [`BpfError::Shape`] when the buffer does not fit the map; nothing was deleted then.
    pub fn delete(&mut self, keys: &[u8]) -> Result<Vec<i32>, BpfError> {
        let key_size = self.shape().key_size;
        let count = keys.len().checked_div(key_size).unwrap_or_default();
        if count * key_size != keys.len() {
            return Err(self.misshapen());
        }
        let mut failures = Failures::new(count);
        let delete = |map: &MapFd, from: usize, to: usize, is_batch: bool| {
            let keys = keys.get(from * key_size..to * key_size).unwrap_or_default();
            if is_batch {
                map.delete_batch(keys)
            } else {
                map.delete(keys).map_err(|errno| (0, errno))
            }
        };
        self.in_chunks(count, &mut failures, delete);
        if let Some(record) = &mut self.record {
            for (index, key) in keys.chunks_exact(key_size).enumerate() {
                if failures.is_done(index) || failures.is_absent(index) {
                    record.remove(key);
                }
            }
        }
        Ok(failures.errnos)
    }

    /// Does `0..count` by batches where the map has them, else one by one; an entry that fails is
    /// noted and the rest still done. `act` gets the map, from, to and whether to use a batch.
    fn in_chunks(
        &mut self,
        count: usize,
        failures: &mut Failures,
        act: impl Fn(&MapFd, usize, usize, bool) -> Result<(), (usize, Errno)>,
    ) {
        let mut next = 0;
        while next < count {
            let is_batch = self.has_batches && count - next > 1;
            let end = if is_batch {
                count.min(next + CHUNK)
            } else {
                next + 1
            };
            match act(&self.fd, next, end, is_batch) {
                Ok(()) => next = end,
                Err((0, errno)) if is_batch && is_without_batches(errno) => {
                    // Perhaps this entry is at fault; done alone, it tells.
                    self.has_batches = errno.0 == libc::EINVAL;
                    match act(&self.fd, next, next + 1, false) {
                        Ok(()) => self.has_batches = false,
                        Err((_, errno)) => failures.note(next, errno),
                    }
                    next += 1;
                }
                Err((done, errno)) => {
                    failures.note(next + done, errno);
                    next += done + 1;
                }
            }
        }
    }

    /// Reads all entries, and takes them as the state that [`super::audit`] compares with. Complete
    /// when nobody writes meanwhile.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub fn dump(&mut self) -> Result<Entries, BpfError> {
        let Shape {
            key_size,
            value_size,
            ..
        } = self.shape();
        let mut walk = Walk::start(self, CHUNK);
        let mut entries = Entries::default();
        while let Some((keys, values)) = walk.next(self)? {
            entries.keys.extend_from_slice(keys);
            entries.values.extend_from_slice(values);
        }
        let count = entries.keys.len().checked_div(key_size).unwrap_or_default();
        let mut record = Record::with_capacity(count);
        let pairs = entries.keys.chunks_exact(key_size);
        for (key, value) in pairs.zip(entries.values.chunks_exact(value_size)) {
            record.insert(key, value);
        }
        let revision = self.record.as_ref().map_or(0, |record| record.revision);
        record.revision = revision.wrapping_add(1);
        self.record = Some(record);
        Ok(entries)
    }
}

pub(super) fn is_without_batches(errno: Errno) -> bool {
    [libc::EINVAL, libc::EOPNOTSUPP, ENOTSUPP].contains(&errno.0)
}

/// Errnos by entry; empty until the first failure.
struct Failures {
    count: usize,
    errnos: Vec<i32>,
}

impl Failures {
    fn new(count: usize) -> Self {
        Self {
            count,
            errnos: Vec::new(),
        }
    }

    fn note(&mut self, index: usize, errno: Errno) {
        self.errnos.resize(self.count, 0);
        if let Some(slot) = self.errnos.get_mut(index) {
            *slot = errno.0;
        }
    }

    fn is_done(&self, index: usize) -> bool {
        self.errnos.get(index).is_none_or(|errno| *errno == 0)
    }

    fn is_absent(&self, index: usize) -> bool {
        self.errnos.get(index) == Some(&libc::ENOENT)
    }
}
