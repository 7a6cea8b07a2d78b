//! Against the kernel, in namespaces of their own; the foreign hand is `ip` and `nft`.

use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::*;
use crate::fresh_namespace::in_fresh_namespace;
use crate::route::{LinkChange, Operation, Prefix, Route, apply};

const DEADLINE: Duration = Duration::from_secs(10);

fn foreign(command: &str) {
    let mut words = command.split(' ');
    let status = Command::new(words.next().unwrap())
        .args(words)
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
}

fn everything() -> Options {
    Options {
        routes: true,
        links: true,
        addresses: true,
        nft_tables: vec!["nsv".to_owned()],
    }
}

/// A watch that hears, with a queue of this length.
fn watching(namespace: &Namespace, options: Options, limit: usize) -> (Watch, Receiver<Event>) {
    let (events, heard) = sync_channel(limit);
    let (ready, outcome) = sync_channel(1);
    let sink = move |event| match events.try_send(event) {
        Ok(()) => Delivery::Taken,
        Err(std::sync::mpsc::TrySendError::Full(_)) => Delivery::Full,
        Err(std::sync::mpsc::TrySendError::Disconnected(_)) => Delivery::Gone,
    };
    let ready = move |result| ready.send(result).unwrap();
    let watch = Watch::start(namespace, options, sink, ready).unwrap();
    outcome.recv_timeout(DEADLINE).unwrap().unwrap();
    (watch, heard)
}

fn wait_for(heard: &Receiver<Event>, kind: Kind, subject: &str, is_removal: bool) -> Vec<Event> {
    let mut before = Vec::new();
    loop {
        let event = heard.recv_timeout(DEADLINE).unwrap_or_else(|_| {
            panic!("never heard of {kind:?} {subject} {is_removal}, but of {before:?}")
        });
        if event
            == (Event {
                kind,
                subject: subject.to_owned(),
                is_removal,
            })
        {
            return before;
        }
        before.push(event);
    }
}

fn route_operations(namespace: &Namespace, operations: Vec<Operation>) {
    let results = namespace
        .run_now(move |sockets| apply(sockets.route().unwrap(), &operations))
        .unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

fn blackhole(destination: &str) -> Route {
    Route {
        destination: destination.parse::<Prefix>().unwrap(),
        gateway: None,
        link_index: None,
        preferred_source: None,
        table: 254,
        protocol: 77,
        scope: 0,
        kind: 6,
        priority: None,
        is_onlink: false,
    }
}

#[test]
fn hears_what_others_change() {
    in_fresh_namespace("hears_what_others_change", || {
        let namespace = Namespace::open(None).unwrap();
        let (watch, heard) = watching(&namespace, everything(), 64);
        foreign("ip link add nsv-a type bridge");
        wait_for(&heard, Kind::Link, "nsv-a", false);
        foreign("ip addr add 10.9.0.1/24 dev nsv-a");
        wait_for(&heard, Kind::Address, "10.9.0.1/24", false);
        foreign("ip -6 addr add fd09::1/64 dev nsv-a");
        wait_for(&heard, Kind::Address, "fd09::1/64", false);
        foreign("ip route add blackhole 11.0.0.0/8");
        wait_for(&heard, Kind::Route, "11.0.0.0/8", false);
        foreign("ip route del blackhole 11.0.0.0/8");
        wait_for(&heard, Kind::Route, "11.0.0.0/8", true);
        foreign("nft add table inet nsv");
        wait_for(&heard, Kind::Nftables, "nsv", false);
        foreign("nft delete table inet nsv");
        wait_for(&heard, Kind::Nftables, "nsv", true);
        foreign("ip link del nsv-a");
        wait_for(&heard, Kind::Link, "nsv-a", true);
        watch.close();
        namespace.close();
    });
}

#[test]
fn does_not_hear_what_its_namespace_changes() {
    in_fresh_namespace("does_not_hear_what_its_namespace_changes", || {
        let namespace = Namespace::open(None).unwrap();
        let (watch, heard) = watching(&namespace, everything(), 64);
        let up = LinkChange {
            index: 1,
            is_up: Some(true),
            ..LinkChange::default()
        };
        let mine = blackhole("11.0.0.0/8");
        let delete = Operation::DeleteRoute(mine.clone());
        route_operations(
            &namespace,
            vec![Operation::AddRoute(mine), delete, Operation::SetLink(up)],
        );
        foreign("ip route add blackhole 12.0.0.0/8");
        let before = wait_for(&heard, Kind::Route, "12.0.0.0/8", false);
        let of_mine = |event: &Event| event.subject == "11.0.0.0/8";
        assert!(!before.iter().any(of_mine), "{before:?}");
        watch.close();
        namespace.close();
    });
}

#[test]
fn tells_of_tables_it_was_asked_about_only() {
    in_fresh_namespace("tells_of_tables_it_was_asked_about_only", || {
        let namespace = Namespace::open(None).unwrap();
        let options = Options {
            nft_tables: vec!["nsv".to_owned()],
            ..Options::default()
        };
        let (watch, heard) = watching(&namespace, options, 64);
        foreign("nft add table inet foreign");
        foreign("nft add table ip nsv");
        foreign("nft add table inet nsv");
        let before = wait_for(&heard, Kind::Nftables, "nsv", false);
        assert_eq!(before, []);
        watch.close();
        namespace.close();
    });
}

#[test]
fn tells_a_slow_listener_that_it_missed_events() {
    in_fresh_namespace("tells_a_slow_listener_that_it_missed_events", || {
        let namespace = Namespace::open(None).unwrap();
        let options = Options {
            routes: true,
            ..Options::default()
        };
        let (watch, heard) = watching(&namespace, options, 1);
        let other = Namespace::open(None).unwrap();
        let many = (0..2000).map(|number| {
            Operation::AddRoute(blackhole(&format!(
                "12.{}.{}.0/24",
                number / 256,
                number % 256
            )))
        });
        route_operations(&other, many.collect());
        wait_for(&heard, Kind::Overflow, "route", false);
        // And hears again afterwards.
        foreign("ip route add blackhole 13.0.0.0/8");
        let is_heard = |event: Event| event.subject == "13.0.0.0/8" || event.kind == Kind::Overflow;
        while !is_heard(heard.recv_timeout(DEADLINE).unwrap()) {}
        watch.close();
        other.close();
        namespace.close();
    });
}

#[test]
fn tells_when_the_namespace_is_closed() {
    in_fresh_namespace("tells_when_the_namespace_is_closed", || {
        let namespace = Namespace::open(None).unwrap();
        let (watch, heard) = watching(&namespace, everything(), 4);
        namespace.close();
        // The watch has sockets of its own.
        foreign("ip route add blackhole 11.0.0.0/8");
        wait_for(&heard, Kind::Route, "11.0.0.0/8", false);
        drop(heard);
        watch.close();
    });
}
