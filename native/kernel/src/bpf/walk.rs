//! Reading all entries of a map, a part at a time.

use super::BpfError;
use super::map::{Map, Shape, is_without_batches};
use super::sys;
use crate::errno::Errno;

/// Keys and their values.
pub(super) type Packed<'a> = (&'a [u8], &'a [u8]);

/// A full read in progress.
#[derive(Debug)]
pub(super) struct Walk {
    cursor: sys::Cursor,
    last_key: Option<Vec<u8>>,
    keys: Vec<u8>,
    values: Vec<u8>,
    is_over: bool,
}

impl Walk {
    /// Starts reading all entries, `chunk` at a time.
    pub(super) fn start(map: &Map, chunk: usize) -> Self {
        let Shape {
            key_size,
            value_size,
            ..
        } = map.shape();
        Self {
            cursor: map.fd.cursor(),
            last_key: None,
            keys: vec![0; chunk * key_size],
            values: vec![0; chunk * value_size],
            is_over: false,
        }
    }

    /// The next keys and values, packed; nothing at the end.
    pub(super) fn next(&mut self, map: &mut Map) -> Result<Option<Packed<'_>>, BpfError> {
        if self.is_over {
            return Ok(None);
        }
        let Shape {
            key_size,
            value_size,
            ..
        } = map.shape();
        let count = self.fill(map).map_err(|errno| map.failure("dump", errno))?;
        let keys = self.keys.get(..count * key_size).unwrap_or_default();
        let values = self.values.get(..count * value_size).unwrap_or_default();
        Ok(Some((keys, values)))
    }

    fn fill(&mut self, map: &mut Map) -> Result<usize, Errno> {
        while map.has_batches {
            match map
                .fd
                .lookup_batch(&mut self.cursor, &mut self.keys, &mut self.values)
            {
                Ok(batch) => {
                    self.is_over = batch.is_last;
                    return Ok(batch.count);
                }
                Err(Errno(libc::ENOSPC)) => {
                    // A bucket has more entries than the buffers take.
                    self.keys.resize(self.keys.len() * 2, 0);
                    self.values.resize(self.values.len() * 2, 0);
                }
                Err(errno) if is_without_batches(errno) => map.has_batches = false,
                Err(errno) => return Err(errno),
            }
        }
        self.fill_one_by_one(map)
    }

    /// For maps and kernels without batches.
    fn fill_one_by_one(&mut self, map: &Map) -> Result<usize, Errno> {
        let Shape {
            key_size,
            value_size,
            ..
        } = map.shape();
        let keys = self.keys.chunks_exact_mut(key_size);
        let values = self.values.chunks_exact_mut(value_size);
        let mut count = 0;
        for (key, value) in keys.zip(values) {
            loop {
                match map.fd.next_key(self.last_key.as_deref(), key) {
                    Ok(()) => self.last_key = Some(key.to_vec()),
                    Err(Errno(libc::ENOENT)) => {
                        self.is_over = true;
                        return Ok(count);
                    }
                    Err(errno) => return Err(errno),
                }
                match map.fd.lookup(key, value) {
                    Ok(()) => break,
                    // Deleted in between.
                    Err(Errno(libc::ENOENT)) => {}
                    Err(errno) => return Err(errno),
                }
            }
            count += 1;
        }
        Ok(count)
    }
}
