//! BPF: load an object, attach its programs to control groups, read and write its maps.
//!
//! Maps and links are pinned, so that they outlive the process; what is pinned is adopted when it
//! is the same and replaced without a gap when it is not.

use std::path::PathBuf;

use thiserror::Error;

use crate::errno::Errno;

/// Comparing a map with what it should hold, a slice at a time.
pub mod audit;
/// What this kernel can do.
pub mod feature;
/// Links: a program attached to a control group.
pub mod link;
/// Maps: update, delete, dump.
pub mod map;
/// Loading an object.
pub mod object;
mod pin;
mod record;
mod sys;
mod walk;
/// The thread that all this runs on.
pub mod worker;

/// Why something about BPF did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BpfError {
    /// The kernel lacks something.
    #[error("{feature} is not supported by this kernel (needs {minimum_kernel})")]
    NotSupported {
        /// E.g. `bpf(2)`.
        feature: &'static str,
        /// E.g. `5.10`.
        minimum_kernel: &'static str,
        /// What it answered.
        #[source]
        source: Errno,
    },
    /// The object file is not what it should be.
    #[error("the BPF object {object} is not usable: {reason}")]
    Object {
        /// E.g. `l4lb`.
        object: String,
        /// In the loader's words.
        reason: String,
    },
    /// A map of the object could not be made.
    #[error("map {map} could not be created: {reason}")]
    CreateMap {
        /// E.g. `vips`, or `?` where the loader does not tell.
        map: String,
        /// In the loader's words.
        reason: String,
        /// Why.
        #[source]
        source: Errno,
    },
    /// The kernel refused a program.
    #[error("program {program} was not accepted; the verifier says: {log}")]
    LoadProgram {
        /// E.g. `connect4`.
        program: String,
        /// The end of the verifier's log.
        log: String,
        /// Why.
        #[source]
        source: Errno,
    },
    /// A pinned map is not the one that the object describes. Nothing was changed.
    #[error("the map pinned at {} has {field} {pinned}, not {wanted}", .path.display())]
    PinMismatch {
        /// E.g. `/sys/fs/bpf/navstar/vips`.
        path: PathBuf,
        /// E.g. `max_entries`.
        field: &'static str,
        /// What is there.
        pinned: u32,
        /// What the object and the options say.
        wanted: u32,
    },
    /// A map should have been pinned already.
    #[error("nothing is pinned at {}", .path.display())]
    PinMissing {
        /// E.g. `/sys/fs/bpf/navstar/vips`.
        path: PathBuf,
    },
    /// Something else is pinned there.
    #[error("what is pinned at {} is not a {wanted}", .path.display())]
    PinKind {
        /// E.g. `/sys/fs/bpf/navstar/vips`.
        path: PathBuf,
        /// `map` or `link`.
        wanted: &'static str,
    },
    /// A path on the BPF file system could not be used.
    #[error("{operation} of {} failed", .path.display())]
    Pin {
        /// E.g. `open`, `pin`, `rename`.
        operation: &'static str,
        /// E.g. `/sys/fs/bpf/navstar`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Errno,
    },
    /// The pin directory is not on a BPF file system.
    #[error("{} is not on a BPF file system (mount -t bpf bpf /sys/fs/bpf)", .path.display())]
    NotBpfFileSystem {
        /// E.g. `/sys/fs/bpf/navstar`.
        path: PathBuf,
    },
    /// The object has no such map or program.
    #[error("the BPF object has no {kind} {name}")]
    Unknown {
        /// `map`, `program` or `constant`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// A program could not be attached. What was attached before still is.
    #[error("program {program} could not be attached to {}: {reason}", .cgroup.display())]
    Attach {
        /// E.g. `connect4`.
        program: String,
        /// E.g. `/sys/fs/cgroup`.
        cgroup: PathBuf,
        /// In the loader's words.
        reason: String,
        /// Why.
        #[source]
        source: Errno,
    },
    /// A map could not be read or written as a whole.
    #[error("{operation} of map {map} failed")]
    Map {
        /// E.g. `dump`.
        operation: &'static str,
        /// E.g. `vips`.
        map: String,
        /// Why.
        #[source]
        source: Errno,
    },
    /// Keys and values do not fit the map.
    #[error("map {map} takes keys of {key_size} and values of {value_size} bytes, one for one")]
    Shape {
        /// E.g. `vips`.
        map: String,
        /// In bytes.
        key_size: usize,
        /// In bytes.
        value_size: usize,
    },
    /// The kernel did not tell about a program, link or control group.
    #[error("{operation} failed")]
    Facts {
        /// E.g. `reading the program of a link`.
        operation: &'static str,
        /// Why.
        #[source]
        source: Errno,
    },
    /// No thread could be started.
    #[error("no thread for BPF")]
    Thread {
        /// Why.
        #[source]
        source: Errno,
    },
    /// Too many jobs wait for the thread.
    #[error("too many operations wait for the BPF thread")]
    Busy,
    /// The map or object was closed.
    #[error("the BPF handle is closed")]
    Closed,
}

impl BpfError {
    /// Stable, e.g. `BPF_PIN_MISMATCH`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSupported { .. } => "BPF_NOT_SUPPORTED",
            Self::Object { .. } => "BPF_OBJECT",
            Self::CreateMap { .. } => "BPF_CREATE_MAP",
            Self::LoadProgram { .. } => "BPF_LOAD_PROGRAM",
            Self::PinMismatch { .. } => "BPF_PIN_MISMATCH",
            Self::PinMissing { .. } => "BPF_PIN_MISSING",
            Self::PinKind { .. } => "BPF_PIN_KIND",
            Self::Pin { .. } => "BPF_PIN",
            Self::NotBpfFileSystem { .. } => "BPF_NOT_BPF_FILE_SYSTEM",
            Self::Unknown { .. } => "BPF_UNKNOWN",
            Self::Attach { .. } => "BPF_ATTACH",
            Self::Map { .. } => "BPF_MAP",
            Self::Shape { .. } => "BPF_SHAPE",
            Self::Facts { .. } => "BPF_FACTS",
            Self::Thread { .. } => "BPF_THREAD",
            Self::Busy => "BPF_BUSY",
            Self::Closed => "BPF_CLOSED",
        }
    }

    /// The system's number, when there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::NotSupported { source, .. }
            | Self::CreateMap { source, .. }
            | Self::LoadProgram { source, .. }
            | Self::Pin { source, .. }
            | Self::Attach { source, .. }
            | Self::Map { source, .. }
            | Self::Facts { source, .. }
            | Self::Thread { source } => Some(*source),
            _ => None,
        }
    }
}

/// The errno at the bottom of an error of the standard library or the loader.
fn errno_of(error: &(dyn std::error::Error + 'static)) -> Errno {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(number) = inner
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::raw_os_error)
        {
            return Errno(number);
        }
        cause = inner.source();
    }
    Errno(libc::EINVAL)
}

/// An error and what caused it, in one line.
fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
