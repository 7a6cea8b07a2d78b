//! What is pinned on a BPF file system.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::sys::{self, MapFacts, Plain};
use super::{BpfError, errno_of};
use crate::errno::Errno;

/// Opens the `map` or `link` pinned at `path`.
pub(super) fn open(path: &Path, wanted: &'static str) -> Result<OwnedFd, BpfError> {
    let fd = sys::open_pin(path).map_err(|source| match source {
        Errno(libc::ENOENT) => BpfError::PinMissing {
            path: path.to_owned(),
        },
        _ => failure("open", path, source),
    })?;
    if is_kind(&fd, wanted) {
        Ok(fd)
    } else {
        Err(BpfError::PinKind {
            path: path.to_owned(),
            wanted,
        })
    }
}

/// The kernel tells the kind of a descriptor only through `/proc`: `map_id:` or `link_id:`.
fn is_kind(fd: &OwnedFd, wanted: &str) -> bool {
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
    let field = format!("{wanted}_id:");
    told.is_ok_and(|told| told.lines().any(|line| line.starts_with(&field)))
}

pub(super) fn failure(operation: &'static str, path: &Path, source: Errno) -> BpfError {
    BpfError::Pin {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// Makes the directory where it is missing, and makes sure that things can be pinned there.
pub(super) fn prepare_directory(path: &Path) -> Result<(), BpfError> {
    let existing = path
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(path);
    let is_bpf =
        sys::is_bpf_file_system(existing).map_err(|source| failure("statfs", existing, source))?;
    if !is_bpf {
        return Err(BpfError::NotBpfFileSystem {
            path: path.to_owned(),
        });
    }
    fs::create_dir_all(path).map_err(|error| failure("mkdir", path, errno_of(&error)))
}

/// A map that an object wants under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WantedMap {
    pub(super) path: PathBuf,
    pub(super) map_type: u32,
    pub(super) key_size: u32,
    pub(super) value_size: u32,
    pub(super) max_entries: u32,
    pub(super) flags: u32,
}

impl WantedMap {
    /// Whether it is pinned already. One that differs is an error: what holds its entries would
    /// be lost or read wrongly.
    pub(super) fn is_pinned(&self) -> Result<bool, BpfError> {
        use std::os::fd::AsFd;
        let fd = match open(&self.path, "map") {
            Ok(fd) => fd,
            Err(BpfError::PinMissing { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let pinned = sys::facts(fd.as_fd(), MapFacts::zeroed())
            .map_err(|source| failure("reading the facts", &self.path, source))?;
        let fields = [
            ("type", pinned.map_type, self.map_type),
            ("key_size", pinned.key_size, self.key_size),
            ("value_size", pinned.value_size, self.value_size),
            ("max_entries", pinned.max_entries, self.max_entries),
            ("map_flags", pinned.flags, self.flags),
        ];
        match fields
            .into_iter()
            .find(|(_, pinned, wanted)| pinned != wanted)
        {
            None => Ok(true),
            Some((field, pinned, wanted)) => Err(BpfError::PinMismatch {
                path: self.path.clone(),
                field,
                pinned,
                wanted,
            }),
        }
    }
}
