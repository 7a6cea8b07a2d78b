//! Where a service sends connections.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::statistics::Statistics;

/// What names a destination within its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Of the real server.
    pub address: IpAddr,
    /// Of the real server; only masquerading translates it.
    pub port: u16,
}

/// E.g. `10.0.0.1:8080`.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(formatter)
    }
}

/// How packets reach the real server: `IP_VS_CONN_F_FWD_MASK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Forwarding {
    /// The destination address is translated, and the source of answers back.
    #[default]
    Masquerade,
    /// Kept on this host.
    LocalNode,
    /// Wrapped in another IP header.
    Tunnel,
    /// Only the link-layer address changes.
    Direct,
    /// Past the services, to the original destination.
    Bypass,
    /// Any other number.
    Unknown(u32),
}

impl Forwarding {
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::Masquerade => 0,
            Self::LocalNode => 1,
            Self::Tunnel => 2,
            Self::Direct => 3,
            Self::Bypass => 4,
            Self::Unknown(code) => code,
        }
    }

    pub(super) const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Masquerade,
            1 => Self::LocalNode,
            2 => Self::Tunnel,
            3 => Self::Direct,
            4 => Self::Bypass,
            other => Self::Unknown(other),
        }
    }
}

/// A destination as it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// What names it.
    pub endpoint: Endpoint,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Its share; 0 is no new connection.
    pub weight: u32,
    /// No new connection at this many; 0 is no limit.
    pub upper_threshold: u32,
    /// New connections again below this many, after the upper threshold was reached; 0 is three
    /// quarters of it.
    pub lower_threshold: u32,
}

/// A destination as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedDestination {
    /// As it was made.
    pub destination: Destination,
    /// Connections established.
    pub active_connections: u32,
    /// Connections in any other state.
    pub inactive_connections: u32,
    /// Clients that stay with it.
    pub persistent_connections: u32,
    /// Counters and rates.
    pub statistics: Statistics,
}
