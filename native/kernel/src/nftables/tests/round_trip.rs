use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ruleset::{Dispatch, IPV4, SERVICE, concatenation, ruleset};
use super::{TABLE, add, add_chain, add_rule, add_set, apply, number_map, operation, socket};
use crate::fresh_namespace::in_fresh_namespace;
use crate::nftables::operation::{Action, Operation, SetSpec};
use crate::nftables::{read_elements, read_table};

/// The rules that operations add, by chain: expressions and comment.
fn desired(operations: &[Operation]) -> BTreeMap<String, Vec<(Value, Option<String>)>> {
    let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for operation in operations {
        if let Action::AddRule {
            chain,
            expressions,
            comment,
        } = &operation.action
        {
            let expressions = serde_json::to_value(expressions).expect("json");
            rules
                .entry(chain.clone())
                .or_default()
                .push((expressions, comment.clone()));
        }
    }
    rules
}

#[test]
fn the_kernel_gives_back_the_rule_set_that_it_got() {
    in_fresh_namespace("the_kernel_gives_back_the_rule_set_that_it_got", || {
        let mut socket = socket();
        let operations = ruleset(Dispatch::VerdictMap, &[1, 3]);
        apply(&mut socket, &operations);
        let observed = read_table(&mut socket, TABLE)
            .expect("table")
            .expect("exists");
        let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for rule in observed.rules {
            let expressions = serde_json::to_value(&rule.expressions).expect("json");
            rules
                .entry(rule.chain)
                .or_default()
                .push((expressions, rule.comment));
        }
        assert_eq!(rules, desired(&operations));
        for operation in &operations {
            match &operation.action {
                Action::AddSet { set, spec } => {
                    let found = observed.sets.iter().find(|observed| observed.name == *set);
                    assert_eq!(&found.expect("set").spec, spec, "{set}");
                }
                Action::AddChain { chain, hook } => {
                    let found = observed
                        .chains
                        .iter()
                        .find(|observed| observed.name == *chain);
                    assert_eq!(&found.expect("chain").hook, hook, "{chain}");
                }
                _ => {}
            }
        }
    });
}

/// Every kind of expression, in rules that the kernel accepts.
fn every_expression() -> Vec<Value> {
    let mark = json!({"expr": "meta", "key": "mark", "dreg": 23});
    vec![
        json!([{"expr": "ct", "key": "state", "dreg": 8}, {"expr": "bitwise", "sreg": 8, "dreg": 9,
            "mask": "06000000", "xor": "00000000"}, {"expr": "counter"},
            {"expr": "verdict", "code": "accept"}]),
        json!([{"expr": "ct", "key": "direction", "dreg": 11},
            {"expr": "cmp", "op": "neq", "sreg": 11, "bytes": "01"},
            {"expr": "verdict", "code": "jump", "chain": "leaf"}]),
        json!([{"expr": "ct", "key": "dstIp", "direction": "original", "dreg": 8},
            {"expr": "ct", "key": "srcIp", "direction": "reply", "dreg": 9},
            {"expr": "ct", "key": "protoDst", "direction": "original", "dreg": 10},
            {"expr": "ct", "key": "protoSrc", "direction": "reply", "dreg": 11}]),
        json!([{"expr": "ct", "key": "dstIp6", "direction": "original", "dreg": 8},
            {"expr": "ct", "key": "srcIp6", "direction": "reply", "dreg": 12}]),
        json!([mark, {"expr": "cmp", "op": "lte", "sreg": 23, "bytes": "00000007"},
            {"expr": "verdict", "code": "return"}]),
        json!([mark, {"expr": "lookup", "set": "numbers", "sreg": 23, "dreg": 12}]),
        json!([mark, {"expr": "lookup", "set": "plain", "sreg": 23, "isInverted": true},
            {"expr": "verdict", "code": "drop"}]),
        json!([{"expr": "payload", "base": "network", "offset": 12, "length": 8, "dreg": 8},
            {"expr": "bitwise", "sreg": 8, "dreg": 10, "mask": "ffffffff00000000",
            "xor": "0000000000000001"},
            {"expr": "hash", "type": "jhash", "sreg": 8, "length": 8, "modulus": 16, "seed": 7,
            "dreg": 12},
            {"expr": "hash", "type": "jhash", "sreg": 8, "length": 4, "modulus": 3, "seed": 0,
            "offset": 5, "dreg": 16}]),
        json!([{"expr": "numgen", "type": "inc", "modulus": 5, "offset": 2, "dreg": 20}]),
        json!([{"expr": "immediate", "dreg": 9, "bytes": "7f0000011f90"},
            {"expr": "meta", "key": "iifname", "dreg": 12},
            {"expr": "cmp", "op": "eq", "sreg": 12, "bytes": "6c6f0000000000000000000000000000"}]),
        json!([{"expr": "meta", "key": "nfproto", "dreg": 8},
            {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "0a"},
            {"expr": "reject", "type": "icmpv6", "code": 4}]),
        json!([{"expr": "meta", "key": "nfproto", "dreg": 8},
            {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "02"},
            {"expr": "reject", "type": "icmp", "code": 3}]),
    ]
}

