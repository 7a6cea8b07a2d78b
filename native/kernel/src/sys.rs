//! System calls behind safe functions. Nothing here knows what a message means.
#![allow(
    unsafe_code,
    reason = "the one place that talks to libc; every block states why it is sound"
)]

use std::ffi::CString;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use crate::errno::Errno;

/// Flags of [`receive`], as `recvmsg(2)` names them.
pub const PEEK: i32 = libc::MSG_PEEK;
/// Return at once with `EAGAIN` when nothing is queued.
pub const DONT_WAIT: i32 = libc::MSG_DONTWAIT;

/// What `recvmsg` told about one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram {
    /// Length of the datagram in the kernel; more than the buffer's length when it was truncated.
    pub length: usize,
    /// The datagram did not fit into the buffer.
    pub is_truncated: bool,
    /// Netlink port of the sender; 0 is the kernel.
    pub sender_port: u32,
}

/// One instruction of a classic BPF socket filter: `code`, jump if true, jump if false, operand.
pub type FilterInstruction = (u16, u8, u8, u32);

fn check(result: i32) -> Result<i32, Errno> {
    if result < 0 {
        Err(Errno::last())
    } else {
        Ok(result)
    }
}

fn owned(result: i32) -> Result<OwnedFd, Errno> {
    let fd: RawFd = check(result)?;
    // SAFETY: the system call has just returned this descriptor to us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Repeats a call that a signal interrupted.
fn unless_interrupted<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            outcome => return outcome,
        }
    }
}

/// `socket(2)`; always close-on-exec.
///
/// # Errors
/// The errno of the call, e.g. `EPROTONOSUPPORT` for a netlink family this kernel lacks.
pub fn socket(domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes integers only.
    owned(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })
}

fn netlink_address(port: u32) -> libc::sockaddr_nl {
    // SAFETY: sockaddr_nl is plain old data, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_nl = unsafe { MaybeUninit::zeroed().assume_init() };
    address.nl_family = libc::AF_NETLINK.try_into().unwrap_or_default();
    address.nl_pid = port;
    address
}

fn length_of<T>() -> libc::socklen_t {
    size_of::<T>().try_into().unwrap_or_default()
}

/// Binds a netlink socket to a port that the kernel chooses and returns that port.
///
/// # Errors
/// The errno of `bind` or `getsockname`.
pub fn bind_netlink(fd: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut address = netlink_address(0);
    let mut length = length_of::<libc::sockaddr_nl>();
    let raw = (&raw mut address).cast::<libc::sockaddr>();
    // SAFETY: `raw` points to a live sockaddr_nl of `length` bytes.
    check(unsafe { libc::bind(fd.as_raw_fd(), raw, length) })?;
    // SAFETY: as above; the kernel writes at most `length` bytes.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), raw, &raw mut length) })?;
    Ok(address.nl_pid)
}

/// Sends one datagram to the kernel; returns the bytes taken.
///
/// # Errors
/// The errno of `sendto`, e.g. `EMSGSIZE` when the send buffer is smaller than `bytes`.
pub fn send_to_kernel(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let address = netlink_address(0);
    unless_interrupted(|| {
        // SAFETY: the buffer and the address outlive the call and their lengths are theirs.
        let sent = unsafe {
            libc::sendto(
                fd.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                0,
                (&raw const address).cast(),
                length_of::<libc::sockaddr_nl>(),
            )
        };
        usize::try_from(sent).map_err(|_| Errno::last())
    })
}

/// Receives one datagram. `flags` is a combination of [`PEEK`] and [`DONT_WAIT`]; the true length
/// is always asked for.
///
/// # Errors
/// The errno of `recvmsg`: `EAGAIN` when the time-out passed, `ENOBUFS` when messages were lost.
pub fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: i32) -> Result<Datagram, Errno> {
    let mut address = netlink_address(0);
    let mut vector = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: msghdr is plain old data, for which all zeroes is a valid value.
    let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = length_of::<libc::sockaddr_nl>();
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    let length = unless_interrupted(|| {
        // SAFETY: `header` points to a live address and to one live, writable buffer.
        let received =
            unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags | libc::MSG_TRUNC) };
        usize::try_from(received).map_err(|_| Errno::last())
    })?;
    Ok(Datagram {
        length,
        is_truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        sender_port: address.nl_pid,
    })
}

