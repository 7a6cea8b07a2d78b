//! `struct inet_diag_req_v2` and `struct inet_diag_msg`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netlink::Request;

/// `SOCK_DIAG_BY_FAMILY`
pub const KIND_BY_FAMILY: u16 = 20;
/// `SOCK_DESTROY`
pub const KIND_DESTROY: u16 = 21;

const REQUEST_LENGTH: usize = 56;
/// Where `struct inet_diag_sockid` begins in a request, and in an answer.
const REQUEST_ID: usize = 8;
const ANSWER_ID: usize = 4;
const ID_LENGTH: usize = 48;

/// `enum`s of `include/net/tcp_states.h`, as bits: all states of a connection, pending and closing
/// ones included.
const CONNECTED_TCP: u32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11;
/// A UDP socket is established while it is connected.
const CONNECTED_UDP: u32 = 1 << 1;

/// A protocol whose sockets have a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    fn connected(self) -> u32 {
        match self {
            Self::Tcp => CONNECTED_TCP,
            Self::Udp => CONNECTED_UDP,
        }
    }
}

/// `AF_INET` or `AF_INET6`; a socket of the latter may speak IPv4 with v4-mapped addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`
    V4 = 2,
    /// `AF_INET6`
    V6 = 10,
}

/// The other end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Never v4-mapped.
    pub address: IpAddr,
    /// E.g. 8080.
    pub port: u16,
}

/// A socket as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What it is found by: ends, interface and cookie, as bytes.
    pub id: [u8; ID_LENGTH],
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Unique since the machine started.
    pub cookie: u64,
    /// Whom it is connected to.
    pub peer: Peer,
}

/// Asks for all connected sockets.
#[must_use]
pub fn list(transport: Transport, family: Family) -> Request {
    let mut payload = vec![family as u8, transport.number(), 0, 0];
    payload.extend(transport.connected().to_ne_bytes());
    payload.resize(REQUEST_LENGTH, 0);
    Request {
        kind: KIND_BY_FAMILY,
        flags: 0,
        payload,
    }
}

/// Destroys exactly this socket.
#[must_use]
pub fn destruction(transport: Transport, socket: &Socket) -> Request {
    let mut payload = vec![socket.family, transport.number(), 0, 0];
    payload.extend(u32::MAX.to_ne_bytes());
    debug_assert_eq!(payload.len(), REQUEST_ID);
    payload.extend(socket.id);
    Request {
        kind: KIND_DESTROY,
        flags: 0,
        payload,
    }
}

/// A socket of an answer; nothing for what is too short or of another family.
#[must_use]
pub fn socket(payload: &[u8]) -> Option<Socket> {
    let family = *payload.first()?;
    let id: [u8; ID_LENGTH] = payload
        .get(ANSWER_ID..ANSWER_ID + ID_LENGTH)?
        .try_into()
        .ok()?;
    let port_be: [u8; 2] = id.get(2..4)?.try_into().ok()?;
    let octets: [u8; 16] = id.get(20..36)?.try_into().ok()?;
    let [first, second, third, fourth, ..] = octets;
    let address = match family {
        2 => IpAddr::V4(Ipv4Addr::new(first, second, third, fourth)),
        10 => Ipv6Addr::from(octets).to_canonical(),
        _ => return None,
    };
    let [low, high] = [id.get(40..44)?, id.get(44..48)?].map(|half| {
        let half: [u8; 4] = half.try_into().unwrap_or_default();
        u64::from(u32::from_ne_bytes(half))
    });
    Some(Socket {
        id,
        family,
        cookie: low | high << 32,
        peer: Peer {
            address,
            port: u16::from_be_bytes(port_be),
        },
    })
}
