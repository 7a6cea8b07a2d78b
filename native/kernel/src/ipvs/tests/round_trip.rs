//! What is written is read back; what is read never panics.

use super::super::{codes, decode, encode, record};
use super::random::Dice;
use super::*;
use crate::netlink::Attributes;
use crate::netlink::generic::HEADER_LENGTH;

const ROUNDS: usize = 5_000;

fn message(body: Attributes) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LENGTH];
    bytes.extend(body.into_bytes().unwrap());
    bytes
}

fn service_message(dice: &mut Dice) -> (Vec<u8>, Service) {
    let service = dice.service();
    let mut body = Attributes::new();
    encode::put_service(&mut body, &service);
    (message(body), service)
}

#[test]
fn services_and_destinations_come_back_as_they_were_written() {
    let mut dice = Dice(7);
    for _ in 0..ROUNDS {
        let (bytes, service) = service_message(&mut dice);
        let (read, statistics) = decode::service(&bytes).unwrap();
        assert_eq!((read, statistics), (service, Statistics::default()));

        let destination = dice.destination();
        let mut body = Attributes::new();
        encode::put_destination(&mut body, &destination);
        // What only the kernel writes.
        let mut bytes = message(body);
        let counted = dice.statistics();
        let mut more = Attributes::new();
        more.put_u32(codes::destination::ACTIVE_CONNECTIONS, 1)
            .put_u32(codes::destination::INACTIVE_CONNECTIONS, 2)
            .put_u32(codes::destination::PERSISTENT_CONNECTIONS, 3)
            .nest(codes::destination::STATISTICS_64, |list| {
                for (kind, number) in (1..).zip(counted.numbers()) {
                    list.put(kind, &number.to_ne_bytes()).put(11, &[]);
                }
            });
        bytes.extend(more.into_bytes().unwrap());
        let length = u16::try_from(bytes.len() - HEADER_LENGTH).unwrap();
        bytes[4..6].copy_from_slice(&length.to_ne_bytes());
        let read = decode::destination(&bytes, Family::V4).unwrap();
        assert_eq!(read.destination, destination);
        assert_eq!(read.statistics, counted);
        assert_eq!(read.persistent_connections, 3);
    }
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    let mut dice = Dice(11);
    let mut read = 0;
    for round in 0..ROUNDS * 20 {
        let bytes: Vec<u8> = if round % 2 == 0 {
            // A message with a few bytes changed, and cut.
            let (mut bytes, _) = service_message(&mut dice);
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                bytes[at] = dice.number().to_le_bytes()[7];
            }
            let length = bytes.len() - dice.below(3) * dice.below(bytes.len() / 2);
            bytes.truncate(length);
            bytes
        } else {
            let length = dice.below(120);
            (0..length)
                .map(|_| [0, 1, 2, 4, 8, dice.number().to_le_bytes()[3]][dice.below(6)])
                .collect()
        };
        read += usize::from(decode::service(&bytes).is_ok());
        let _ = decode::destination(&bytes, Family::V6);
        let _ = decode::timeouts(&bytes);
        let _ = decode::information(&bytes);
        let _ = record::operations(&bytes, &["rr".to_owned()]);
    }
    assert!(read > 1_000, "only {read} of the messages were readable");
}

#[test]
fn operations_cross_as_records() {
    let mut dice = Dice(13);
    let operations: Vec<Operation> = (0..ROUNDS).map(|_| dice.operation()).collect();
    let (bytes, schedulers) = record::write(&operations);
    assert_eq!(bytes.len(), ROUNDS * record::OPERATION_LENGTH);
    assert_eq!(record::operations(&bytes, &schedulers), Some(operations));
    assert_eq!(record::operations(&bytes[1..], &schedulers), None);
    assert_eq!(record::operations(&bytes, &[]), None);
    for (at, wrong) in [(0, 0), (0, 7), (1, 5), (37, 9)] {
        let one = [Operation::NewDestination(
            web(),
            destination("10.0.0.1", 80),
        )];
        let (mut bytes, schedulers) = record::write(&one);
        assert_eq!(record::operations(&bytes, &schedulers).unwrap(), one);
        bytes[at] = wrong;
        let is_address = at == 37;
        let outcome = record::operations(&bytes, &schedulers);
        assert_eq!(outcome.is_none(), !is_address, "byte {at}: {outcome:?}");
    }
}

#[test]
fn what_is_observed_crosses_as_records() {
    let mut dice = Dice(17);
    let observed: Vec<ObservedService> = (0..50)
        .map(|count| ObservedService {
            service: dice.service(),
            statistics: dice.statistics(),
            destinations: (0..count % 4)
                .map(|_| ObservedDestination {
                    destination: dice.destination(),
                    active_connections: dice.u32(),
                    inactive_connections: dice.u32(),
                    persistent_connections: dice.u32(),
                    statistics: dice.statistics(),
                })
                .collect(),
        })
        .collect();
    let records = record::records(&observed);
    let count: usize = observed.iter().map(|one| one.destinations.len()).sum();
    assert_eq!(records.services.len(), 50 * record::OBSERVED_SERVICE_LENGTH);
    assert_eq!(
        records.destinations.len(),
        count * record::OBSERVED_DESTINATION_LENGTH
    );
    assert_eq!(records.schedulers.len(), 4);
    // The service part of an observed service is that of an operation.
    let first = &records.services[..36];
    let mut made = [first, &[0; 32]].concat();
    made[0] = 1;
    let read = record::operations(&made, &records.schedulers).unwrap();
    assert_eq!(read, [Operation::NewService(observed[0].service.clone())]);
}
