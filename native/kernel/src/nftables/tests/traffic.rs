use std::collections::BTreeMap;
use std::io::ErrorKind;

use super::ruleset::{Dispatch, hairpin, ruleset, service};
use super::topology::{Server, answer_one, ask, ask_datagram, join_client};
use super::{TABLE, add, apply, operation, run, socket};
use crate::fresh_namespace::in_fresh_namespace;
use crate::nftables::operation::Action;

const TCP: u8 = 6;
const UDP: u8 = 17;

fn spread(vip: &str, connections: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..connections {
        *counts.entry(ask(vip).expect("connect")).or_default() += 1;
    }
    counts
}

#[test]
fn connections_spread_over_the_slots_of_their_service() {
    in_fresh_namespace("connections_spread_over_the_slots_of_their_service", || {
        let client = join_client();
        let mut socket = socket();
        apply(&mut socket, &ruleset(Dispatch::VerdictMap, &[1, 2, 3]));
        let servers = [
            Server::start("127.0.0.1:8080", 'a'),
            Server::start("127.0.0.2:8080", 'b'),
            Server::start("[::1]:8080", 'c'),
        ];
        // Three slots: one backend of weight 2 and one of weight 1.
        let backends = ["127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.2:8080"];
        apply(&mut socket, &service("11.0.0.1:80", TCP, &backends));
        apply(
            &mut socket,
            &service("[fd01:c::1]:80", TCP, &["[::1]:8080"]),
        );
        let counts = spread("11.0.0.1:80", 300);
        assert_eq!(counts.values().sum::<usize>(), 300);
        assert!((150..250).contains(&counts["a"]), "{counts:?}");
        assert_eq!(
            spread("[fd01:c::1]:80", 3),
            BTreeMap::from([("c".to_owned(), 3)])
        );
        servers.into_iter().for_each(Server::stop);
        client.close();
    });
}

#[test]
fn datagrams_come_back_from_the_address_they_were_sent_to() {
    in_fresh_namespace(
        "datagrams_come_back_from_the_address_they_were_sent_to",
        || {
            let client = join_client();
            let mut socket = socket();
            apply(&mut socket, &ruleset(Dispatch::Comparison, &[1]));
            apply(
                &mut socket,
                &service("11.0.0.1:53", UDP, &["127.0.0.1:5353"]),
            );
            apply(
                &mut socket,
                &service("[fd01:c::1]:53", UDP, &["[::1]:5353"]),
            );
            for (from, vip, backend) in [
                ("127.0.0.1:0", "11.0.0.1:53", "127.0.0.1:5353"),
                ("[::1]:0", "[fd01:c::1]:53", "[::1]:5353"),
            ] {
                let server = answer_one(backend);
                assert_eq!(ask_datagram(from, vip).expect("answer").to_string(), vip);
                server.join().expect("server");
            }
            client.close();
        },
    );
}

#[test]
fn a_service_without_backends_refuses_at_once() {
    in_fresh_namespace("a_service_without_backends_refuses_at_once", || {
        let client = join_client();
        let mut socket = socket();
        apply(&mut socket, &ruleset(Dispatch::Comparison, &[1]));
        apply(&mut socket, &service("11.0.0.1:80", TCP, &[]));
        for vip in ["11.0.0.1:80", "11.9.9.9:1", "[fd01:c::7]:1"] {
            assert_eq!(
                ask(vip).expect_err(vip).kind(),
                ErrorKind::ConnectionRefused,
                "{vip}"
            );
        }
        for (from, vip) in [("127.0.0.1:0", "11.0.0.1:80"), ("[::1]:0", "[fd01:c::7]:1")] {
            let refusal = ask_datagram(from, vip).expect_err(vip);
            // What a filter on output drops is told to the sender as EPERM, whatever it answers.
            let kinds = [ErrorKind::ConnectionRefused, ErrorKind::PermissionDenied];
            assert!(kinds.contains(&refusal.kind()), "{vip}: {refusal}");
        }
        let remote = client.run_now(|_| ask("11.0.0.1:80").expect_err("empty").kind());
        assert_eq!(remote, Ok(ErrorKind::ConnectionRefused));
        client.close();
    });
}

#[test]
fn a_client_on_the_network_reaches_a_service_and_even_itself() {
    in_fresh_namespace(
        "a_client_on_the_network_reaches_a_service_and_even_itself",
        || {
            let client = join_client();
            let mut socket = socket();
            apply(&mut socket, &ruleset(Dispatch::Comparison, &[1]));
            let here = Server::start("10.200.0.1:9090", 'h');
            let there = client
                .run_now(|_| Server::start("10.200.0.2:9090", 't'))
                .expect("client");
            apply(
                &mut socket,
                &service("11.0.0.2:80", TCP, &["10.200.0.1:9090"]),
            );
            apply(
                &mut socket,
                &service("11.0.0.3:80", TCP, &["10.200.0.2:9090"]),
            );
            let index = std::fs::read_to_string("/sys/class/net/nsv-h/ifindex")
                .ok()
                .map_or_else(index_of_veth, |text| text.trim().parse().expect("index"));
            let answers = |socket: &mut crate::netlink::NetlinkSocket| {
                let _ = socket;
                client.run_now(|_| ask("11.0.0.2:80").ok()).expect("client")
            };
            assert_eq!(answers(&mut socket).as_deref(), Some("h"));
            // Back to where it came from only works with a masqueraded source.
            let pair = [index.to_ne_bytes(), index.to_ne_bytes()].concat();
            apply(&mut socket, &[add("hairpin", &hairpin(), &pair, &[])]);
            let hairpinned = client.run_now(|_| ask("11.0.0.3:80").ok()).expect("client");
            assert_eq!(hairpinned.as_deref(), Some("t"));
            client.run_now(|_| there.stop()).expect("client");
            here.stop();
            apply(&mut socket, &[operation(Action::DeleteTable)]);
            assert!(!run("nft list ruleset").contains(TABLE));
            client.close();
        },
    );
}

fn index_of_veth() -> u32 {
    let line = run("ip -o link show nsv-h");
    line.split(':')
        .next()
        .and_then(|index| index.trim().parse().ok())
        .expect("index")
}
