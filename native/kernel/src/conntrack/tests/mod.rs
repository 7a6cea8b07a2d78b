//! The codec against captured bytes; the client against the kernel.

use std::collections::HashSet;
use std::net::IpAddr;

use super::*;
use crate::fresh_namespace::in_fresh_namespace;
use crate::netlink::message::{CREATE, EXCLUSIVE};
use crate::netlink::{Attributes, NetlinkSocket, Protocol, Request};

mod volume;

const UDP: u8 = 17;
const TCP: u8 = 6;
/// `IPCTNL_MSG_CT_NEW`
const NEW: u16 = 1 << 8;

fn end(address: &str, port: u16) -> Endpoint {
    let address: IpAddr = address.parse().unwrap();
    Endpoint { address, port }
}

/// A client's connection to a VIP that a backend serves.
fn entry(protocol: u8, client: Endpoint, vip: Endpoint, backend: Endpoint) -> Entry {
    Entry {
        original: Tuple {
            protocol,
            source: client,
            destination: vip,
        },
        reply: Tuple {
            protocol,
            source: backend,
            destination: client,
        },
        status: 8,
        timeout_seconds: 60,
        id: None,
        zone: 0,
    }
}

fn flow(protocol: u8, vip: Endpoint, backend: Option<Endpoint>) -> Flow {
    Flow {
        protocol,
        original_destination: vip,
        reply_source: backend,
    }
}

