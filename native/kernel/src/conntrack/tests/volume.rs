//! How long a removed backend's entries take among many. `cargo test -r -p navstar-kernel
//! conntrack::tests::volume -- --ignored --nocapture`.

use std::time::Instant;

use super::*;
use crate::netlink::message::ACK;

const OTHERS: u32 = 100_000;
const OURS: u32 = 1_000;

#[allow(clippy::disallowed_methods, reason = "this is what is being measured")]
fn now() -> Instant {
    Instant::now()
}

/// Many in one send; what was refused would be missed below.
fn insert(socket: &mut NetlinkSocket, entries: &[Entry]) {
    for chunk in entries.chunks(128) {
        let sequences = socket.reserve_sequences(u32::try_from(chunk.len()).unwrap());
        let last = *sequences.end();
        let mut batch = Vec::new();
        for (sequence, one) in sequences.clone().zip(chunk) {
            let mut request = insertion(one);
            request.flags |= if sequence == last { ACK } else { 0 };
            request.write(&mut batch, sequence, socket.port());
        }
        socket.send_batch(&batch).unwrap();
        assert_eq!(socket.receive_replies(sequences).unwrap().len(), 1);
    }
}

fn numbered(number: u32, vip: Endpoint, backend: Endpoint) -> Entry {
    let client = Endpoint {
        address: std::net::Ipv4Addr::from(0x0a01_0000 + number / 50_000).into(),
        port: u16::try_from(number % 50_000 + 1).unwrap(),
    };
    entry(UDP, client, vip, backend)
}

#[test]
#[ignore = "measures"]
fn a_thousand_entries_among_a_hundred_thousand() {
    in_fresh_namespace("a_thousand_entries_among_a_hundred_thousand", || {
        let mut socket = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        let (vip, gone) = (end("11.0.0.1", 53), end("10.0.0.1", 5353));
        let others: Vec<Entry> = (0..OTHERS)
            .map(|number| numbered(number, vip, end("10.0.0.2", 5353)))
            .collect();
        let ours: Vec<Entry> = (OTHERS..OTHERS + OURS)
            .map(|number| numbered(number, vip, gone))
            .collect();
        insert(&mut socket, &others);
        insert(&mut socket, &ours);
        let one = [flow(UDP, vip, Some(gone))];
        let by = |backend: Option<Endpoint>| -> Vec<Flow> {
            let vips = (1..=100).map(|port| end("11.0.0.1", port));
            vips.map(|vip| flow(UDP, vip, backend)).collect()
        };
        let mut mixed = by(Some(gone));
        mixed.push(flow(UDP, end("11.0.0.2", 53), None));
        for (what, flows) in [
            ("one flow", &one[..]),
            ("100 VIPs of a backend", &by(Some(gone))),
            ("101 flows that share nothing", &mixed),
        ] {
            let started = now();
            let found = entries(&mut socket, flows).unwrap();
            println!("read {what}: {} in {:?}", found.len(), started.elapsed());
            assert_eq!(found.len(), ours.len());
        }
        let started = now();
        let deleted = delete(&mut socket, &one).unwrap();
        println!("delete one flow: {deleted} in {:?}", started.elapsed());
        assert_eq!(deleted, ours.len());
    });
}