/// `setsockopt(2)` with an `int`.
///
/// # Errors
/// The errno of the call, e.g. `EPERM` for the `…FORCE` buffers without `CAP_NET_ADMIN`.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> Result<(), Errno> {
    set_option_value(fd, level, name, &value)
}

/// Bounds how long a blocking receive waits; it fails with `EAGAIN` then.
///
/// # Errors
/// The errno of `setsockopt`.
pub fn set_receive_timeout(fd: BorrowedFd<'_>, timeout: Duration) -> Result<(), Errno> {
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros().into(),
    };
    set_option_value(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &value)
}

fn set_option_value<T>(fd: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> Result<(), Errno> {
    // SAFETY: `value` is live for the call and its size is passed with it.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            length_of::<T>(),
        )
    };
    check(result).map(drop)
}

/// Attaches a classic BPF filter: datagrams for which it returns 0 are dropped before they are
/// queued.
///
/// # Errors
/// `EINVAL` for a program the kernel refuses.
pub fn attach_filter(fd: BorrowedFd<'_>, program: &[FilterInstruction]) -> Result<(), Errno> {
    let mut instructions: Vec<libc::sock_filter> = program
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let filter = libc::sock_fprog {
        len: instructions
            .len()
            .try_into()
            .map_err(|_| Errno(libc::EINVAL))?,
        filter: instructions.as_mut_ptr(),
    };
    // The kernel copies the program; `instructions` lives until the call returned.
    set_option_value(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
}

/// Waits until one of `fds` is readable (or has failed); `None` waits without end.
/// Returns one flag per descriptor; all false when the time passed.
///
/// # Errors
/// The errno of `poll`.
pub fn poll_readable(
    fds: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> Result<Vec<bool>, Errno> {
    let mut polled: Vec<libc::pollfd> = fds
        .iter()
        .map(|fd| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let timeout_ms = timeout.map_or(-1, |limit| {
        i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
    });
    let count = polled.len() as libc::nfds_t;
    unless_interrupted(|| {
        // SAFETY: `polled` is a live array of `count` elements.
        check(unsafe { libc::poll(polled.as_mut_ptr(), count, timeout_ms) })
    })?;
    Ok(polled.iter().map(|entry| entry.revents != 0).collect())
}

/// `eventfd(2)`, non-blocking, counter at 0.
///
/// # Errors
/// The errno of the call, e.g. `EMFILE`.
pub fn event_fd() -> Result<OwnedFd, Errno> {
    // SAFETY: takes integers only.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Makes an event descriptor readable.
///
/// # Errors
/// The errno of `write`; a counter that is already full is no error.
pub fn signal_event(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let one = 1u64.to_ne_bytes();
    // SAFETY: the buffer is live and 8 bytes long.
    let written = unsafe { libc::write(fd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    match usize::try_from(written).map_err(|_| Errno::last()) {
        Ok(_) | Err(Errno(libc::EAGAIN)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Opens a path read-only and close-on-exec, e.g. `/run/netns/blue`.
///
/// # Errors
/// The errno of `open`; `EINVAL` for a path with a zero byte.
pub fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
    unless_interrupted(|| {
        // SAFETY: `path` is a live, terminated string.
        owned(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) })
    })
}

/// Moves the **calling thread** into the network namespace behind `fd`.
///
/// # Errors
/// `EINVAL` when `fd` is no network namespace, `EPERM` without `CAP_SYS_ADMIN`.
pub fn enter_network_namespace(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: takes integers only.
    check(unsafe { libc::setns(fd.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// Moves the **calling thread** into a new, empty network namespace.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_network() -> Result<(), Errno> {
    // SAFETY: takes integers only.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).map(drop)
}

/// The kernel's id of the calling thread, as in `/proc/self/task/<id>`.
#[must_use]
pub fn thread_id() -> i32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Whether the process runs as root.
#[must_use]
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
