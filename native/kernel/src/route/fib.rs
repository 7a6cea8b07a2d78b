//! Routes: entries of the forwarding tables.
//!
//! **Source:** `include/uapi/linux/rtnetlink.h` (`struct rtmsg`, `enum rtattr_type_t`)

use std::net::IpAddr;

use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
    RouteType, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Prefix;
use super::codec::family_of;

/// A route. Of a multipath route the next hops are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub destination: Prefix,
    /// Next hop.
    pub gateway: Option<IpAddr>,
    /// Index of the outgoing link.
    pub link_index: Option<u32>,
    /// Source address for packets that have none yet.
    pub preferred_source: Option<IpAddr>,
    /// Table, e.g. 254 for main, 255 for local.
    pub table: u32,
    /// `RTPROT_…`: who made it, e.g. 2 the kernel, 4 an administrator.
    pub protocol: u8,
    /// `RT_SCOPE_…`, e.g. 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `RTN_…`, e.g. 1 unicast, 2 local, 6 blackhole.
    pub kind: u8,
    /// Metric; the lowest wins.
    pub priority: Option<u32>,
    /// The gateway is taken to be on the link, whatever the link's addresses say.
    pub is_onlink: bool,
}

impl Route {
    pub(crate) fn decode(message: &RouteMessage) -> Option<Self> {
        let header = &message.header;
        let is_v6 = match header.address_family {
            AddressFamily::Inet => false,
            AddressFamily::Inet6 => true,
            _ => return None,
        };
        let mut route = Self {
            destination: Prefix::everything(is_v6),
            gateway: None,
            link_index: None,
            preferred_source: None,
            table: header.table.into(),
            protocol: header.protocol.into(),
            scope: header.scope.into(),
            kind: header.kind.into(),
            priority: None,
            is_onlink: header.flags.contains(RouteFlags::Onlink),
        };
        for attribute in &message.attributes {
            route.read(attribute, header.destination_prefix_length);
        }
        Some(route)
    }

    fn read(&mut self, attribute: &RouteAttribute, prefix_length: u8) {
        match attribute {
            RouteAttribute::Destination(address) => {
                let block = ip_of(address).and_then(|ip| Prefix::new(ip, prefix_length));
                self.destination = block.unwrap_or(self.destination);
            }
            RouteAttribute::Gateway(address) => self.gateway = ip_of(address),
            RouteAttribute::Via(RouteVia::Inet(ip)) => self.gateway = Some((*ip).into()),
            RouteAttribute::Via(RouteVia::Inet6(ip)) => self.gateway = Some((*ip).into()),
            RouteAttribute::PrefSource(address) => self.preferred_source = ip_of(address),
            RouteAttribute::Oif(index) => self.link_index = Some(*index),
            RouteAttribute::Table(table) => self.table = *table,
            RouteAttribute::Priority(priority) => self.priority = Some(*priority),
            _ => {}
        }
    }

    fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = family_of(self.destination.address);
        header.destination_prefix_length = self.destination.length;
        header.table = u8::try_from(self.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC);
        header.protocol = RouteProtocol::from(self.protocol);
        header.scope = RouteScope::from(self.scope);
        header.kind = RouteType::from(self.kind);
        header.flags.set(RouteFlags::Onlink, self.is_onlink);
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Table(self.table));
        if self.destination.length > 0 {
            attributes.push(RouteAttribute::Destination(self.destination.address.into()));
        }
        attributes.extend(self.gateway.map(|ip| self.next_hop(ip)));
        attributes.extend(self.link_index.map(RouteAttribute::Oif));
        attributes.extend(
            self.preferred_source
                .map(|ip| RouteAttribute::PrefSource(ip.into())),
        );
        attributes.extend(self.priority.map(RouteAttribute::Priority));
        message
    }

    fn next_hop(&self, gateway: IpAddr) -> RouteAttribute {
        match gateway {
            IpAddr::V6(ip) if self.destination.address.is_ipv4() => {
                RouteAttribute::Via(RouteVia::Inet6(ip))
            }
            _ => RouteAttribute::Gateway(gateway.into()),
        }
    }

    pub(super) fn addition(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::NewRoute(self.message())
    }

    pub(super) fn deletion(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::DelRoute(self.message())
    }
}

fn ip_of(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
