//! Against the kernel, in namespaces of their own.

use super::*;
use crate::errno::Errno;
use crate::fresh_namespace::in_fresh_namespace;
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

#[test]
fn makes_changes_and_deletes_links() {
    in_fresh_namespace("makes_changes_and_deletes_links", || {
        let mut socket = open();
        let mac: Mac = "70:b3:d5:0f:ff:01".parse().unwrap();
        let bridge = NewLink {
            name: "nsv-br".to_owned(),
            kind: "bridge".to_owned(),
            mac: Some(mac),
            is_up: true,
            ..NewLink::default()
        };
        done(
            &mut socket,
            &[veth("nsv-a", "nsv-b"), Operation::AddLink(bridge)],
        );
        let a = link_named(&mut socket, "nsv-a");
        assert_eq!(
            (a.kind.as_deref(), a.mtu, a.is_up),
            (Some("veth"), 1400, false)
        );
        let bridge = link_named(&mut socket, "nsv-br");
        assert_eq!(
            (bridge.kind.as_deref(), bridge.mac),
            (Some("bridge"), Some(mac))
        );
        assert!(bridge.is_up && !bridge.is_loopback);

        let change = LinkChange {
            index: a.index,
            is_up: Some(true),
            mtu: Some(1300),
            master_index: Some(bridge.index),
            ..LinkChange::default()
        };
        done(&mut socket, &[Operation::SetLink(change)]);
        let a = link_named(&mut socket, "nsv-a");
        assert_eq!(
            (a.is_up, a.mtu, a.master_index),
            (true, 1300, Some(bridge.index))
        );
        assert_eq!(
            links(&mut socket)
                .unwrap()
                .iter()
                .filter(|link| link.is_loopback)
                .count(),
            1
        );

        done(&mut socket, &[Operation::DeleteLink(a.index)]);
        let left: Vec<_> = links(&mut socket)
            .unwrap()
            .into_iter()
            .map(|link| link.name)
            .collect();
        assert!(
            !left.iter().any(|name| name == "nsv-a" || name == "nsv-b"),
            "{left:?}"
        );
        assert_eq!(
            errnos(&mut socket, &[Operation::DeleteLink(a.index)]),
            [libc::ENODEV]
        );
    });
}

#[test]
fn makes_a_vxlan_device_with_neighbours_and_forwarding_entries() {
    in_fresh_namespace(
        "makes_a_vxlan_device_with_neighbours_and_forwarding_entries",
        || {
            let mut socket = open();
            let underlay = connected(&mut socket);
            let vxlan = Vxlan {
                vni: 1024,
                port: 64000,
                local: Some("10.9.0.1".parse().unwrap()),
                underlay_index: Some(underlay),
                is_learning: false,
            };
            let wanted = NewLink {
                name: "nsv-vtep".to_owned(),
                kind: "vxlan".to_owned(),
                vxlan: Some(vxlan.clone()),
                is_up: true,
                ..NewLink::default()
            };
            done(&mut socket, &[Operation::AddLink(wanted)]);
            let vtep = link_named(&mut socket, "nsv-vtep");
            assert_eq!(
                (vtep.kind.as_deref(), vtep.vxlan),
                (Some("vxlan"), Some(vxlan))
            );

            let entry = |address: &str, is_forwarding| Neighbour {
                link_index: vtep.index,
                address: Some(address.parse().unwrap()),
                mac: Some("70:b3:d5:0f:ff:02".parse().unwrap()),
                state: 0x80,
                is_forwarding,
            };
            let entries = [
                entry("44.128.0.2", false),
                entry("fd09::2", false),
                entry("10.9.0.2", true),
            ];
            let put: Vec<_> = entries
                .iter()
                .cloned()
                .map(Operation::ReplaceNeighbour)
                .collect();
            done(&mut socket, &put);
            done(&mut socket, &put);
            let seen = neighbours(&mut socket).unwrap();
            for entry in &entries {
                assert!(seen.contains(entry), "{entry:?} not in {seen:?}");
            }
            let add = Operation::AddNeighbour(entries[0].clone());
            assert_eq!(errnos(&mut socket, &[add]), [libc::EEXIST]);

            let delete: Vec<_> = entries
                .iter()
                .cloned()
                .map(Operation::DeleteNeighbour)
                .collect();
            done(&mut socket, &delete);
            assert_eq!(errnos(&mut socket, &delete), [libc::ENOENT; 3]);
        },
    );
}

