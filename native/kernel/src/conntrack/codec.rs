//! Attributes to entries, and back.

use std::net::IpAddr;

use super::entry::{Endpoint, Entry, Flow, Tuple};
use crate::netlink::message::{CREATE, EXCLUSIVE};
use crate::netlink::{Attribute, Attributes, NetlinkError, Request, attributes};

/// `NFNL_SUBSYS_CTNETLINK`
const SUBSYSTEM: u16 = 1 << 8;
/// `IPCTNL_MSG_CT_NEW`
const NEW: u16 = SUBSYSTEM;
/// `IPCTNL_MSG_CT_GET`
const GET: u16 = SUBSYSTEM | 1;
/// `IPCTNL_MSG_CT_DELETE`
const DELETE: u16 = SUBSYSTEM | 2;
/// Length of `struct nfgenmsg`, which precedes the attributes of a message.
const HEADER_LENGTH: usize = 4;
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 10;

/// `CTA_…`
mod top {
    pub const ORIGINAL: u16 = 1;
    pub const REPLY: u16 = 2;
    pub const STATUS: u16 = 3;
    pub const PROTOCOL_STATE: u16 = 4;
    pub const TIMEOUT: u16 = 7;
    pub const ID: u16 = 12;
    pub const ZONE: u16 = 18;
    pub const FILTER: u16 = 25;
}

/// `IPS_…`
const SEEN_REPLY: u32 = 1 << 1;
const ASSURED: u32 = 1 << 2;
const CONFIRMED: u32 = 1 << 3;

/// `CTA_PROTOINFO_…`
mod tcp {
    pub const TCP: u16 = 1;
    pub const STATE: u16 = 1;
    pub const FLAGS_ORIGINAL: u16 = 4;
    pub const FLAGS_REPLY: u16 = 5;
    /// `TCP_CONNTRACK_ESTABLISHED`
    pub const ESTABLISHED: u8 = 3;
    /// `IP_CT_TCP_FLAG_BE_LIBERAL`: nobody knows the windows of what was not seen.
    pub const LIBERAL: u8 = 1 << 3;
}

/// `CTA_TUPLE_…`, `CTA_IP_…`, `CTA_PROTO_…`
mod tuple {
    pub const IP: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const V4_SOURCE: u16 = 1;
    pub const V4_DESTINATION: u16 = 2;
    pub const V6_SOURCE: u16 = 3;
    pub const V6_DESTINATION: u16 = 4;
    pub const NUMBER: u16 = 1;
    pub const SOURCE_PORT: u16 = 2;
    pub const DESTINATION_PORT: u16 = 3;
}

/// `CTA_FILTER_…`; which parts of a tuple count: `CTA_FILTER_FLAG(…)`
mod filter {
    pub const ORIGINAL: u16 = 1;
    pub const REPLY: u16 = 2;
    pub const SOURCE_ADDRESS: u32 = 1 << 0;
    pub const DESTINATION_ADDRESS: u32 = 1 << 1;
    pub const NUMBER: u32 = 1 << 3;
    pub const SOURCE_PORT: u32 = 1 << 4;
    pub const DESTINATION_PORT: u32 = 1 << 5;
}

