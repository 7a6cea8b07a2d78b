//! How fast elements move. `cargo test -r -p navstar-kernel nftables::tests::volume -- --ignored
//! --nocapture` prints the figures beside those of the `nft` command.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::ruleset::{IPV4, MARK, PROTOCOL, SERVICE, concatenation};
use super::{TABLE, add, add_set, apply, operation, remove, socket};
use crate::fresh_namespace::in_fresh_namespace;
use crate::netlink::NetlinkSocket;
use crate::nftables::operation::{Action, SetSpec};
use crate::nftables::{generation, read_elements};

const SET: &str = "slots4";

fn spec() -> SetSpec {
    SetSpec {
        key_length: 16,
        key_type: concatenation(&[IPV4, PROTOCOL, SERVICE, MARK]),
        value_length: Some(8),
        value_type: Some(concatenation(&[IPV4, SERVICE])),
        is_map: true,
        ..SetSpec::default()
    }
}

fn key(number: u32) -> Vec<u8> {
    let [a, b, c, d] = number.to_be_bytes();
    [
        [0x0b | a, b, c, d],
        [6, 0, 0, 0],
        [0, 80, 0, 0],
        number.to_ne_bytes(),
    ]
    .concat()
}

fn fill(socket: &mut NetlinkSocket, count: u32, per_transaction: u32) -> Duration {
    apply(
        socket,
        &[operation(Action::AddTable), add_set(SET, &spec())],
    );
    let started = now();
    for first in (0..count).step_by(per_transaction as usize) {
        let numbers = first..count.min(first + per_transaction);
        let keys: Vec<u8> = numbers.clone().flat_map(key).collect();
        let values = vec![7; numbers.len() * 8];
        apply(socket, &[add(SET, &spec(), &keys, &values)]);
    }
    started.elapsed()
}

#[allow(clippy::disallowed_methods, reason = "this is what is being measured")]
fn now() -> Instant {
    Instant::now()
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[test]
fn many_elements_load_and_come_back() {
    in_fresh_namespace("many_elements_load_and_come_back", || {
        let mut socket = socket();
        fill(&mut socket, 30_000, 8_000);
        let dump = read_elements(&mut socket, TABLE, SET, (16, 8)).expect("elements");
        let mut keys: Vec<&[u8]> = dump.keys.chunks_exact(16).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((keys.len(), dump.values.len()), (30_000, 240_000));
    });
}

#[test]
#[ignore = "measures"]
fn measures_loading_a_quarter_of_a_million_elements() {
    in_fresh_namespace("measures_loading_a_quarter_of_a_million_elements", || {
        for per_transaction in [10_000, 20_000, 250_000] {
            let mut socket = socket();
            let load = fill(&mut socket, 250_000, per_transaction);
            let started = now();
            let dump = read_elements(&mut socket, TABLE, SET, (16, 8)).expect("elements");
            let read = started.elapsed();
            assert_eq!(dump.values.len(), 2_000_000);
            println!(
                "250000 elements, {per_transaction} per transaction: load {load:?}, read {read:?}"
            );
            let started = now();
            apply(&mut socket, &[operation(Action::DeleteTable)]);
            println!("  delete the table {:?}", started.elapsed());
        }
    });
}

#[test]
#[ignore = "measures"]
fn measures_changing_one_element_of_a_hundred_thousand() {
    in_fresh_namespace(
        "measures_changing_one_element_of_a_hundred_thousand",
        || {
            let mut socket = socket();
            fill(&mut socket, 100_000, 20_000);
            let before = generation(&mut socket).expect("generation");
            let changes: Vec<Duration> = (0..500u32)
                .map(|round| {
                    let key = key(round * 97);
                    let change = [
                        remove(SET, &spec(), &key),
                        add(SET, &spec(), &key, &u64::from(round).to_ne_bytes()),
                    ];
                    let started = now();
                    apply(&mut socket, &change);
                    started.elapsed()
                })
                .collect();
            // The figure is only worth something when each change really happened.
            assert_eq!(generation(&mut socket).expect("generation"), before + 500);
            let dump = read_elements(&mut socket, TABLE, SET, (16, 8)).expect("elements");
            let held: HashMap<&[u8], &[u8]> = dump
                .keys
                .chunks_exact(16)
                .zip(dump.values.chunks_exact(8))
                .collect();
            assert_eq!(held.len(), 100_000);
            for round in 0..500u32 {
                let value = u64::from(round).to_ne_bytes();
                assert_eq!(
                    held.get(key(round * 97).as_slice()),
                    Some(&value.as_slice())
                );
            }
            println!(
                "delete + add in one transaction (p50, p99): {:?}",
                percentiles(changes)
            );
            let commands: Vec<Duration> = (0..100u32).map(|round| nft_change(round * 97)).collect();
            println!(
                "the same by nft -f - (p50, p99):            {:?}",
                percentiles(commands)
            );
        },
    );
}

fn nft_change(number: u32) -> Duration {
    let [a, b, c, d] = number.to_be_bytes();
    let key = format!("{}.{b}.{c}.{d} . tcp . 80 . {number:#010x}", 0x0b | a);
    let script = format!(
        "delete element inet {TABLE} {SET} {{ {key} }}\n\
         add element inet {TABLE} {SET} {{ {key} : 10.0.0.1 . 80 }}\n"
    );
    let started = now();
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("nft");
    nft.stdin
        .take()
        .expect("stdin")
        .write_all(script.as_bytes())
        .expect("write");
    assert!(nft.wait().expect("nft").success());
    started.elapsed()
}