#[test]
fn adds_reads_and_deletes_addresses() {
    in_fresh_namespace("adds_reads_and_deletes_addresses", || {
        let mut socket = open();
        done(&mut socket, &[up(1)]);
        let mut wanted = vec![address(1, "198.51.100.1/32"), address(1, "fd01:d::1/128")];
        wanted[0].label = Some("lo:navstar".to_owned());
        wanted[0].scope = 254;
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddAddress).collect();
        done(&mut socket, &add);
        let seen = addresses(&mut socket).unwrap();
        for address in &wanted {
            assert!(seen.contains(address), "{address:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 2]);
        let delete: Vec<_> = wanted
            .iter()
            .cloned()
            .map(Operation::DeleteAddress)
            .collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::EADDRNOTAVAIL; 2]);
        let seen = addresses(&mut socket).unwrap();
        assert!(wanted.iter().all(|address| !seen.contains(address)));
    });
}

#[test]
fn adds_replaces_and_deletes_routes_of_both_families() {
    in_fresh_namespace("adds_replaces_and_deletes_routes_of_both_families", || {
        let mut socket = open();
        let index = connected(&mut socket);
        let via = |destination: &str, gateway: &str, source: &str| Route {
            gateway: Some(gateway.parse().unwrap()),
            preferred_source: Some(source.parse().unwrap()),
            link_index: Some(index),
            ..route(destination)
        };
        let local = Route {
            link_index: Some(1),
            kind: 2,
            scope: 254,
            table: 42_000,
            ..route("11.0.0.0/8")
        };
        let v6 = Route {
            priority: Some(50),
            ..via("fd01:c::/64", "fd09::2", "fd09::1")
        };
        let wanted = [via("0.0.0.0/0", "10.9.0.2", "10.9.0.1"), local, v6];
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddRoute).collect();
        done(&mut socket, &add);
        let seen = routes(&mut socket).unwrap();
        for route in &wanted {
            assert!(seen.contains(route), "{route:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 3]);

        let elsewhere = via("0.0.0.0/0", "10.9.0.3", "10.9.0.1");
        done(&mut socket, &[Operation::ReplaceRoute(elsewhere.clone())]);
        let seen = routes(&mut socket).unwrap();
        assert!(seen.contains(&elsewhere) && !seen.contains(&wanted[0]));

        let now = [elsewhere, wanted[1].clone(), wanted[2].clone()];
        let delete: Vec<_> = now.iter().cloned().map(Operation::DeleteRoute).collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::ESRCH; 3]);
        assert!(
            routes(&mut socket)
                .unwrap()
                .iter()
                .all(|route| route.protocol != 77)
        );
    });
}

#[test]
fn keeps_a_gateway_that_is_not_on_the_link() {
    in_fresh_namespace("keeps_a_gateway_that_is_not_on_the_link", || {
        let mut socket = open();
        let index = connected(&mut socket);
        let wanted = Route {
            gateway: Some("44.128.0.2".parse().unwrap()),
            link_index: Some(index),
            is_onlink: true,
            ..route("9.0.2.0/24")
        };
        let strict = Route {
            is_onlink: false,
            ..wanted.clone()
        };
        let results = apply(&mut socket, &[Operation::AddRoute(strict)]);
        let error = results[0].as_ref().unwrap_err();
        assert_eq!(error.errno(), Errno(libc::ENETUNREACH));
        assert_eq!(error.kernel_words(), Some("Nexthop has invalid gateway"));
        done(&mut socket, &[Operation::AddRoute(wanted.clone())]);
        assert!(routes(&mut socket).unwrap().contains(&wanted));
    });
}

#[test]
fn adds_reads_and_deletes_rules() {
    in_fresh_namespace("adds_reads_and_deletes_rules", || {
        let mut socket = open();
        let wanted = [
            Rule {
                is_v6: false,
                priority: 420,
                table: 42,
                source: None,
                destination: Some("9.0.0.0/8".parse().unwrap()),
                mark: Some(7),
                protocol: Some(77),
            },
            Rule {
                is_v6: true,
                priority: 421,
                table: 42_000,
                source: Some("fd01:c::/64".parse().unwrap()),
                destination: None,
                mark: None,
                protocol: Some(77),
            },
        ];
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddRule).collect();
        done(&mut socket, &add);
        let seen = rules(&mut socket).unwrap();
        for rule in &wanted {
            assert!(seen.contains(rule), "{rule:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 2]);
        let delete: Vec<_> = wanted.iter().cloned().map(Operation::DeleteRule).collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::ENOENT; 2]);
    });
}

#[test]
fn goes_on_after_a_failure() {
    in_fresh_namespace("goes_on_after_a_failure", || {
        let mut socket = open();
        let operations = [
            up(1),
            up(999),
            veth("nsv-a", "nsv-b"),
            veth("nsv-a", "nsv-c"),
            up(1),
        ];
        assert_eq!(
            errnos(&mut socket, &operations),
            [0, libc::ENODEV, 0, libc::EEXIST, 0]
        );
    });
}
