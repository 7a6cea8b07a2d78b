//! Lists and destroys sockets of the namespace that a netlink socket was opened in.

use std::collections::BTreeMap;

use super::codec::{self, Family, Peer, Socket, Transport};
use super::error::SockDiagError;
use crate::netlink::{NetlinkError, NetlinkSocket};

/// The connected sockets of a protocol, IPv4 and IPv6.
///
/// # Errors
/// [`SockDiagError::NotSupported`] or [`SockDiagError::Netlink`].
pub fn sockets(
    netlink: &mut NetlinkSocket,
    transport: Transport,
) -> Result<Vec<Socket>, SockDiagError> {
    let mut found = Vec::new();
    for family in [Family::V4, Family::V6] {
        let listed = netlink.dump(&codec::list(transport, family));
        let listed = listed.map_err(|source| failure("list sockets", source))?;
        found.extend(
            listed
                .iter()
                .filter_map(|message| codec::socket(&message.payload)),
        );
    }
    Ok(found)
}

/// Destroys the sockets with these cookies that still have the peer named beside. Returns the cookies
/// of those that are gone now.
///
/// # Errors
/// [`SockDiagError::NotSupported`] or [`SockDiagError::Netlink`]; those before are destroyed.
pub fn destroy(
    netlink: &mut NetlinkSocket,
    transport: Transport,
    targets: &BTreeMap<u64, Peer>,
) -> Result<Vec<u64>, SockDiagError> {
    let mut destroyed = Vec::new();
    for socket in sockets(netlink, transport)? {
        if targets.get(&socket.cookie) != Some(&socket.peer) {
            continue;
        }
        match netlink.request(&codec::destruction(transport, &socket)) {
            Ok(_) => destroyed.push(socket.cookie),
            // It went by itself.
            Err(NetlinkError::Refused { errno, .. }) if errno.0 == libc::ENOENT => {}
            Err(source) => return Err(failure("destroy sockets", source)),
        }
    }
    Ok(destroyed)
}

/// Whether this kernel lists and destroys sockets. Asks for one that nobody has.
///
/// # Errors
/// [`SockDiagError::NotSupported`] or [`SockDiagError::Netlink`].
pub fn probe(netlink: &mut NetlinkSocket, transport: Transport) -> Result<(), SockDiagError> {
    let nobody = Socket {
        id: [0; 48],
        family: Family::V4 as u8,
        cookie: 0,
        peer: Peer {
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
        },
    };
    sockets(netlink, transport)?;
    match netlink.request(&codec::destruction(transport, &nobody)) {
        Ok(_) => Ok(()),
        Err(NetlinkError::Refused { errno, .. }) if errno.0 == libc::ENOENT => Ok(()),
        Err(source) => Err(failure("destroy sockets", source)),
    }
}

/// A kernel without a module answers `ENOENT`, one without the feature `EOPNOTSUPP`.
fn failure(operation: &'static str, source: NetlinkError) -> SockDiagError {
    match source.errno().0 {
        libc::EOPNOTSUPP | libc::ENOENT | libc::EPROTONOSUPPORT => {
            SockDiagError::NotSupported { operation, source }
        }
        _ => SockDiagError::Netlink { operation, source },
    }
}
