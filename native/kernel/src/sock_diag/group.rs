//! The network namespaces in which the processes of a control group are.
//!
//! A socket belongs to the namespace that it was opened in; its owner may have left. Only namespaces
//! with a process of the group are looked into.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread;

use super::client;
use super::codec::{Peer, Transport};
use super::error::SockDiagError;
use crate::errno::Errno;
use crate::namespace::NamespaceError;
use crate::netlink::{NetlinkSocket, Protocol};
use crate::sys;

/// What [`destroy_in_group`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Sockets that are gone now.
    pub sockets: usize,
    /// Network namespaces that were looked into.
    pub namespaces: usize,
}

/// Destroys the sockets with these cookies and peers in every network namespace that has a process of
/// the group or of one below it; stops when all are found. Runs on a thread of its own, since a thread
/// that enters a namespace stays there.
///
/// # Errors
/// [`SockDiagError`]; what was destroyed before stays so.
pub fn destroy_in_group(
    group: &Path,
    transport: Transport,
    targets: &BTreeMap<u64, Peer>,
) -> Result<Destroyed, SockDiagError> {
    thread::scope(|scope| {
        let body = || destroy_in_all(&namespaces_of(group)?, transport, targets);
        let thread = thread::Builder::new()
            .name("sock-diag".to_owned())
            .spawn_scoped(scope, body)
            .map_err(|error| NamespaceError::Thread {
                source: errno_of(&error),
            })?;
        thread.join().unwrap_or(Err(NamespaceError::Closed.into()))
    })
}

fn destroy_in_all(
    namespaces: &[PathBuf],
    transport: Transport,
    targets: &BTreeMap<u64, Peer>,
) -> Result<Destroyed, SockDiagError> {
    let mut left = targets.clone();
    let mut destroyed = Destroyed::default();
    for path in namespaces {
        if left.is_empty() {
            break;
        }
        if !enter(path)? {
            continue;
        }
        let mut netlink = NetlinkSocket::open(Protocol::SockDiag).map_err(|source| {
            let operation = "list sockets";
            SockDiagError::Netlink { operation, source }
        })?;
        destroyed.namespaces += 1;
        for cookie in client::destroy(&mut netlink, transport, &left)? {
            left.remove(&cookie);
            destroyed.sockets += 1;
        }
    }
    Ok(destroyed)
}

/// False when the process that it was known by is gone.
fn enter(path: &Path) -> Result<bool, SockDiagError> {
    let failed = |operation| {
        move |source| NamespaceError::Enter {
            operation,
            path: path.to_owned(),
            source,
        }
    };
    match sys::open_path(path) {
        Err(Errno(libc::ENOENT | libc::ESRCH)) => Ok(false),
        Err(errno) => Err(failed("open")(errno).into()),
        Ok(fd) => {
            sys::enter_network_namespace(fd.as_fd()).map_err(failed("setns"))?;
            Ok(true)
        }
    }
}

/// A path for each network namespace, e.g. `/proc/42/ns/net`.
fn namespaces_of(group: &Path) -> Result<Vec<PathBuf>, SockDiagError> {
    let mut processes = Vec::new();
    read_processes(group, &mut processes).map_err(|error| SockDiagError::Group {
        path: group.to_owned(),
        source: errno_of(&error),
    })?;
    let mut seen = HashSet::new();
    let paths = processes
        .iter()
        .map(|process| PathBuf::from(format!("/proc/{process}/ns/net")));
    // What cannot be read has ended meanwhile.
    Ok(paths
        .filter(|path| fs::read_link(path).is_ok_and(|namespace| seen.insert(namespace)))
        .collect())
}

/// The processes of a group and of all below it. Groups come and go while they are read.
fn read_processes(group: &Path, processes: &mut Vec<u32>) -> io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            match read_processes(&entry.path(), processes) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    // A threaded group has no list of processes; theirs are in the group above.
    if let Ok(text) = fs::read_to_string(group.join("cgroup.procs")) {
        processes.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    }
    Ok(())
}

fn errno_of(error: &io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(libc::EIO))
}
