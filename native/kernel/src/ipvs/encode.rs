//! Services, destinations and operations to attributes.

use std::net::IpAddr;

use super::codes::{VERSION, command, destination, service, top};
use super::destination::{Destination, Endpoint};
use super::operation::Operation;
use super::service::{Family, Service, ServiceKey};
use super::statistics::Timeouts;
use crate::netlink::generic;
use crate::netlink::{Attributes, NetlinkError, Request};

/// An operation as a request to the family.
///
/// # Errors
/// [`NetlinkError::Malformed`] for a scheduler's name of more than 65535 bytes.
pub fn operation(family: u16, operation: &Operation) -> Result<Request, NetlinkError> {
    let mut body = Attributes::new();
    let command = match operation {
        Operation::NewService(service) => {
            put_service(&mut body, service);
            command::NEW_SERVICE
        }
        Operation::SetService(service) => {
            put_service(&mut body, service);
            command::SET_SERVICE
        }
        Operation::DeleteService(key) => {
            put_service_key(&mut body, key);
            command::DELETE_SERVICE
        }
        Operation::NewDestination(key, destination) => {
            put_service_key(&mut body, key);
            put_destination(&mut body, destination);
            command::NEW_DESTINATION
        }
        Operation::SetDestination(key, destination) => {
            put_service_key(&mut body, key);
            put_destination(&mut body, destination);
            command::SET_DESTINATION
        }
        Operation::DeleteDestination(key, endpoint) => {
            put_service_key(&mut body, key);
            body.nest(top::DESTINATION, |nested| put_endpoint(nested, endpoint));
            command::DELETE_DESTINATION
        }
    };
    generic::request(family, (command, VERSION), body)
}

/// Asks for all services.
///
/// # Errors
/// None in practice; so for every request here.
pub fn services_request(family: u16) -> Result<Request, NetlinkError> {
    generic::request(family, (command::GET_SERVICE, VERSION), Attributes::new())
}

/// Asks for all destinations of a service.
///
/// # Errors
/// As [`services_request`].
pub fn destinations_request(family: u16, key: &ServiceKey) -> Result<Request, NetlinkError> {
    let mut body = Attributes::new();
    put_service_key(&mut body, key);
    generic::request(family, (command::GET_DESTINATION, VERSION), body)
}

/// Asks for the timeouts.
///
/// # Errors
/// As [`services_request`].
pub fn timeouts_request(family: u16) -> Result<Request, NetlinkError> {
    generic::request(family, (command::GET_CONFIG, VERSION), Attributes::new())
}

/// Sets the timeouts.
///
/// # Errors
/// As [`services_request`].
pub fn set_timeouts_request(family: u16, timeouts: &Timeouts) -> Result<Request, NetlinkError> {
    let mut body = Attributes::new();
    body.put_u32(top::TIMEOUT_TCP, timeouts.tcp_seconds)
        .put_u32(top::TIMEOUT_TCP_FIN, timeouts.tcp_fin_seconds)
        .put_u32(top::TIMEOUT_UDP, timeouts.udp_seconds);
    generic::request(family, (command::SET_CONFIG, VERSION), body)
}

/// Asks for version and size.
///
/// # Errors
/// As [`services_request`].
pub fn information_request(family: u16) -> Result<Request, NetlinkError> {
    generic::request(family, (command::GET_INFO, VERSION), Attributes::new())
}

pub(super) fn put_service(body: &mut Attributes, value: &Service) {
    body.nest(top::SERVICE, |nested| {
        put_key(nested, &value.key);
        nested.put_text(service::SCHEDULER, &value.scheduler);
        // struct ip_vs_flags: the flags, and which of them are meant
        let mut flags = [0xff; 8];
        let (meant, _) = flags.split_at_mut(4);
        meant.copy_from_slice(&value.flags.without_hashed().0.to_ne_bytes());
        nested.put(service::FLAGS, &flags);
        nested.put_u32(service::TIMEOUT, value.persistence_seconds);
        let prefix = value.persistence_prefix;
        match value.key.family() {
            Family::V4 => nested.put_u32_be(service::NETMASK, mask(prefix)),
            Family::V6 => nested.put_u32(service::NETMASK, prefix.into()),
        };
    });
}

fn put_service_key(body: &mut Attributes, key: &ServiceKey) {
    body.nest(top::SERVICE, |nested| put_key(nested, key));
}

fn put_key(nested: &mut Attributes, key: &ServiceKey) {
    nested.put_u16(service::FAMILY, key.family().code());
    match key {
        ServiceKey::Address {
            transport,
            address,
            port,
        } => nested
            .put_u16(service::PROTOCOL, transport.0.into())
            .put(service::ADDRESS, &address_bytes(*address))
            .put_u16_be(service::PORT, *port),
        ServiceKey::Mark { mark, .. } => nested.put_u32(service::MARK, *mark),
    };
}

pub(super) fn put_destination(body: &mut Attributes, value: &Destination) {
    body.nest(top::DESTINATION, |nested| {
        put_endpoint(nested, &value.endpoint);
        nested
            .put_u32(destination::FORWARDING, value.forwarding.code())
            .put_u32(destination::WEIGHT, value.weight)
            .put_u32(destination::UPPER_THRESHOLD, value.upper_threshold)
            .put_u32(destination::LOWER_THRESHOLD, value.lower_threshold);
    });
}

fn put_endpoint(nested: &mut Attributes, endpoint: &Endpoint) {
    let family = Family::of(endpoint.address);
    nested
        .put_u16(destination::FAMILY, family.code())
        .put(destination::ADDRESS, &address_bytes(endpoint.address))
        .put_u16_be(destination::PORT, endpoint.port);
}

/// `union nf_inet_addr`
pub(super) fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0)
}
