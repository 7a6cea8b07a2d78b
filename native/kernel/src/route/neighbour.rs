//! Neighbours (ARP, NDP) and bridge forwarding entries, which share one message.
//!
//! **Source:** `include/uapi/linux/neighbour.h`

use std::net::IpAddr;

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Mac;
use super::codec::family_of;

/// Who is reached how on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The link's index.
    pub link_index: u32,
    /// The neighbour; of a forwarding entry the remote tunnel end, absent on ordinary bridges.
    pub address: Option<IpAddr>,
    /// Its link-layer address, when known.
    pub mac: Option<Mac>,
    /// `NUD_…`, e.g. 0x80 permanent, 0x02 reachable.
    pub state: u16,
    /// A forwarding entry (`bridge fdb`) rather than a neighbour.
    pub is_forwarding: bool,
}

impl Neighbour {
    pub(super) fn decode(message: &NeighbourMessage) -> Option<Self> {
        let mut address = None;
        let mut mac = None;
        let is_forwarding = message.header.family == AddressFamily::Bridge;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(destination) => address = ip_of(destination),
                NeighbourAttribute::LinkLayerAddress(bytes) => mac = Mac::from_slice(bytes),
                _ => {}
            }
        }
        if address.is_none() && !is_forwarding {
            return None;
        }
        Some(Self {
            link_index: message.header.ifindex,
            address,
            mac,
            state: message.header.state.into(),
            is_forwarding,
        })
    }

    fn message(&self) -> NeighbourMessage {
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.ifindex = self.link_index;
        header.state = NeighbourState::from(self.state);
        header.family = AddressFamily::Bridge;
        if self.is_forwarding {
            // The device's own table, not that of a bridge it may be a port of.
            header.flags = NeighbourFlags::Own;
        } else if let Some(address) = self.address {
            header.family = family_of(address);
        }
        let destination = self.address.map(|ip| match ip {
            IpAddr::V4(ip) => NeighbourAddress::Inet(ip),
            IpAddr::V6(ip) => NeighbourAddress::Inet6(ip),
        });
        message
            .attributes
            .extend(destination.map(NeighbourAttribute::Destination));
        message.attributes.extend(
            self.mac
                .map(|mac| NeighbourAttribute::LinkLayerAddress(mac.0.to_vec())),
        );
        message
    }

    pub(super) fn addition(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::NewNeighbour(self.message())
    }

    pub(super) fn deletion(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::DelNeighbour(self.message())
    }
}

fn ip_of(address: &NeighbourAddress) -> Option<IpAddr> {
    match address {
        NeighbourAddress::Inet(ip) => Some((*ip).into()),
        NeighbourAddress::Inet6(ip) => Some((*ip).into()),
        // Forwarding entries are of the bridge family, so the codec cannot tell.
        NeighbourAddress::Other(bytes) => <[u8; 4]>::try_from(bytes.as_slice())
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(bytes.as_slice()).map(IpAddr::from))
            .ok(),
        _ => None,
    }
}
