use serde_json::{Value, json};

use crate::netlink::Attributes;
use crate::nftables::body::Body;
use crate::nftables::decode;
use crate::nftables::encode::put_expressions;
use crate::nftables::expression::Expression;

fn hex(bytes: &[u8]) -> String {
    crate::nftables::bytes::HexBytes(bytes.to_vec()).into()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect()
}

fn encode(rule: &Value) -> Vec<u8> {
    let expressions: Vec<Expression> = serde_json::from_value(rule.clone()).expect("expressions");
    let mut list = Attributes::new();
    put_expressions(&mut list, &expressions).expect("writable");
    list.into_bytes().expect("short enough")
}

fn decode(list: &[u8]) -> Value {
    let message = [&[1, 0, 0, 0], list].concat();
    serde_json::to_value(decode::expressions(Body::of_message(&message))).expect("json")
}

/// What `nft --debug=mnl -f -` (1.0.6) printed as the content of `NFTA_RULE_EXPRESSIONS`.
fn golden() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "meta l4proto tcp reject with tcp reset",
            "24000180090001006d6574610000000014000280080002000000001008000100000000012c0001800800010063\
             6d700020000280080001000000000108000200000000000c0003800500010006000000240001800b0001007265\
             6a65637400001400028008000100000000010500020000000000",
            json!([
                {"expr": "meta", "key": "l4proto", "dreg": 8},
                {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "06"},
                {"expr": "reject", "type": "tcpReset"},
            ]),
        ),
        (
            "reject with icmpx type port-unreachable",
            "240001800b00010072656a65637400001400028008000100000000020500020001000000",
            json!([{"expr": "reject", "type": "icmpx", "code": 1}]),
        ),
        (
            "goto services",
            "400001800e000100696d6d6564696174650000002c0002800800010000000000200002801c0002800800010\
             0fffffffc0d000200736572766963657300000000",
            json!([{"expr": "verdict", "code": "goto", "chain": "services"}]),
        ),
        (
            "ct direction original jump slots4-3",
            "20000180070001006374000014000280080002000000000108000100000000012c00018008000100636d700\
             020000280080001000000000108000200000000000c0003800500010000000000400001800e000100696d6d\
             6564696174650000002c0002800800010000000000200002801c00028008000100fffffffd0d000200736c6\
             f7473342d3300000000",
            json!([
                {"expr": "ct", "key": "direction", "dreg": 8},
                {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "00"},
                {"expr": "verdict", "code": "jump", "chain": "slots4-3"},
            ]),
        ),
        (
            "ct original ip6 daddr fd01:c::1 drop",
            "28000180070001006374000\
             01c00028008000200000000160800010000000001050003000000000038000180080001006\
             36d70002c00028008000100000000010800020000000000180003801400010\
             0fd01000c000000000000000000000001300001800e000100696d6d65646961746500000\
             01c0002800800010000000000100002800c000280080001000000\
             0000",
            json!([
                {"expr": "ct", "key": "dstIp6", "direction": "original", "dreg": 8},
                {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "fd01000c000000000000000000000001"},
                {"expr": "verdict", "code": "drop"},
            ]),
        ),
        (
            "ip6 daddr fd01:c::/64 reject with icmpv6 type port-unreachable",
            "24000180090001006d6574610000000014000280080002000000000f08000100000000012c000180080001006\
             36d700020000280080001000000000108000200000000000c000380050001000a000000340001800c0001007\
             061796c6f6164002400028008000100000000010800020000000001080003000000001808000400000000083\
             000018008000100636d70002400028008000100000000010800020000000000100003800c000100fd01000c0\
             0000000240001800b00010072656a65637400001400028008000100000000000500020004000000",
            json!([
                {"expr": "meta", "key": "nfproto", "dreg": 8},
                {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "0a"},
                {"expr": "payload", "base": "network", "offset": 24, "length": 8, "dreg": 8},
                {"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "fd01000c00000000"},
                {"expr": "reject", "type": "icmpv6", "code": 4},
            ]),
        ),
        (
            "jhash ip saddr mod 16 seed 0x1 offset 3 (the second half of a rule)",
            "340001800c0001007061796c6f6164002400028008000100000000020800020000000001080003000000000c\
             0800040000000004",
            json!([{"expr": "payload", "base": "network", "offset": 12, "length": 4, "dreg": 12}]),
        ),
    ]
}

#[test]
fn writes_what_nft_writes() {
    for (rule, expected, expressions) in golden() {
        let expected: String = expected.split_whitespace().collect();
        assert_eq!(hex(&encode(&expressions)), expected, "{rule}");
    }
}

#[test]
fn reads_what_nft_writes() {
    for (rule, written, expressions) in golden() {
        let written: String = written.split_whitespace().collect();
        assert_eq!(decode(&bytes(&written)), expressions, "{rule}");
    }
}

#[test]
fn reads_a_hash_whose_type_was_left_out() {
    // nft --debug=mnl: jhash ip saddr mod 16 seed 0x1 offset 3
    let written = "4c0001800900010068617368000000003c0002800800010000000002080002000000000108000300\
                   0000000408000400000000100800050000000001080006000000000308000700000000 00";
    let written: String = written.split_whitespace().collect();
    let expected = json!([{
        "expr": "hash", "type": "jhash", "sreg": 12, "length": 4, "modulus": 16, "seed": 1,
        "offset": 3, "dreg": 8,
    }]);
    assert_eq!(decode(&bytes(&written)), expected);
}

#[test]
fn names_what_it_cannot_write() {
    // nft --debug=mnl: meta mark set ...: a meta with a source register.
    let written = bytes("24000180090001006d657461000000001400028008000200000000030800030000000001");
    assert_eq!(
        decode(&written),
        json!([{"expr": "unknown", "name": "meta"}])
    );
    let mut list = Attributes::new();
    let unknown = [Expression::Unknown {
        name: "limit".to_owned(),
    }];
    assert!(put_expressions(&mut list, &unknown).is_err());
}

#[test]
fn survives_bytes_that_end_anywhere_or_lie() {
    for (_, written, _) in golden() {
        let written = bytes(&written.split_whitespace().collect::<String>());
        for length in 0..written.len() {
            let _ = decode(&written[..length]);
            let mut flipped = written.clone();
            flipped[length] ^= 0xff;
            let _ = decode(&flipped);
        }
    }
}

#[test]
fn refuses_registers_fields_and_bytes_that_do_not_exist() {
    for wrong in [
        json!({"expr": "meta", "key": "nfproto", "dreg": 7}),
        json!({"expr": "meta", "key": "nfproto", "dreg": 24}),
        json!({"expr": "meta", "key": "moon", "dreg": 8}),
        json!({"expr": "meta", "key": "nfproto", "dreg": 8, "sreg": 8}),
        json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "0"}),
        json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "0g"}),
    ] {
        assert!(
            serde_json::from_value::<Expression>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}
