//! `bpf(2)` behind safe functions, for what the loader library does not offer: batches, link and
//! program facts, probes. Nothing here knows what a map is for.
//!
//! **Source:** `include/uapi/linux/bpf.h`, `union bpf_attr`
#![allow(
    unsafe_code,
    reason = "the one place that talks to bpf(2); every block states why it is sound"
)]

use std::ffi::CString;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::errno::Errno;

mod map_fd;

pub use map_fd::Shape;
pub(super) use map_fd::{Cursor, MapFd};

/// `enum bpf_cmd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i64)]
pub(super) enum Command {
    MapCreate = 0,
    MapLookupElement = 1,
    MapUpdateElement = 2,
    MapDeleteElement = 3,
    MapGetNextKey = 4,
    ProgramLoad = 5,
    ObjectGet = 7,
    ProgramGetByIdentifier = 13,
    MapGetByIdentifier = 14,
    ObjectFacts = 15,
    MapLookupBatch = 24,
    MapUpdateBatch = 26,
    MapDeleteBatch = 27,
    LinkCreate = 28,
    LinkUpdate = 29,
}

/// Plain old data that the kernel may write any bytes to.
///
/// # Safety
/// Every bit pattern is a valid value.
pub(super) unsafe trait Plain: Sized {
    /// A value of zero bytes only.
    fn zeroed() -> Self {
        // SAFETY: every bit pattern is valid, says the trait.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }
}

macro_rules! plain {
    ($name:ident, $size:literal, { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, Clone, Copy)]
        #[repr(C)]
        pub(super) struct $name { $(pub(super) $field: $type),* }
        const _: () = assert!(size_of::<$name>() == $size);
        // SAFETY: integers and arrays of integers only; the size shows that nothing is padded.
        unsafe impl Plain for $name {}
    };
}

plain!(ElementRequest, 32, { map_fd: u32, pad: u32, key: u64, value: u64, flags: u64 });
plain!(BatchRequest, 56, {
    in_batch: u64, out_batch: u64, keys: u64, values: u64, count: u32, map_fd: u32,
    element_flags: u64, flags: u64,
});
plain!(PathRequest, 16, { path: u64, fd: u32, flags: u32 });
plain!(FactsRequest, 16, { fd: u32, length: u32, facts: u64 });
plain!(IdentifierRequest, 12, { identifier: u32, next: u32, open_flags: u32 });
plain!(MapRequest, 20, {
    map_type: u32, key_size: u32, value_size: u32, max_entries: u32, flags: u32,
});
plain!(ProgramRequest, 72, {
    program_type: u32, instruction_count: u32, instructions: u64, license: u64, log_level: u32,
    log_size: u32, log: u64, kernel_version: u32, flags: u32, name: [u8; 16], interface: u32,
    expected_attach_type: u32,
});
plain!(LinkUpdateRequest, 16, { link_fd: u32, program_fd: u32, flags: u32, old_program_fd: u32 });
plain!(LinkRequest, 16, { program_fd: u32, target_fd: u32, attach_type: u32, flags: u32 });

plain!(MapFacts, 40, {
    map_type: u32, identifier: u32, key_size: u32, value_size: u32, max_entries: u32, flags: u32,
    name: [u8; 16],
});
plain!(ProgramFacts, 64, {
    program_type: u32, identifier: u32, tag: [u8; 8], jited_length: u32, translated_length: u32,
    jited: u64, translated: u64, load_time: u64, uid: u32, map_count: u32, map_identifiers: u64,
});
plain!(LinkFacts, 32, {
    link_type: u32, identifier: u32, program_identifier: u32, pad: u32, cgroup_identifier: u64,
    attach_type: u32, pad_end: u32,
});

/// An address inside a request.
pub(super) fn address(bytes: &[u8]) -> u64 {
    bytes.as_ptr().expose_provenance() as u64
}

/// The same for bytes that the kernel writes to.
pub(super) fn address_mut(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr().expose_provenance() as u64
}

/// A descriptor inside a request.
pub(super) fn descriptor(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// `bpf(2)`.
///
/// # Safety
/// Every address inside `request` must be valid for what the command reads or writes there.
pub(super) unsafe fn call<R: Plain>(command: Command, request: &mut R) -> Result<i32, Errno> {
    let size = size_of::<R>();
    loop {
        // SAFETY: `request` lives through the call and is `size` bytes; the caller vouches for the
        // addresses inside.
        let result =
            unsafe { libc::syscall(libc::SYS_bpf, command as i64, &raw mut *request, size) };
        match i32::try_from(result) {
            Ok(result) if result >= 0 => return Ok(result),
            _ => match Errno::last() {
                Errno(libc::EINTR) => {}
                errno => return Err(errno),
            },
        }
    }
}

/// The descriptor that a call returned.
fn owned(result: i32) -> OwnedFd {
    // SAFETY: the system call has just returned this descriptor to us and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(result) }
}

/// Opens what is pinned at `path`: a map, a program or a link.
pub(super) fn open_pin(path: &Path) -> Result<OwnedFd, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
    let mut request = PathRequest {
        path: address(path.as_bytes_with_nul()),
        ..PathRequest::zeroed()
    };
    // SAFETY: the path is a string that ends with NUL and outlives the call.
    unsafe { call(Command::ObjectGet, &mut request) }.map(owned)
}