/// What `conntrack -I` sends.
fn insertion(entry: &Entry) -> Request {
    let mut body = Attributes::new();
    codec::put_whole_tuple(&mut body, 1, &entry.original);
    codec::put_whole_tuple(&mut body, 2, &entry.reply);
    body.put_u32_be(7, entry.timeout_seconds);
    // A protocol with states wants to know which (CTA_PROTOINFO: established), and IPS_CONFIRMED.
    if entry.original.protocol == TCP {
        body.nest(4, |info| {
            info.nest(1, |tcp| {
                tcp.put_u8(1, 3);
            });
        });
    }
    let family = if entry.original.source.address.is_ipv4() {
        2
    } else {
        10
    };
    Request::new(NEW, CREATE | EXCLUSIVE, &[family, 0, 0, 0], body).unwrap()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const ORIGINAL: &str = "34000180140001800800010\
    00a000009080002000b0000011c00028005000100110000000600020003e80000060003000035000 0";
const REPLY: &str = "3400028014000180080001000a000001080002000a0000091c00028005000100110000000600020014e9\
    00000600030003e80000";

fn golden() -> Entry {
    entry(
        UDP,
        end("10.0.0.9", 1000),
        end("11.0.0.1", 53),
        end("10.0.0.1", 5353),
    )
}

fn hex(text: &str) -> Vec<u8> {
    bytes_of(&text.replace(' ', ""))
}

#[test]
fn reads_an_entry_as_the_kernel_tells_it() {
    // `strace -xx conntrack -L -p udp` on 6.18, of the entry that is made by `conntrack -I -p udp
    // -s 10.0.0.9 -d 11.0.0.1 --sport 1000 --dport 53 -r 10.0.0.1 -q 10.0.0.9 --reply-port-src 5353
    // --reply-port-dst 1000 -t 60`
    let rest = "08000300000000080800080000000000\
        08000c00f5a055d608000b000000000108000700000\
        0003b1c0018800800010000000000080002000000000008000300 00000000";
    let whole = [&[2, 0, 0, 0], &hex(ORIGINAL)[..], &hex(REPLY), &hex(rest)].concat();
    let read = codec::entry(&whole).unwrap().unwrap();
    let expected = Entry {
        timeout_seconds: 59,
        id: Some(0xf5a0_55d6),
        ..golden()
    };
    assert_eq!(read, expected);
    for length in 0..whole.len() {
        let _ = codec::entry(&whole[..length]);
    }
    for at in 0..whole.len() {
        for wrong in [0, 1, 3, 5, 0x7f, 0xff] {
            let mut broken = whole.clone();
            broken[at] = wrong;
            let _ = codec::entry(&broken);
        }
    }
}

#[test]
fn names_an_entry_as_conntrack_does() {
    let request = codec::delete_request(&golden()).unwrap();
    assert_eq!(request.kind, 1 << 8 | 2);
    assert_eq!(
        request.payload,
        [&[2, 0, 0, 0], &hex(ORIGINAL)[..]].concat()
    );
    let request = insertion(&golden());
    assert_eq!(
        request.payload.get(..108),
        Some(&[&[2, 0, 0, 0], &hex(ORIGINAL)[..], &hex(REPLY)].concat()[..])
    );
}

/// Entries of two VIPs, two protocols and two families.
fn several() -> Vec<Entry> {
    let (vip, vip6) = (end("11.0.0.1", 53), end("fd01:c::5", 53));
    let mut entries = Vec::new();
    for number in 0..3u16 {
        let client = end("10.0.0.9", 1000 + number);
        let backend = end("10.0.0.1", 5353);
        entries.push(entry(UDP, client, vip, backend));
        entries.push(entry(
            UDP,
            end("10.0.0.8", 1000 + number),
            vip,
            end("10.0.0.2", 5353),
        ));
        let other = end("10.0.0.6", 1000 + number);
        entries.push(entry(UDP, other, end("11.0.0.2", 53), backend));
        entries.push(entry(TCP, client, vip, backend));
        let client6 = end("fd00::9", 1000 + number);
        entries.push(entry(UDP, client6, vip6, end("fd00::1", 5353)));
    }
    // Another port of the VIP, and of the backend.
    entries.push(entry(
        UDP,
        end("10.0.0.7", 1),
        end("11.0.0.1", 54),
        end("10.0.0.1", 5353),
    ));
    entries.push(entry(UDP, end("10.0.0.7", 2), vip, end("10.0.0.1", 5354)));
    entries
}

fn names(entries: &[Entry]) -> HashSet<(Tuple, Tuple)> {
    entries
        .iter()
        .map(|one| (one.original, one.reply))
        .collect()
}

fn with_entries(test: &str, body: impl FnOnce(&mut NetlinkSocket, &[Entry]) + Send) {
    in_fresh_namespace(test, || {
        let mut socket = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        let all = several();
        for one in &all {
            socket.request(&insertion(one)).unwrap();
        }
        body(&mut socket, &all);
    });
}

/// Every entry of the namespace.
fn everything(socket: &mut NetlinkSocket, all: &[Entry]) -> Vec<Entry> {
    let flows: Vec<Flow> = all.iter().map(Flow::of).collect();
    entries(socket, &flows).unwrap()
}

#[test]
fn finds_the_entries_of_a_flow() {
    with_entries("finds_the_entries_of_a_flow", |socket, all| {
        let vip = end("11.0.0.1", 53);
        let one = flow(UDP, vip, Some(end("10.0.0.1", 5353)));
        let told = socket
            .dump(&codec::entries_request(&[&one]).unwrap().unwrap())
            .unwrap();
        assert_eq!(told.len(), 3, "the kernel filters");
        for (flows, count) in [
            (vec![], 0),
            (vec![flow(UDP, vip, Some(end("10.0.0.1", 5353)))], 3),
            (vec![flow(UDP, vip, None)], 7),
            (vec![flow(TCP, vip, None)], 3),
            (
                vec![flow(UDP, end("fd01:c::5", 53), Some(end("fd00::1", 5353)))],
                3,
            ),
            (
                vec![flow(UDP, end("fd01:c::5", 53), None), flow(TCP, vip, None)],
                6,
            ),
            (vec![flow(UDP, end("11.0.0.3", 53), None)], 0),
        ] {
            let found = entries(socket, &flows).unwrap();
            let expected: Vec<Entry> = all
                .iter()
                .filter(|one| {
                    flows.contains(&Flow::of(one)) || flows.contains(&Flow::of(one).to_anywhere())
                })
                .copied()
                .collect();
            assert_eq!(expected.len(), count, "{flows:?}");
            assert_eq!(
                (names(&found), found.len()),
                (names(&expected), count),
                "{flows:?}"
            );
        }
    });
}

#[test]
fn deletes_the_entries_of_its_flows_and_no_others() {
    with_entries(
        "deletes_the_entries_of_its_flows_and_no_others",
        |socket, all| {
            let gone = [
                flow(UDP, end("11.0.0.1", 53), Some(end("10.0.0.1", 5353))),
                flow(UDP, end("fd01:c::5", 53), None),
            ];
            assert_eq!(delete(socket, &gone), Ok(6));
            let kept: Vec<Entry> = all
                .iter()
                .filter(|one| {
                    !gone.contains(&Flow::of(one)) && !gone.contains(&Flow::of(one).to_anywhere())
                })
                .copied()
                .collect();
            assert_eq!(names(&everything(socket, all)), names(&kept));
            assert_eq!(delete(socket, &gone), Ok(0));
            assert_eq!(delete(socket, &[]), Ok(0));
        },
    );
}

#[test]
fn an_entry_that_took_the_place_of_another_is_not_deleted() {
    with_entries(
        "an_entry_that_took_the_place_of_another_is_not_deleted",
        |socket, all| {
            let first = Flow::of(&all[0]);
            let mut stale = entries(socket, &[first]).unwrap()[0];
            stale.id = stale.id.map(|id| id ^ 1);
            let refused = socket.request(&codec::delete_request(&stale).unwrap());
            assert_eq!(refused.unwrap_err().errno().0, libc::ENOENT);
            assert_eq!(entries(socket, &[first]).unwrap().len(), 3);
        },
    );
}

#[test]
fn more_entries_than_one_send_holds_are_deleted() {
    in_fresh_namespace("more_entries_than_one_send_holds_are_deleted", || {
        let mut socket = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        let (vip, backend) = (end("11.0.0.1", 53), end("10.0.0.1", 5353));
        for port in 1..=1000 {
            let one = entry(UDP, end("10.0.0.9", port), vip, backend);
            socket.request(&insertion(&one)).unwrap();
        }
        let flows = [flow(UDP, vip, Some(backend))];
        assert_eq!(entries(&mut socket, &flows).unwrap().len(), 1000);
        assert_eq!(delete(&mut socket, &flows), Ok(1000));
        assert_eq!(entries(&mut socket, &flows), Ok(Vec::new()));
    });
}
