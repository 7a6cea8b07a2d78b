//! Services, destinations and operations as records of fixed length, to cross a border in one
//! buffer. Numbers are little-endian; an address is 16 bytes of which IPv4 uses the first four;
//! schedulers are numbers of a list beside the records.
//!
//! | service | bytes | | destination | bytes |
//! | --- | --- | --- | --- | --- |
//! | kind (operations only) | 1 | | family: 4, 6 | 1 |
//! | family: 4, 6 | 1 | | forwarding | 1 |
//! | protocol; 0: named by its mark | 1 | | port | 2 |
//! | persistence prefix | 1 | | address | 16 |
//! | port | 2 | | weight | 4 |
//! | scheduler | 2 | | upper threshold | 4 |
//! | address | 16 | | lower threshold | 4 |
//! | mark | 4 | | | |
//! | flags | 4 | | | |
//! | persistence seconds | 4 | | | |
//!
//! An operation is both parts. An observed service is followed by the number of its destinations
//! (4) and its statistics (10 × 8); an observed destination by active, inactive and persistent
//! connections (3 × 4), four zero bytes, and its statistics.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::client::ObservedService;
use super::destination::{Destination, Endpoint, Forwarding, ObservedDestination};
use super::encode::address_bytes;
use super::operation::Operation;
use super::service::{Family, Flags, Service, ServiceKey, Transport};
use super::statistics::Statistics;

const SERVICE_LENGTH: usize = 36;
const DESTINATION_LENGTH: usize = 32;
/// Bytes of an operation.
pub const OPERATION_LENGTH: usize = SERVICE_LENGTH + DESTINATION_LENGTH;
/// Bytes of an observed service.
pub const OBSERVED_SERVICE_LENGTH: usize = SERVICE_LENGTH + 4 + 8 * Statistics::COUNT;
/// Bytes of an observed destination.
pub const OBSERVED_DESTINATION_LENGTH: usize = DESTINATION_LENGTH + 16 + 8 * Statistics::COUNT;

/// What was observed, as records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records {
    /// n × [`OBSERVED_SERVICE_LENGTH`] bytes.
    pub services: Vec<u8>,
    /// Those of the first service, then those of the second, …
    pub destinations: Vec<u8>,
    /// Names of the schedulers.
    pub schedulers: Vec<String>,
}

/// Writes what was observed.
#[must_use]
pub fn records(observed: &[ObservedService]) -> Records {
    let mut records = Records::default();
    for one in observed {
        let scheduler = number_of(&mut records.schedulers, &one.service.scheduler);
        put_service(&mut records.services, 0, &one.service, scheduler);
        let count = u32::try_from(one.destinations.len()).unwrap_or(u32::MAX);
        records.services.extend_from_slice(&count.to_le_bytes());
        put_statistics(&mut records.services, &one.statistics);
        for destination in &one.destinations {
            put_observed(&mut records.destinations, destination);
        }
    }
    records
}

/// Reads operations; `None` when a record is cut short or says something that there is not.
#[must_use]
pub fn operations(bytes: &[u8], schedulers: &[String]) -> Option<Vec<Operation>> {
    let (records, []) = bytes.as_chunks::<OPERATION_LENGTH>() else {
        return None;
    };
    records
        .iter()
        .map(|record| operation(record, schedulers))
        .collect()
}

fn operation(record: &[u8; OPERATION_LENGTH], schedulers: &[String]) -> Option<Operation> {
    let mut reader = Reader(record);
    let [kind] = reader.take()?;
    let (key, service) = service(&mut reader, schedulers)?;
    Some(match kind {
        1 => Operation::NewService(service?),
        2 => Operation::SetService(service?),
        3 => Operation::DeleteService(key),
        4 => Operation::NewDestination(key, destination(&mut reader)?),
        5 => Operation::SetDestination(key, destination(&mut reader)?),
        6 => Operation::DeleteDestination(key, destination(&mut reader)?.endpoint),
        _ => return None,
    })
}

/// What names a service, and the service when its scheduler is on the list.
fn service(
    reader: &mut Reader<'_>,
    schedulers: &[String],
) -> Option<(ServiceKey, Option<Service>)> {
    let [family, protocol, persistence_prefix] = reader.take()?;
    let port = u16::from_le_bytes(reader.take()?);
    let scheduler = usize::from(u16::from_le_bytes(reader.take()?));
    let octets: [u8; 16] = reader.take()?;
    let mark = reader.number()?;
    let key = if protocol == 0 {
        ServiceKey::Mark {
            family: if family == 6 { Family::V6 } else { Family::V4 },
            mark,
        }
    } else {
        ServiceKey::Address {
            transport: Transport(protocol),
            address: address(family, octets)?,
            port,
        }
    };
    let flags = Flags(reader.number()?);
    let persistence_seconds = reader.number()?;
    let service = schedulers.get(scheduler).map(|scheduler| Service {
        key,
        scheduler: scheduler.clone(),
        flags,
        persistence_seconds,
        persistence_prefix,
    });
    Some((key, service))
}