/// Opens a program by its identifier.
pub(super) fn open_program(identifier: u32) -> Result<OwnedFd, Errno> {
    open_identifier(Command::ProgramGetByIdentifier, identifier)
}

/// Opens a map by its identifier.
pub(super) fn open_map(identifier: u32) -> Result<OwnedFd, Errno> {
    open_identifier(Command::MapGetByIdentifier, identifier)
}

fn open_identifier(command: Command, identifier: u32) -> Result<OwnedFd, Errno> {
    let mut request = IdentifierRequest {
        identifier,
        ..IdentifierRequest::zeroed()
    };
    // SAFETY: the request holds no address.
    unsafe { call(command, &mut request) }.map(owned)
}

/// What the kernel tells about a descriptor; `F` must be the structure of the descriptor's kind.
pub(super) fn facts<F: Plain>(fd: BorrowedFd<'_>, mut facts: F) -> Result<F, Errno> {
    let mut request = FactsRequest {
        fd: descriptor(fd),
        length: u32::try_from(size_of::<F>()).unwrap_or_default(),
        facts: (&raw mut facts).expose_provenance() as u64,
    };
    // SAFETY: the kernel writes at most `length` bytes to `facts`, and any bytes are valid there.
    unsafe { call(Command::ObjectFacts, &mut request) }?;
    Ok(facts)
}

/// The identifiers of the maps that a program uses.
pub(super) fn program_maps(fd: BorrowedFd<'_>) -> Result<Vec<u32>, Errno> {
    let count = facts(fd, ProgramFacts::zeroed())?.map_count;
    let mut identifiers = vec![0_u32; count as usize];
    let asked = ProgramFacts {
        map_count: count,
        map_identifiers: identifiers.as_mut_ptr().expose_provenance() as u64,
        ..ProgramFacts::zeroed()
    };
    // The kernel writes at most `map_count` numbers; a program's maps never change.
    facts(fd, asked)?;
    Ok(identifiers)
}

/// `enum bpf_prog_type` of programs that are attached to control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum ProgramKind {
    SockOps = 13,
    CgroupSockAddr = 18,
}

/// Loads a program; for probes.
pub(super) fn load_probe(
    kind: ProgramKind,
    instructions: &[u64],
    attach_type: u32,
) -> Result<OwnedFd, Errno> {
    let license = c"Apache-2.0".to_bytes_with_nul();
    let mut request = ProgramRequest {
        program_type: kind as u32,
        instruction_count: u32::try_from(instructions.len()).unwrap_or_default(),
        instructions: instructions.as_ptr().expose_provenance() as u64,
        license: address(license),
        expected_attach_type: attach_type,
        ..ProgramRequest::zeroed()
    };
    // SAFETY: `instruction_count` instructions of 8 bytes and the license outlive the call.
    unsafe { call(Command::ProgramLoad, &mut request) }.map(owned)
}

/// Creates a map without a name; for probes and tests.
pub(super) fn create_map(mut request: MapRequest) -> Result<OwnedFd, Errno> {
    // SAFETY: the request holds no address.
    unsafe { call(Command::MapCreate, &mut request) }.map(owned)
}

/// The errno of `BPF_LINK_CREATE` without valid descriptors: `EBADF` where the kernel knows links
/// for control groups.
pub(super) fn link_probe(attach_type: u32) -> Errno {
    let mut request = LinkRequest {
        program_fd: u32::MAX,
        target_fd: u32::MAX,
        attach_type,
        flags: 0,
    };
    // SAFETY: the request holds no address.
    match unsafe { call(Command::LinkCreate, &mut request) } {
        Ok(fd) => {
            drop(owned(fd));
            Errno(0)
        }
        Err(errno) => errno,
    }
}

/// Exchanges the program of a link for another of the same kind, in one step.
pub(super) fn update_link(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut request = LinkUpdateRequest {
        link_fd: descriptor(link),
        program_fd: descriptor(program),
        ..LinkUpdateRequest::zeroed()
    };
    // SAFETY: the request holds no address.
    unsafe { call(Command::LinkUpdate, &mut request) }.map(drop)
}

/// Whether `path` lies on a BPF file system.
pub(super) fn is_bpf_file_system(path: &Path) -> Result<bool, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
    // SAFETY: statfs is plain old data, for which all zeroes is a valid value.
    let mut facts: libc::statfs = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the path ends with NUL, and the kernel writes one statfs.
    if unsafe { libc::statfs(path.as_ptr(), &raw mut facts) } < 0 {
        return Err(Errno::last());
    }
    Ok(facts.f_type == libc::BPF_FS_MAGIC)
}

/// Lifts the limit of locked memory, which kernels before 5.11 count maps against. Does nothing
/// where that is not allowed; creating a map then tells.
pub(super) fn lift_locked_memory_limit() {
    let unlimited = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the kernel reads one rlimit.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const unlimited) };
}
