//! Links, VXLAN and its neighbours.

use super::*;
use crate::fresh_namespace::in_fresh_namespace;

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
