//! Addresses of links.
//!
//! **Source:** `include/uapi/linux/if_addr.h`

use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope,
};

use super::codec::family_of;

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The link's index.
    pub link_index: u32,
    /// The local address.
    pub address: IpAddr,
    /// Length of the prefix that is on the link.
    pub prefix_length: u8,
    /// IPv4 only; begins with the link's name, e.g. `lo:navstar`.
    pub label: Option<String>,
    /// `RT_SCOPE_…`, e.g. 0 global, 253 link, 254 host.
    pub scope: u8,
}

impl Address {
    pub(crate) fn decode(message: &AddressMessage) -> Option<Self> {
        let mut local = None;
        let mut address = None;
        let mut label = None;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::Label(text) => label = Some(text.clone()),
                _ => {}
            }
        }
        Some(Self {
            link_index: message.header.index,
            // On point-to-point links `Address` is the other end.
            address: local.or(address)?,
            prefix_length: message.header.prefix_len,
            label,
            scope: message.header.scope.into(),
        })
    }

    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = family_of(self.address);
        message.header.prefix_len = self.prefix_length;
        message.header.index = self.link_index;
        message.header.scope = AddressScope::from(self.scope);
        message
            .attributes
            .push(AddressAttribute::Local(self.address));
        message
            .attributes
            .push(AddressAttribute::Address(self.address));
        message
            .attributes
            .extend(self.label.clone().map(AddressAttribute::Label));
        message
    }

    /// No duplicate address detection: who assigns addresses here has a plan in which they are
    /// unique, and must be able to bind at once.
    pub(super) fn addition(&self) -> RouteNetlinkMessage {
        let mut message = self.message();
        if self.address.is_ipv6() {
            message.header.flags = AddressHeaderFlags::Nodad;
            message
                .attributes
                .push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        RouteNetlinkMessage::NewAddress(message)
    }

    pub(super) fn deletion(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::DelAddress(self.message())
    }
}
