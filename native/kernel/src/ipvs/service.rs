//! A virtual service: what is matched, and how a destination is chosen.

use std::fmt;
use std::net::IpAddr;
use std::ops::BitOr;

/// `AF_INET` or `AF_INET6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Bits of an address: the longest prefix.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    pub(super) const fn code(self) -> u16 {
        match self {
            Self::V4 => 2,
            Self::V6 => 10,
        }
    }

    pub(super) const fn from_code(code: u16) -> Option<Self> {
        match code {
            2 => Some(Self::V4),
            10 => Some(Self::V6),
            _ => None,
        }
    }
}

/// An IP protocol number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Transport(pub u8);

impl Transport {
    /// `IPPROTO_TCP`
    pub const TCP: Self = Self(6);
    /// `IPPROTO_UDP`
    pub const UDP: Self = Self(17);
    /// `IPPROTO_SCTP`
    pub const SCTP: Self = Self(132);
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => formatter.write_str("tcp"),
            Self::UDP => formatter.write_str("udp"),
            Self::SCTP => formatter.write_str("sctp"),
            Self(number) => write!(formatter, "protocol {number}"),
        }
    }
}

/// What names a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceKey {
    /// Packets to an address and port; port 0 is every port of a persistent service.
    Address {
        /// The protocol.
        transport: Transport,
        /// The virtual address.
        address: IpAddr,
        /// The virtual port.
        port: u16,
    },
    /// Packets with a mark.
    Mark {
        /// Of the packets.
        family: Family,
        /// Not 0.
        mark: u32,
    },
}

impl ServiceKey {
    /// The family of the packets.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            Self::Address { address, .. } => Family::of(*address),
            Self::Mark { family, .. } => *family,
        }
    }
}

/// E.g. `tcp 11.0.0.1:80`.
impl fmt::Display for ServiceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                transport,
                address,
                port,
            } => write!(
                formatter,
                "{transport} {}",
                std::net::SocketAddr::new(*address, *port)
            ),
            Self::Mark { family, mark } => {
                let suffix = if *family == Family::V6 { " (IPv6)" } else { "" };
                write!(formatter, "mark {mark}{suffix}")
            }
        }
    }
}

/// `IP_VS_SVC_F_…`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// A client stays with its destination.
    pub const PERSISTENT: Self = Self(0x1);
    /// Every UDP packet is scheduled by itself.
    pub const ONE_PACKET: Self = Self(0x4);
    /// The scheduler's first flag: for `sh` and `mh` fall back to another destination.
    pub const SCHEDULER_1: Self = Self(0x8);
    /// The scheduler's second flag: for `sh` and `mh` the port counts too.
    pub const SCHEDULER_2: Self = Self(0x10);
    /// The scheduler's third flag.
    pub const SCHEDULER_3: Self = Self(0x20);
    /// Set by the kernel for itself on every service.
    pub(super) const HASHED: Self = Self(0x2);

    /// All flags of the other are set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) const fn without_hashed(self) -> Self {
        Self(self.0 & !Self::HASHED.0)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A virtual service as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What names it.
    pub key: ServiceKey,
    /// E.g. `wlc`; up to 15 bytes. `none` is a service without scheduler.
    pub scheduler: String,
    /// How it behaves.
    pub flags: Flags,
    /// How long a client stays with its destination when persistent; 0 is the kernel's default.
    pub persistence_seconds: u32,
    /// Clients that share this prefix are one client to persistence: 0 to 32, for IPv6 1 to 128.
    pub persistence_prefix: u8,
}