fn destination(reader: &mut Reader<'_>) -> Option<Destination> {
    let [family, forwarding] = reader.take()?;
    let port = u16::from_le_bytes(reader.take()?);
    let address = address(family, reader.take()?)?;
    Some(Destination {
        endpoint: Endpoint { address, port },
        forwarding: Forwarding::from_code(forwarding.into()),
        weight: reader.number()?,
        upper_threshold: reader.number()?,
        lower_threshold: reader.number()?,
    })
}

fn address(family: u8, octets: [u8; 16]) -> Option<IpAddr> {
    match family {
        4 => octets
            .first_chunk()
            .map(|first: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*first))),
        6 => Some(IpAddr::V6(Ipv6Addr::from(octets))),
        _ => None,
    }
}

fn number_of(names: &mut Vec<String>, name: &str) -> u16 {
    let index = names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
    u16::try_from(index).unwrap_or(u16::MAX)
}

const fn digit(family: Family) -> u8 {
    match family {
        Family::V4 => 4,
        Family::V6 => 6,
    }
}

fn put_service(target: &mut Vec<u8>, kind: u8, service: &Service, scheduler: u16) {
    let (protocol, octets, port, mark) = match service.key {
        ServiceKey::Mark { mark, .. } => (0, [0; 16], 0, mark),
        ServiceKey::Address {
            transport,
            address,
            port,
        } => (transport.0, address_bytes(address), port, 0),
    };
    let family = digit(service.key.family());
    target.extend_from_slice(&[kind, family, protocol, service.persistence_prefix]);
    target.extend_from_slice(&port.to_le_bytes());
    target.extend_from_slice(&scheduler.to_le_bytes());
    target.extend_from_slice(&octets);
    for number in [mark, service.flags.0, service.persistence_seconds] {
        target.extend_from_slice(&number.to_le_bytes());
    }
}

fn put_destination(target: &mut Vec<u8>, destination: &Destination) {
    let Endpoint { address, port } = destination.endpoint;
    let forwarding = u8::try_from(destination.forwarding.code()).unwrap_or(u8::MAX);
    target.extend_from_slice(&[digit(Family::of(address)), forwarding]);
    target.extend_from_slice(&port.to_le_bytes());
    target.extend_from_slice(&address_bytes(address));
    for number in [
        destination.weight,
        destination.upper_threshold,
        destination.lower_threshold,
    ] {
        target.extend_from_slice(&number.to_le_bytes());
    }
}

fn put_observed(target: &mut Vec<u8>, observed: &ObservedDestination) {
    put_destination(target, &observed.destination);
    for number in [
        observed.active_connections,
        observed.inactive_connections,
        observed.persistent_connections,
        0,
    ] {
        target.extend_from_slice(&number.to_le_bytes());
    }
    put_statistics(target, &observed.statistics);
}

fn put_statistics(target: &mut Vec<u8>, statistics: &Statistics) {
    for number in statistics.numbers() {
        target.extend_from_slice(&number.to_le_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
}

/// Operations as records, for tests of what reads them.
#[cfg(test)]
pub(super) fn write(operations: &[Operation]) -> (Vec<u8>, Vec<String>) {
    let (mut bytes, mut schedulers) = (Vec::new(), Vec::new());
    for operation in operations {
        let named = Service {
            key: *operation.service(),
            scheduler: String::new(),
            flags: Flags::default(),
            persistence_seconds: 0,
            persistence_prefix: 0,
        };
        let (kind, service) = match operation {
            Operation::NewService(service) => (1, service),
            Operation::SetService(service) => (2, service),
            Operation::DeleteService(_) => (3, &named),
            Operation::NewDestination(..) => (4, &named),
            Operation::SetDestination(..) => (5, &named),
            Operation::DeleteDestination(..) => (6, &named),
        };
        let scheduler = number_of(&mut schedulers, &service.scheduler);
        put_service(&mut bytes, kind, service, scheduler);
        match operation {
            Operation::NewDestination(_, destination)
            | Operation::SetDestination(_, destination) => put_destination(&mut bytes, destination),
            Operation::DeleteDestination(_, endpoint) => put_destination(
                &mut bytes,
                &Destination {
                    endpoint: *endpoint,
                    forwarding: Forwarding::Masquerade,
                    weight: 0,
                    upper_threshold: 0,
                    lower_threshold: 0,
                },
            ),
            _ => bytes.resize(bytes.len() + DESTINATION_LENGTH, 0),
        }
    }
    (bytes, schedulers)
}
