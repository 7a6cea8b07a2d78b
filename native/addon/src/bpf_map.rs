//! A BPF map as JavaScript sees it.

use std::path::Path;

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::bpf::BpfError;
use navstar_kernel::bpf::map::{Map, Shape};
use navstar_kernel::bpf::worker::{Handle, post};

use crate::bpf::{close, run};
use crate::operation::{Failure, Settle, promise};

/// All entries of a map, packed: `n × keySize` and `n × valueSize` bytes.
#[napi(object)]
pub struct BpfEntries {
    /// One key after the other.
    pub keys: Uint8Array,
    /// Their values in the same order.
    pub values: Uint8Array,
}

/// An open map. Entries cross packed: `n × keySize` and `n × valueSize` bytes.
#[napi]
pub struct BpfMap {
    handle: Handle,
    shape: Shape,
}

#[napi]
impl BpfMap {
    /// Opens a pinned map, e.g. `/sys/fs/bpf/navstar/vips`.
    ///
    /// Rejects with code `BPF_PIN_MISSING`, `BPF_PIN_KIND` or `BPF_PIN`.
    #[napi(catch_unwind)]
    pub fn open_pinned(env: &Env, path: String) -> Result<PromiseRaw<'_, BpfMap>> {
        run(env, move |registry| {
            let map = Map::open_pinned(Path::new(&path))?;
            let (handle, shape) = (Handle::fresh(), map.shape());
            registry.keep_map(handle, map);
            Ok(Self { handle, shape })
        })
    }

    /// Bytes of a key.
    #[napi(getter)]
    pub fn key_size(&self) -> u32 {
        u32::try_from(self.shape.key_size).unwrap_or(u32::MAX)
    }

    /// Bytes of a value as they cross; a per-CPU map has a value of 8, 16, … bytes for each
    /// possible CPU.
    #[napi(getter)]
    pub fn value_size(&self) -> u32 {
        u32::try_from(self.shape.value_size).unwrap_or(u32::MAX)
    }

    /// How many entries fit.
    #[napi(getter)]
    pub fn max_entries(&self) -> u32 {
        self.shape.max_entries
    }

    /// Writes entries in order, each replaced atomically. Resolves with an errno for each, 0 for
    /// those that were written; empty when all were.
    ///
    /// Rejects with code `BPF_SHAPE` (nothing was written) or `BPF_CLOSED`.
    #[napi(catch_unwind)]
    pub fn update<'env>(
        &self,
        env: &'env Env,
        keys: Uint8Array,
        values: Uint8Array,
    ) -> Result<PromiseRaw<'env, Vec<i32>>> {
        let (keys, values) = (keys.to_vec(), values.to_vec());
        self.run(env, move |map| map.update(&keys, &values))
    }

    /// Deletes entries in order. Resolves with an errno for each, `ENOENT` (2) where there was
    /// none; empty when all were deleted.
    ///
    /// Rejects with code `BPF_SHAPE` (nothing was deleted) or `BPF_CLOSED`.
    #[napi(catch_unwind)]
    pub fn delete<'env>(
        &self,
        env: &'env Env,
        keys: Uint8Array,
    ) -> Result<PromiseRaw<'env, Vec<i32>>> {
        let keys = keys.to_vec();
        self.run(env, move |map| map.delete(&keys))
    }

    /// Reads all entries, and takes them as what [`BpfMap::audit`] compares with. Complete when
    /// nobody writes meanwhile.
    ///
    /// Rejects with code `BPF_MAP` or `BPF_CLOSED`.
    #[napi(catch_unwind)]
    pub fn dump<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, BpfEntries>> {
        self.run(env, |map| {
            map.dump().map(|entries| BpfEntries {
                keys: entries.keys.into(),
                values: entries.values.into(),
            })
        })
    }

    /// Reads all entries and tells whether they are what the last dump through this handle and the
    /// confirmed writes through it since then say; false also when it was never dumped. Gives way
    /// to every other operation. In a large map with few entries, one that somebody added is found
    /// by one audit of 16.
    ///
    /// Rejects with code `BPF_MAP` or `BPF_CLOSED`.
    #[napi(catch_unwind)]
    pub fn audit<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, bool>> {
        let handle = self.handle;
        promise(env, move |settle: Settle<bool>| {
            let done = move |outcome: std::result::Result<bool, BpfError>| {
                settle.with(outcome.map_err(Failure::from));
            };
            Ok(post(move |registry| {
                registry.audit(handle, Box::new(done));
            })?)
        })
    }

    /// Closes the descriptor after the operations that wait. May be repeated.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        close(self.handle);
    }
}

impl BpfMap {
    pub(crate) fn of(handle: Handle, shape: Shape) -> Self {
        Self { handle, shape }
    }

    fn run<'env, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'env Env,
        work: impl FnOnce(&mut Map) -> std::result::Result<T, BpfError> + Send + 'static,
    ) -> Result<PromiseRaw<'env, T>> {
        let handle = self.handle;
        run(env, move |registry| Ok(work(registry.map(handle)?)?))
    }
}

impl Drop for BpfMap {
    fn drop(&mut self) {
        close(self.handle);
    }
}