/// Asks for the entries that all these flows may have: what they share narrows the answer. The
/// kernel may tell more: before 5.8 all entries of the family. `None` without flows.
///
/// # Errors
/// None in practice; so for every request here.
pub fn entries_request(flows: &[&Flow]) -> Result<Option<Request>, NetlinkError> {
    let Some(first) = flows.first() else {
        return Ok(None);
    };
    let family_of = first.original_destination.address;
    let destination = shared(flows, |flow| Some(flow.original_destination));
    let source = shared(flows, |flow| flow.reply_source);
    // Linux takes equal IPv6 addresses for different ones here (5.8 to 6.18 at least, an inverted
    // `ipv6_addr_cmp` in `ctnetlink_filter_match_tuple`), so only ports narrow the answer then.
    let is_v4 = family_of.is_ipv4();
    let mut body = Attributes::new();
    let (mut original, mut reply) = (filter::NUMBER, 0);
    put_tuple(&mut body, top::ORIGINAL, |ip, protocol| {
        protocol.put_u8(tuple::NUMBER, first.protocol);
        if let Some(Endpoint { address, port }) = destination {
            let kinds = (tuple::V4_DESTINATION, tuple::V6_DESTINATION);
            put_address(ip, kinds, address);
            protocol.put_u16_be(tuple::DESTINATION_PORT, port);
            original |= filter::DESTINATION_PORT;
            original |= if is_v4 {
                filter::DESTINATION_ADDRESS
            } else {
                0
            };
        }
    });
    if let Some(Endpoint { address, port }) = source {
        put_tuple(&mut body, top::REPLY, |ip, protocol| {
            put_address(ip, (tuple::V4_SOURCE, tuple::V6_SOURCE), address);
            protocol
                .put_u8(tuple::NUMBER, first.protocol)
                .put_u16_be(tuple::SOURCE_PORT, port);
        });
        reply = filter::NUMBER | filter::SOURCE_PORT;
        reply |= if is_v4 { filter::SOURCE_ADDRESS } else { 0 };
    }
    body.nest(top::FILTER, |nested| {
        nested
            .put_u32(filter::ORIGINAL, original)
            .put_u32(filter::REPLY, reply);
    });
    request(GET, family_of, body).map(Some)
}

/// What all flows have in common.
fn shared(flows: &[&Flow], part: impl Fn(&Flow) -> Option<Endpoint>) -> Option<Endpoint> {
    let first = part(flows.first()?)?;
    let is_shared = flows.iter().all(|flow| part(flow) == Some(first));
    is_shared.then_some(first)
}

/// Deletes this entry: with its id no other that took its place meanwhile.
///
/// # Errors
/// As [`entries_request`].
pub fn delete_request(entry: &Entry) -> Result<Request, NetlinkError> {
    let mut body = Attributes::new();
    put_whole_tuple(&mut body, top::ORIGINAL, &entry.original);
    if let Some(id) = entry.id {
        body.put_u32_be(top::ID, id);
    }
    if entry.zone != 0 {
        body.put_u16_be(top::ZONE, entry.zone);
    }
    request(DELETE, entry.original.destination.address, body)
}

/// Makes an entry of a connection of TCP that is established and that nobody translates.
///
/// # Errors
/// As [`entries_request`].
pub fn track_request(original: &Tuple, timeout_seconds: u32) -> Result<Request, NetlinkError> {
    let reply = Tuple {
        protocol: original.protocol,
        source: original.destination,
        destination: original.source,
    };
    let mut body = Attributes::new();
    put_whole_tuple(&mut body, top::ORIGINAL, original);
    put_whole_tuple(&mut body, top::REPLY, &reply);
    body.put_u32_be(top::STATUS, SEEN_REPLY | ASSURED | CONFIRMED)
        .put_u32_be(top::TIMEOUT, timeout_seconds);
    body.nest(top::PROTOCOL_STATE, |state| {
        state.nest(tcp::TCP, |attributes| {
            attributes
                .put_u8(tcp::STATE, tcp::ESTABLISHED)
                .put(tcp::FLAGS_ORIGINAL, &[tcp::LIBERAL, tcp::LIBERAL])
                .put(tcp::FLAGS_REPLY, &[tcp::LIBERAL, tcp::LIBERAL]);
        });
    });
    let mut request = request(NEW, original.destination.address, body)?;
    request.flags |= CREATE | EXCLUSIVE;
    Ok(request)
}

/// An entry of a dump; `None` for a protocol without ports.
///
/// # Errors
/// [`NetlinkError::Malformed`]
pub fn entry(payload: &[u8]) -> Result<Option<Entry>, NetlinkError> {
    let list = payload.get(HEADER_LENGTH..).ok_or(MALFORMED)?;
    let number = |kind| match find(list, kind)? {
        None => Ok(0),
        Some(attribute) => attribute.u32_be(),
    };
    let original = read_tuple(&need(list, top::ORIGINAL)?)?;
    let reply = read_tuple(&need(list, top::REPLY)?)?;
    let (Some(original), Some(reply)) = (original, reply) else {
        return Ok(None);
    };
    Ok(Some(Entry {
        original,
        reply,
        status: number(top::STATUS)?,
        timeout_seconds: number(top::TIMEOUT)?,
        id: find(list, top::ID)?.map(|id| id.u32_be()).transpose()?,
        zone: find(list, top::ZONE)?.map_or(Ok(0), |zone| zone.u16_be())?,
    }))
}

