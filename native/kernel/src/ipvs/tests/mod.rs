//! The codec against captured bytes and random values; the client against the kernel, where it has
//! IPVS (in a guest: `npm run guest -- uml -- <the test binary> ipvs`).

use std::net::IpAddr;

use super::*;
use crate::fresh_namespace::in_fresh_namespace;
use crate::netlink::{NetlinkSocket, Protocol};
use crate::route::Operation::SetLink;
use crate::route::{LinkChange, apply};

mod golden;
mod kernel;
mod random;
mod round_trip;
mod volume;

/// Runs a test in a namespace of its own, or says that the kernel has no IPVS.
fn with_ipvs(test: &str, body: impl FnOnce(&mut Client) + Send) {
    in_fresh_namespace(test, || match Client::open() {
        Ok(mut client) => {
            // Without any address IPv4 has no table of local ones, and every destination is EINVAL.
            let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
            let up = LinkChange {
                index: 1,
                is_up: Some(true),
                ..LinkChange::default()
            };
            apply(&mut socket, &[SetLink(up)]).remove(0).unwrap();
            body(&mut client);
        }
        Err(error @ IpvsError::NotSupported { .. }) => {
            println!("SKIPPED {test}: needs ipvs ({error})");
        }
        Err(error) => panic!("{error:?}"),
    });
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn key(transport: Transport, address: &str, port: u16) -> ServiceKey {
    ServiceKey::Address {
        transport,
        address: ip(address),
        port,
    }
}

fn web() -> ServiceKey {
    key(Transport::TCP, "11.0.0.1", 80)
}

fn service(key: ServiceKey, scheduler: &str) -> Service {
    Service {
        key,
        scheduler: scheduler.to_owned(),
        flags: Flags::default(),
        persistence_seconds: 0,
        persistence_prefix: key.family().bits(),
    }
}

fn destination(address: &str, port: u16) -> Destination {
    Destination {
        endpoint: Endpoint {
            address: ip(address),
            port,
        },
        forwarding: Forwarding::Masquerade,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

/// Applies operations and names the errnos.
fn answers(client: &mut Client, operations: &[Operation]) -> Vec<&'static str> {
    let results = client.apply(operations).unwrap();
    results
        .iter()
        .map(|result| match result.errno.0 {
            0 => "OK",
            _ => result.errno.name(),
        })
        .collect()
}
