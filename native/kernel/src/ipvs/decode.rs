//! Attributes to services, destinations and numbers. Unknown attributes are passed over; a message
//! without what names its object, or cut short, is malformed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::codes::{destination, information, service, top};
use super::destination::{Destination, Endpoint, Forwarding, ObservedDestination};
use super::service::{Family, Flags, Service, ServiceKey, Transport};
use super::statistics::{Information, Statistics, Timeouts};
use crate::netlink::generic::HEADER_LENGTH;
use crate::netlink::{Attribute, NetlinkError, attributes};

/// A service of a dump, and its statistics.
///
/// # Errors
/// [`NetlinkError::Malformed`]; so for everything here.
pub fn service(payload: &[u8]) -> Result<(Service, Statistics), NetlinkError> {
    let fields = Fields::of_message(payload)?.inside(top::SERVICE)?;
    let key = key(&fields)?;
    let flags = fields.need(service::FLAGS)?.u32()?;
    let netmask = fields.need(service::NETMASK)?;
    let service = Service {
        key,
        scheduler: fields.need(service::SCHEDULER)?.text()?.to_owned(),
        flags: Flags(flags).without_hashed(),
        persistence_seconds: fields.number(service::TIMEOUT)?,
        persistence_prefix: match key.family() {
            Family::V4 => leading_ones(netmask.u32_be()?),
            Family::V6 => netmask.u32()?.try_into().unwrap_or(u8::MAX),
        },
    };
    let statistics = statistics(&fields, (service::STATISTICS, service::STATISTICS_64))?;
    Ok((service, statistics))
}

/// A destination of a dump. Kernels before 3.18 do not tell its family: then it is its service's.
///
/// # Errors
/// As [`service`].
pub fn destination(payload: &[u8], family: Family) -> Result<ObservedDestination, NetlinkError> {
    let fields = Fields::of_message(payload)?.inside(top::DESTINATION)?;
    let family = match fields.find(destination::FAMILY)? {
        None => family,
        Some(told) => Family::from_code(told.u16()?).ok_or(MALFORMED)?,
    };
    let statistics = statistics(
        &fields,
        (destination::STATISTICS, destination::STATISTICS_64),
    )?;
    Ok(ObservedDestination {
        destination: Destination {
            endpoint: Endpoint {
                address: address(&fields.need(destination::ADDRESS)?, family)?,
                port: fields.need(destination::PORT)?.u16_be()?,
            },
            forwarding: Forwarding::from_code(fields.number(destination::FORWARDING)?),
            weight: fields.number(destination::WEIGHT)?,
            upper_threshold: fields.number(destination::UPPER_THRESHOLD)?,
            lower_threshold: fields.number(destination::LOWER_THRESHOLD)?,
        },
        active_connections: fields.number(destination::ACTIVE_CONNECTIONS)?,
        inactive_connections: fields.number(destination::INACTIVE_CONNECTIONS)?,
        persistent_connections: fields.number(destination::PERSISTENT_CONNECTIONS)?,
        statistics,
    })
}

/// The timeouts; a kernel without one of the protocols leaves it out.
///
/// # Errors
/// As [`service`].
pub fn timeouts(payload: &[u8]) -> Result<Timeouts, NetlinkError> {
    let fields = Fields::of_message(payload)?;
    let number = |kind| match fields.find(kind)? {
        None => Ok(0),
        Some(attribute) => attribute.u32(),
    };
    Ok(Timeouts {
        tcp_seconds: number(top::TIMEOUT_TCP)?,
        tcp_fin_seconds: number(top::TIMEOUT_TCP_FIN)?,
        udp_seconds: number(top::TIMEOUT_UDP)?,
    })
}

/// Version and size.
///
/// # Errors
/// As [`service`].
pub fn information(payload: &[u8]) -> Result<Information, NetlinkError> {
    let fields = Fields::of_message(payload)?;
    let [_, major, minor, patch] = fields.number(information::VERSION)?.to_be_bytes();
    Ok(Information {
        version: (major, minor, patch),
        connection_table_size: fields.number(information::TABLE_SIZE)?,
    })
}

const MALFORMED: NetlinkError = NetlinkError::Malformed {
    what: "IPVS message",
};

fn key(fields: &Fields<'_>) -> Result<ServiceKey, NetlinkError> {
    let family = Family::from_code(fields.need(service::FAMILY)?.u16()?).ok_or(MALFORMED)?;
    if let Some(mark) = fields.find(service::MARK)? {
        return Ok(ServiceKey::Mark {
            family,
            mark: mark.u32()?,
        });
    }
    let transport = fields.need(service::PROTOCOL)?.u16()?;
    Ok(ServiceKey::Address {
        transport: Transport(transport.try_into().map_err(|_| MALFORMED)?),
        address: address(&fields.need(service::ADDRESS)?, family)?,
        port: fields.need(service::PORT)?.u16_be()?,
    })
}

fn address(attribute: &Attribute<'_>, family: Family) -> Result<IpAddr, NetlinkError> {
    let address = match family {
        Family::V4 => attribute
            .payload
            .first_chunk()
            .map(|octets: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*octets))),
        Family::V6 => attribute
            .payload
            .first_chunk()
            .map(|octets: &[u8; 16]| IpAddr::V6(Ipv6Addr::from(*octets))),
    };
    address.ok_or(MALFORMED)
}

/// From the 64-bit numbers, or those of kernels before 4.1, of which some have 32 bits.
fn statistics(fields: &Fields<'_>, kinds: (u16, u16)) -> Result<Statistics, NetlinkError> {
    let (narrow, wide) = kinds;
    let Some(list) = fields.find(wide)?.or(fields.find(narrow)?) else {
        return Ok(Statistics::default());
    };
    let mut numbers = [0; Statistics::COUNT];
    for attribute in list.nested() {
        let attribute = attribute?;
        let index = usize::from(attribute.kind).wrapping_sub(1);
        if let Some(number) = numbers.get_mut(index) {
            *number = if attribute.payload.len() < 8 {
                attribute.u32()?.into()
            } else {
                attribute.u64()?
            };
        }
    }
    Ok(Statistics::from_numbers(numbers))
}

fn leading_ones(mask: u32) -> u8 {
    u8::try_from(mask.leading_ones()).unwrap_or(32)
}

/// The attributes of one object, looked up by kind.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of_message(payload: &'a [u8]) -> Result<Self, NetlinkError> {
        payload.get(HEADER_LENGTH..).map(Self).ok_or(MALFORMED)
    }

    fn find(&self, kind: u16) -> Result<Option<Attribute<'a>>, NetlinkError> {
        attributes(self.0)
            .find(|attribute| !matches!(attribute, Ok(other) if other.kind != kind))
            .transpose()
    }

    fn need(&self, kind: u16) -> Result<Attribute<'a>, NetlinkError> {
        self.find(kind)?.ok_or(MALFORMED)
    }

    fn inside(&self, kind: u16) -> Result<Self, NetlinkError> {
        self.need(kind).map(|attribute| Self(attribute.payload))
    }

    fn number(&self, kind: u16) -> Result<u32, NetlinkError> {
        self.need(kind)?.u32()
    }
}
