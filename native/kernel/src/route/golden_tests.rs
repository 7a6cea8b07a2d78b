//! Bytes that a 6.18 kernel sent, and what they mean. The namespace was made by
//!
//! ```text
//! ip link set lo up; ip addr add 198.51.100.1/32 dev lo label lo:navstar scope host
//! ip link add nsv-vtep address 70:b3:d5:0f:ff:01 type vxlan id 1024 dstport 64000 local 10.77.0.1 nolearning
//! ip link set nsv-vtep mtu 1450 up addrgenmode none
//! ip route add 9.0.2.0/24 via 44.128.0.2 dev nsv-vtep onlink proto 77 table 42000 metric 5
//! ip route add fd01:c::/64 dev lo proto 77 src ::1
//! ip rule add to 9.0.0.0/8 fwmark 7 table 42 priority 420 protocol 77
//! ip neigh replace 44.128.0.2 lladdr 70:b3:d5:0f:ff:02 dev nsv-vtep nud permanent
//! bridge fdb replace 70:b3:d5:0f:ff:02 dev nsv-vtep dst 10.77.0.2 self permanent
//! ```

use netlink_packet_route::RouteNetlinkMessage;

use super::codec::decode;
use super::*;
use crate::netlink::Message;

fn received(kind: u16, hex: &str) -> RouteNetlinkMessage {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let payload = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    decode(
        "golden",
        &Message {
            kind,
            flags: 2,
            sequence: 1,
            port: 1,
            payload,
        },
    )
    .unwrap()
}

#[test]
fn reads_a_vxlan_link() {
    let RouteNetlinkMessage::NewLink(message) = received(16, include_str!("golden/vxlan-link.hex"))
    else {
        panic!("not a link");
    };
    let vxlan = Vxlan {
        vni: 1024,
        port: 64000,
        local: Some("10.77.0.1".parse().unwrap()),
        underlay_index: None,
        is_learning: false,
    };
    let expected = Link {
        index: 2,
        name: "nsv-vtep".to_owned(),
        kind: Some("vxlan".to_owned()),
        is_up: true,
        is_loopback: false,
        mtu: 1450,
        mac: Some("70:b3:d5:0f:ff:01".parse().unwrap()),
        master_index: None,
        peer_namespace_id: None,
        vxlan: Some(vxlan),
    };
    assert_eq!(Link::decode(&message), expected);
}

#[test]
fn reads_an_address_with_a_label() {
    let hex = "022080fe01000000 08000100c6336401 08000200c6336401 0f0003006c6f3a6e61767374617200 00 \
               0800080080000000 14000600ffffffffffffffff2498030024980300";
    let RouteNetlinkMessage::NewAddress(message) = received(20, hex) else {
        panic!("not an address");
    };
    let expected = Address {
        link_index: 1,
        address: "198.51.100.1".parse().unwrap(),
        prefix_length: 32,
        label: Some("lo:navstar".to_owned()),
        scope: 254,
    };
    assert_eq!(Address::decode(&message), Some(expected));
}

#[test]
fn reads_routes_of_both_families() {
    let v4 = "02180000fc4d000104000000 08000f0010a40000 0800010009000200 0800060005000000 \
              080005002c800002 0800040002000000";
    let v6 = "0a400000fe4d000100000000 08000f00fe000000 14000100fd01000c000000000000000000000000 \
              1400070000000000000000000000000000000001 0800060000040000 0800040001000000 \
              24000c0000000000000000000000000000000000000000000000000000000000000000000500140000000000";
    let read = |hex| match received(24, hex) {
        RouteNetlinkMessage::NewRoute(message) => Route::decode(&message),
        _ => None,
    };
    let onlink = Route {
        destination: "9.0.2.0/24".parse().unwrap(),
        gateway: Some("44.128.0.2".parse().unwrap()),
        link_index: Some(2),
        preferred_source: None,
        table: 42_000,
        protocol: 77,
        scope: 0,
        kind: 1,
        priority: Some(5),
        is_onlink: true,
    };
    assert_eq!(read(v4), Some(onlink));
    let with_source = Route {
        destination: "fd01:c::/64".parse().unwrap(),
        gateway: None,
        link_index: Some(1),
        preferred_source: Some("::1".parse().unwrap()),
        table: 254,
        protocol: 77,
        scope: 0,
        kind: 1,
        priority: Some(1024),
        is_onlink: false,
    };
    assert_eq!(read(v6), Some(with_source));
}

#[test]
fn reads_a_rule() {
    let hex = "020800002a00000100000000 08000f002a000000 08000e00ffffffff 050015004d000000 \
               08000600a4010000 08000a0007000000 08001000ffffffff 0800010009000000";
    let RouteNetlinkMessage::NewRule(message) = received(32, hex) else {
        panic!("not a rule")
    };
    let expected = Rule {
        is_v6: false,
        priority: 420,
        table: 42,
        source: None,
        destination: Some("9.0.0.0/8".parse().unwrap()),
        mark: Some(7),
        protocol: Some(77),
    };
    assert_eq!(Rule::decode(&message), Some(expected));
}

#[test]
fn reads_a_neighbour_and_a_forwarding_entry() {
    let neighbour = "020000000200000080000001 080001002c800002 0a00020070b3d50fff020000 \
                     0800040000000000 1400030027000000270000002700000000000000";
    let forwarding = "0700000002000000c0000201 0a00020070b3d50fff020000 080001000a4d0002 \
                      1400030000000000340000003400000000000000";
    let read = |hex| match received(28, hex) {
        RouteNetlinkMessage::NewNeighbour(message) => Neighbour::decode(&message),
        _ => None,
    };
    let expected = Neighbour {
        link_index: 2,
        address: Some("44.128.0.2".parse().unwrap()),
        mac: Some("70:b3:d5:0f:ff:02".parse().unwrap()),
        state: 0x80,
        is_forwarding: false,
    };
    assert_eq!(read(neighbour), Some(expected.clone()));
    // The kernel adds NUD_NOARP (0x40) to what was asked for.
    let expected = Neighbour {
        address: Some("10.77.0.2".parse().unwrap()),
        state: 0xc0,
        is_forwarding: true,
        ..expected
    };
    assert_eq!(read(forwarding), Some(expected));
}

#[test]
fn refuses_a_message_that_ends_early() {
    let message = Message {
        kind: 24,
        flags: 0,
        sequence: 0,
        port: 0,
        payload: vec![2, 8, 0],
    };
    assert!(matches!(
        decode("route", &message),
        Err(RouteError::Decode {
            object: "route",
            ..
        })
    ));
}