const MALFORMED: NetlinkError = NetlinkError::Malformed {
    what: "conntrack entry",
};

fn request(kind: u16, family_of: IpAddr, body: Attributes) -> Result<Request, NetlinkError> {
    let family = if family_of.is_ipv4() {
        FAMILY_V4
    } else {
        FAMILY_V6
    };
    Request::new(kind, 0, &[family, 0, 0, 0], body)
}

fn put_tuple(
    body: &mut Attributes,
    kind: u16,
    fill: impl FnOnce(&mut Attributes, &mut Attributes),
) {
    let (mut ip, mut protocol) = (Attributes::new(), Attributes::new());
    fill(&mut ip, &mut protocol);
    body.nest(kind, |nested| {
        for (kind, part) in [(tuple::IP, ip), (tuple::PROTOCOL, protocol)] {
            if part.length() > 0 {
                nested.nest(kind, |list| list.append(&part));
            }
        }
    });
}

pub(super) fn put_whole_tuple(body: &mut Attributes, kind: u16, whole: &Tuple) {
    let Tuple {
        protocol: number,
        source,
        destination,
    } = whole;
    put_tuple(body, kind, |ip, protocol| {
        put_address(ip, (tuple::V4_SOURCE, tuple::V6_SOURCE), source.address);
        put_address(
            ip,
            (tuple::V4_DESTINATION, tuple::V6_DESTINATION),
            destination.address,
        );
        protocol
            .put_u8(tuple::NUMBER, *number)
            .put_u16_be(tuple::SOURCE_PORT, source.port)
            .put_u16_be(tuple::DESTINATION_PORT, destination.port);
    });
}

fn put_address(ip: &mut Attributes, (v4, v6): (u16, u16), address: IpAddr) {
    match address {
        IpAddr::V4(address) => ip.put(v4, &address.octets()),
        IpAddr::V6(address) => ip.put(v6, &address.octets()),
    };
}

fn read_tuple(attribute: &Attribute<'_>) -> Result<Option<Tuple>, NetlinkError> {
    let ip = need(attribute.payload, tuple::IP)?.payload;
    let protocol = need(attribute.payload, tuple::PROTOCOL)?.payload;
    let source = read_address(ip, tuple::V4_SOURCE, tuple::V6_SOURCE)?;
    let destination = read_address(ip, tuple::V4_DESTINATION, tuple::V6_DESTINATION)?;
    let ports = (
        find(protocol, tuple::SOURCE_PORT)?,
        find(protocol, tuple::DESTINATION_PORT)?,
    );
    let (Some(source_port), Some(destination_port)) = ports else {
        return Ok(None);
    };
    Ok(Some(Tuple {
        protocol: need(protocol, tuple::NUMBER)?.u8()?,
        source: Endpoint {
            address: source,
            port: source_port.u16_be()?,
        },
        destination: Endpoint {
            address: destination,
            port: destination_port.u16_be()?,
        },
    }))
}

fn read_address(list: &[u8], v4: u16, v6: u16) -> Result<IpAddr, NetlinkError> {
    if let Some(attribute) = find(list, v4)? {
        let octets: [u8; 4] = attribute.payload.try_into().map_err(|_| MALFORMED)?;
        return Ok(octets.into());
    }
    let octets: [u8; 16] = need(list, v6)?.payload.try_into().map_err(|_| MALFORMED)?;
    Ok(octets.into())
}

fn need(list: &[u8], kind: u16) -> Result<Attribute<'_>, NetlinkError> {
    find(list, kind)?.ok_or(MALFORMED)
}

fn find(list: &[u8], kind: u16) -> Result<Option<Attribute<'_>>, NetlinkError> {
    attributes(list)
        .find(|attribute| !matches!(attribute, Ok(other) if other.kind != kind))
        .transpose()
}
