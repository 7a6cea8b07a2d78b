//! Between our framing and the codec's messages.

use std::net::IpAddr;

use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::RouteError;
use crate::netlink::{Message, Request};

/// Frames a codec message.
pub(super) fn encode(message: &RouteNetlinkMessage, flags: u16) -> Request {
    let mut payload = vec![0; NetlinkSerializable::buffer_len(message)];
    message.serialize(&mut payload);
    Request {
        kind: message.message_type(),
        flags,
        payload,
    }
}

/// Reads a message of rtnetlink.
pub(crate) fn decode(
    object: &'static str,
    message: &Message,
) -> Result<RouteNetlinkMessage, RouteError> {
    let mut header = NetlinkHeader::default();
    header.message_type = message.kind;
    RouteNetlinkMessage::deserialize(&header, &message.payload).map_err(|error| {
        RouteError::Decode {
            object,
            reason: error.to_string(),
        }
    })
}

/// The family an address belongs to.
pub(super) fn family_of(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}
