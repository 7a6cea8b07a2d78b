//! Beside others: what the `nft` command shows of our table, and what we see of other tables.

use super::ruleset::{Dispatch, hairpin, ruleset, service};
use super::{TABLE, add, apply, operation, run, socket};
use crate::fresh_namespace::in_fresh_namespace;
use crate::nftables::operation::Action;
use crate::nftables::read_table;

#[test]
fn the_nft_command_prints_rules_and_elements_readably() {
    in_fresh_namespace("the_nft_command_prints_rules_and_elements_readably", || {
        let mut socket = socket();
        apply(&mut socket, &ruleset(Dispatch::Comparison, &[2]));
        apply(
            &mut socket,
            &service("11.0.0.1:80", 6, &["127.0.0.1:8080", "127.0.0.2:8080"]),
        );
        apply(&mut socket, &service("[fd01:c::1]:53", 17, &["[::1]:5353"]));
        let pair = [1u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat();
        apply(&mut socket, &[add("hairpin", &hairpin(), &pair, &[])]);
        let printed = run(&format!("nft list table inet {TABLE}"));
        for expected in [
            "type ipv4_addr . inet_proto . inet_service : mark",
            "type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service",
            "11.0.0.1 . tcp . 80 : 0x00000002",
            "11.0.0.1 . tcp . 80 . 0x00000001 : 127.0.0.2 . 8080",
            "fd01:c::1 . udp . 53 . 0x00000000 : ::1 . 5353",
            "0x00000002 : goto slots4-2",
            "\"lo\" . \"lo\"",
            "iif . oif @hairpin ct status dnat masquerade comment \"hairpin\"",
            "dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 map @slots4",
            "map @vips4 ",
            "goto slots4-2 comment \"services\"",
            "reject with tcp reset",
        ] {
            assert!(printed.contains(expected), "{expected}\n{printed}");
        }
    });
}

#[test]
fn foreign_tables_are_neither_read_nor_touched() {
    in_fresh_namespace("foreign_tables_are_neither_read_nor_touched", || {
        let mut socket = socket();
        run("nft add table inet nsv-foreign");
        run("nft add chain inet nsv-foreign services { type filter hook input priority 0 ; }");
        run("nft add rule inet nsv-foreign services limit rate 1/second counter accept");
        run("nft add table ip nsv-test");
        let before = run("nft list ruleset");
        assert_eq!(
            read_table(&mut socket, TABLE),
            Ok(None),
            "of family inet there is none"
        );
        apply(&mut socket, &ruleset(Dispatch::Comparison, &[1]));
        let observed = read_table(&mut socket, TABLE)
            .expect("table")
            .expect("exists");
        assert_eq!(
            observed
                .chains
                .iter()
                .filter(|chain| chain.name == "services")
                .count(),
            1
        );
        let foreign = read_table(&mut socket, "nsv-foreign")
            .expect("table")
            .expect("exists");
        let limit = crate::nftables::Expression::Unknown {
            name: "limit".to_owned(),
        };
        assert_eq!(foreign.rules[0].expressions[0], limit);
        apply(&mut socket, &[operation(Action::DeleteTable)]);
        assert_eq!(run("nft list ruleset"), before);
    });
}