#[test]
fn the_kernel_gives_back_every_expression_that_it_got() {
    in_fresh_namespace("the_kernel_gives_back_every_expression_that_it_got", || {
        let mut socket = socket();
        let hook = json!({"type": "filter", "hook": "input", "priority": 7, "policy": "drop"});
        let hook = serde_json::from_value(hook).expect("hook");
        let nat = json!({"type": "nat", "hook": "postrouting", "priority": 1, "policy": "accept"});
        let plain = SetSpec {
            key_length: 4,
            key_type: 19,
            ..SetSpec::default()
        };
        let mut operations = vec![
            operation(Action::AddTable),
            add_set("numbers", &number_map()),
            add_set("plain", &plain),
            add_chain("leaf", None),
            add_chain("root", Some(hook)),
            add_chain("source", serde_json::from_value(nat).expect("hook")),
            add_rule(
                "source",
                &json!([
                    {"expr": "meta", "key": "nfproto", "dreg": 8},
                    {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "02"},
                    {"expr": "immediate", "dreg": 8, "bytes": "01020304"},
                    {"expr": "nat", "type": "snat", "family": "ip", "addressRegister": 8},
                ]),
                None,
            ),
        ];
        operations.extend(
            every_expression()
                .iter()
                .map(|rule| add_rule("root", rule, None)),
        );
        apply(&mut socket, &operations);
        let observed = read_table(&mut socket, TABLE)
            .expect("table")
            .expect("exists");
        let rules: Vec<Value> = observed
            .rules
            .iter()
            .filter(|rule| rule.chain == "root")
            .map(|rule| serde_json::to_value(&rule.expressions).expect("json"))
            .collect();
        assert_eq!(rules, every_expression());
        assert_eq!(desired(&operations)["source"][0].0, {
            let rule = observed
                .rules
                .iter()
                .find(|rule| rule.chain == "source")
                .expect("rule");
            serde_json::to_value(&rule.expressions).expect("json")
        });
    });
}

/// Sorts packed elements, as the kernel's order is its own.
fn sorted(keys: &[u8], length: usize) -> Vec<&[u8]> {
    let mut records: Vec<&[u8]> = keys.chunks_exact(length).collect();
    records.sort_unstable();
    records
}

#[test]
fn the_kernel_gives_back_every_kind_of_element() {
    in_fresh_namespace("the_kernel_gives_back_every_kind_of_element", || {
        let mut socket = socket();
        let tree = SetSpec {
            key_length: 4,
            key_type: 7,
            is_interval: true,
            ..SetSpec::default()
        };
        let fields = SetSpec {
            key_length: 8,
            key_type: concatenation(&[IPV4, SERVICE]),
            key_field_lengths: vec![4, 2],
            ..tree.clone()
        };
        let fixed = SetSpec {
            size_hint: Some(1000),
            key_length: 8,
            ..number_map()
        };
        let ranges = [
            [10, 0, 0, 0, 10, 255, 255, 255],
            [11, 0, 0, 0, 11, 0, 0, 0],
            [250, 0, 0, 0, 255, 255, 255, 255],
        ]
        .concat();
        let boxes = [10, 0, 0, 0, 0, 80, 0, 0, 10, 255, 255, 255, 0, 90, 0, 0];
        let many: Vec<u8> = (0u32..2_000).flat_map(u32::to_ne_bytes).collect();
        apply(
            &mut socket,
            &[
                operation(Action::AddTable),
                add_set("tree", &tree),
                add("tree", &tree, &ranges, &[]),
                add_set("boxes", &fields),
                add("boxes", &fields, &boxes, &[]),
                add_set("fixed", &fixed),
                add("fixed", &fixed, &many[..4_000], &many[..2_000]),
                add_set("numbers", &number_map()),
                add("numbers", &number_map(), &many, &many),
            ],
        );
        let mut read = |set: &str, key, value| {
            read_elements(&mut socket, TABLE, set, (key, value)).expect(set)
        };
        assert_eq!(sorted(&read("tree", 4, 0).keys, 8), sorted(&ranges, 8));
        assert_eq!(read("boxes", 8, 0).keys, boxes);
        assert_eq!(
            sorted(&read("fixed", 8, 4).keys, 8),
            sorted(&many[..4_000], 8)
        );
        let numbers = read("numbers", 4, 4);
        assert_eq!(numbers.keys, numbers.values);
        assert_eq!(sorted(&numbers.keys, 4), sorted(&many, 4));
        let observed = read_table(&mut socket, TABLE)
            .expect("table")
            .expect("exists");
        let specs: Vec<_> = observed.sets.into_iter().map(|set| set.spec).collect();
        assert_eq!(specs, [tree, fields, fixed, number_map()]);
        let remove_ranges = super::remove("tree", &observed_tree(), &ranges[..8]);
        apply(&mut socket, &[remove_ranges]);
        let rest = read_elements(&mut socket, TABLE, "tree", (4, 0))
            .expect("tree")
            .keys;
        assert_eq!(sorted(&rest, 8), sorted(&ranges[8..], 8));
    });
}

fn observed_tree() -> SetSpec {
    SetSpec {
        key_length: 4,
        key_type: 7,
        is_interval: true,
        ..SetSpec::default()
    }
}

#[test]
fn verdict_maps_give_back_their_chains() {
    in_fresh_namespace("verdict_maps_give_back_their_chains", || {
        let mut socket = socket();
        apply(&mut socket, &ruleset(Dispatch::VerdictMap, &[2, 5]));
        let dump = read_elements(&mut socket, TABLE, "classes4", (4, 0)).expect("elements");
        let mut pairs: Vec<_> = dump.keys.chunks_exact(4).zip(&dump.chains).collect();
        pairs.sort_unstable();
        let [two, five] = [2u32, 5].map(u32::to_ne_bytes);
        let chains = ["slots4-2".to_owned(), "slots4-5".to_owned()];
        assert_eq!(pairs, [(&two[..], &chains[0]), (&five[..], &chains[1])]);
    });
}
