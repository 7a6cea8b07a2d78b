//! Entries and what they are found by.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
}

/// E.g. `10.0.0.1:53`.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(formatter)
    }
}

/// Packets of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Protocol number, e.g. 17 for UDP.
    pub protocol: u8,
    /// Who sends them.
    pub source: Endpoint,
    /// Where they go.
    pub destination: Endpoint,
}

/// A tracked connection of a protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The first packet, as its sender made it.
    pub original: Tuple,
    /// An answer, before it is translated back: its source is where the packets went.
    pub reply: Tuple,
    /// `IPS_…` bits.
    pub status: u32,
    /// It ends when nothing comes for this long.
    pub timeout_seconds: u32,
    /// The kernel's name for it, where it tells.
    pub id: Option<u32>,
    /// 0 is the default zone.
    pub zone: u16,
}

/// What entries are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Protocol number, e.g. 17 for UDP.
    pub protocol: u8,
    /// Where the first packet was sent to.
    pub original_destination: Endpoint,
    /// Where it really went; `None` is anywhere.
    pub reply_source: Option<Endpoint>,
}

impl Flow {
    /// The most that an entry can be found by.
    #[must_use]
    pub const fn of(entry: &Entry) -> Self {
        Self {
            protocol: entry.original.protocol,
            original_destination: entry.original.destination,
            reply_source: Some(entry.reply.source),
        }
    }

    /// The same flow to anywhere.
    #[must_use]
    pub const fn to_anywhere(self) -> Self {
        Self {
            reply_source: None,
            ..self
        }
    }
}

/// E.g. `protocol 17 to 11.0.0.1:53 by 10.0.0.1:5353`.
impl fmt::Display for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            original_destination,
            reply_source,
        } = self;
        write!(formatter, "protocol {protocol} to {original_destination}")?;
        reply_source.map_or(Ok(()), |endpoint| write!(formatter, " by {endpoint}"))
    }
}
