//! Open sockets as JavaScript sees them.

#![cfg_attr(
    test,
    allow(dead_code, reason = "`#[napi]` registers nothing in a test build")
)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::thread;

use napi::bindgen_prelude::{BigInt, PromiseRaw};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::errno::Errno;
use navstar_kernel::namespace::NamespaceError;
use navstar_kernel::netlink::{NetlinkSocket, Protocol};
use navstar_kernel::sock_diag::{Peer, SockDiagError, Transport, destroy_in_group, probe};

use crate::operation::{Failure, netlink_code, promise};

/// A socket to destroy.
#[napi(object, object_to_js = false)]
pub struct SocketTarget {
    /// What the kernel calls it.
    pub cookie: BigInt,
    /// Whom it is connected to, e.g. `10.0.0.1`; a socket with another peer is left alone.
    pub address: String,
    /// E.g. 8080.
    pub port: u16,
}

/// Which sockets, and where.
#[napi(object, object_to_js = false)]
pub struct SocketDestruction {
    /// A directory of the cgroup2 file system: the namespaces of its processes are looked into.
    pub cgroup: String,
    /// Of all of them.
    #[napi(ts_type = "'tcp' | 'udp'")]
    pub protocol: String,
    /// Which.
    pub targets: Vec<SocketTarget>,
}

/// What was destroyed.
#[napi(object, object_from_js = false)]
pub struct DestroyedSockets {
    /// Sockets that are gone now.
    pub sockets: u32,
    /// Network namespaces that were looked into.
    pub namespaces: u32,
}

/// Destroys sockets in every network namespace that has a process of the group: their owners get
/// `ECONNABORTED`.
///
/// Rejects with code `INVALID_ARGUMENT`, `SOCK_DIAG_NOT_SUPPORTED`, `SOCK_DIAG_GROUP`, `NETLINK_…` or
/// `NAMESPACE_…`; some may be destroyed then.
#[napi(catch_unwind)]
pub fn destroy_sockets(
    env: &Env,
    request: SocketDestruction,
) -> Result<PromiseRaw<'_, DestroyedSockets>> {
    promise(env, move |settle| {
        let transport = transport_of(&request.protocol)?;
        let targets = request
            .targets
            .into_iter()
            .map(target)
            .collect::<std::result::Result<BTreeMap<u64, Peer>, Failure>>()?;
        on_thread(move || {
            settle.run(|| {
                let destroyed = destroy_in_group(Path::new(&request.cgroup), transport, &targets)?;
                let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
                Ok(DestroyedSockets {
                    sockets: count(destroyed.sockets),
                    namespaces: count(destroyed.namespaces),
                })
            });
        })
    })
}

/// Whether this kernel lists and destroys sockets of TCP and UDP, found out by trying.
///
/// Rejects with code `SOCK_DIAG_NOT_SUPPORTED` or `NETLINK_…`.
#[napi(catch_unwind)]
pub fn try_destroying_sockets(env: &Env) -> Result<PromiseRaw<'_, ()>> {
    promise(env, move |settle| {
        on_thread(move || {
            settle.run(|| {
                let mut netlink = NetlinkSocket::open(Protocol::SockDiag)?;
                for transport in [Transport::Tcp, Transport::Udp] {
                    probe(&mut netlink, transport)?;
                }
                Ok(())
            });
        })
    })
}

fn on_thread(work: impl FnOnce() + Send + 'static) -> std::result::Result<(), Failure> {
    let thread = thread::Builder::new().name("sockets".to_owned());
    thread.spawn(work).map(drop).map_err(|error| {
        let source = Errno(error.raw_os_error().unwrap_or_default());
        Failure::from(NamespaceError::Thread { source })
    })
}

fn transport_of(protocol: &str) -> std::result::Result<Transport, Failure> {
    match protocol {
        "tcp" => Ok(Transport::Tcp),
        "udp" => Ok(Transport::Udp),
        _ => Err(Failure::invalid(format!("protocol {protocol:?}"))),
    }
}

fn target(target: SocketTarget) -> std::result::Result<(u64, Peer), Failure> {
    let SocketTarget {
        cookie,
        address,
        port,
    } = target;
    let parsed: IpAddr = address
        .parse()
        .map_err(|_| Failure::invalid(format!("address {address:?}")))?;
    let peer = Peer {
        address: parsed.to_canonical(),
        port,
    };
    Ok((cookie.get_u64().1, peer))
}

impl From<SockDiagError> for Failure {
    fn from(error: SockDiagError) -> Self {
        let code = match &error {
            SockDiagError::NotSupported { .. } => "SOCK_DIAG_NOT_SUPPORTED",
            SockDiagError::Netlink { source, .. } => netlink_code(source),
            SockDiagError::Group { .. } => "SOCK_DIAG_GROUP",
            SockDiagError::Namespace(source) => return source.clone().into(),
        };
        Self::of(code, error.errno(), &error)
    }
}
