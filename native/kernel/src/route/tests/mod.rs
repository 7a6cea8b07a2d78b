//! Against the kernel, in namespaces of their own.

mod links;
mod routes;

use super::*;
use crate::netlink::{NetlinkSocket, Protocol};

fn open() -> NetlinkSocket {
    NetlinkSocket::open(Protocol::Route).unwrap()
}

fn done(socket: &mut NetlinkSocket, operations: &[Operation]) {
    for (operation, result) in operations.iter().zip(apply(socket, operations)) {
        result.unwrap_or_else(|error| panic!("{operation:?}: {error} {:?}", error.errno()));
    }
}

fn errnos(socket: &mut NetlinkSocket, operations: &[Operation]) -> Vec<i32> {
    let results = apply(socket, operations);
    results
        .iter()
        .map(|result| result.as_ref().map_or_else(|e| e.errno().0, |()| 0))
        .collect()
}

fn link_named(socket: &mut NetlinkSocket, name: &str) -> Link {
    let all = links(socket).unwrap();
    all.into_iter()
        .find(|link| link.name == name)
        .unwrap_or_else(|| panic!("no link {name}"))
}

fn veth(name: &str, peer: &str) -> Operation {
    Operation::AddLink(NewLink {
        name: name.to_owned(),
        kind: "veth".to_owned(),
        peer_name: Some(peer.to_owned()),
        mtu: Some(1400),
        ..NewLink::default()
    })
}

fn up(index: u32) -> Operation {
    Operation::SetLink(LinkChange {
        index,
        is_up: Some(true),
        ..LinkChange::default()
    })
}

fn address(link_index: u32, text: &str) -> Address {
    let Prefix { address, length } = text.parse().unwrap();
    Address {
        link_index,
        address,
        prefix_length: length,
        label: None,
        scope: 0,
    }
}

fn route(destination: &str) -> Route {
    Route {
        destination: destination.parse().unwrap(),
        gateway: None,
        link_index: None,
        preferred_source: None,
        table: 254,
        protocol: 77,
        scope: 0,
        kind: 1,
        priority: None,
        is_onlink: false,
    }
}

/// Two connected links, up, with addresses: returns the index of the first.
fn connected(socket: &mut NetlinkSocket) -> u32 {
    done(socket, &[veth("nsv-a", "nsv-b")]);
    let a = link_named(socket, "nsv-a").index;
    let b = link_named(socket, "nsv-b").index;
    done(
        socket,
        &[
            up(1),
            up(a),
            up(b),
            Operation::AddAddress(address(a, "10.9.0.1/24")),
            Operation::AddAddress(address(a, "fd09::1/64")),
        ],
    );
    a
}
