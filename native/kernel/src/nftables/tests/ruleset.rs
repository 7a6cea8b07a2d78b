//! The rule set that the load balancer will build, as operations.

use serde_json::{Value, json};

use super::{add, add_chain, add_rule, add_set, operation};
use crate::nftables::operation::{Action, Elements, Hook, Operation, SetSpec};

/// What `nft` numbers its types: 6 bits per field of a concatenation.
pub const IPV4: u32 = 7;
pub const IPV6: u32 = 8;
pub const PROTOCOL: u32 = 12;
pub const SERVICE: u32 = 13;
pub const MARK: u32 = 19;
pub const IFINDEX: u32 = 20;

/// The type number of a concatenation, 6 bits per field.
pub fn concatenation(types: &[u32]) -> u32 {
    types.iter().fold(0, |packed, r#type| packed << 6 | r#type)
}

/// How the number of slots leads to the chain that draws one of them.
#[derive(Debug, Clone, Copy)]
pub enum Dispatch {
    /// One rule and a verdict map. `nft list` 1.0.6 aborts on it: it cannot print the key of a
    /// lookup that is itself the result of a lookup.
    VerdictMap,
    /// One rule per number, which looks the service up again. `nft list` prints it.
    Comparison,
}

/// One address family: where its header has the destination and which registers that leaves.
pub struct Family {
    pub suffix: &'static str,
    pub nfproto: &'static str,
    pub offset: u32,
    pub length: u32,
    pub r#type: u32,
    pub nat: &'static str,
    /// 11.0.0.0/8 or `fd01:c::/32`, as mask and value.
    pub range: (&'static str, &'static str),
}

pub const FAMILIES: [Family; 2] = [
    Family {
        suffix: "4",
        nfproto: "02",
        offset: 16,
        length: 4,
        r#type: IPV4,
        nat: "ip",
        range: ("ff000000", "0b000000"),
    },
    Family {
        suffix: "6",
        nfproto: "0a",
        offset: 24,
        length: 16,
        r#type: IPV6,
        nat: "ip6",
        range: (
            "ffffffff000000000000000000000000",
            "fd01000c000000000000000000000000",
        ),
    },
];

impl Family {
    pub fn vips(&self) -> SetSpec {
        SetSpec {
            key_length: self.length + 8,
            key_type: concatenation(&[self.r#type, PROTOCOL, SERVICE]),
            value_length: Some(4),
            value_type: Some(MARK),
            is_map: true,
            ..SetSpec::default()
        }
    }

    pub fn slots(&self) -> SetSpec {
        SetSpec {
            key_length: self.length + 12,
            key_type: concatenation(&[self.r#type, PROTOCOL, SERVICE, MARK]),
            value_length: Some(self.length + 4),
            value_type: Some(concatenation(&[self.r#type, SERVICE])),
            is_map: true,
            ..SetSpec::default()
        }
    }

    /// Loads address, protocol and port; the next free register is the second value.
    fn key(&self) -> (Vec<Value>, u32) {
        let after = 8 + self.length / 4;
        let steps = vec![
            json!({"expr": "meta", "key": "nfproto", "dreg": 8}),
            json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": self.nfproto}),
            json!({"expr": "payload", "base": "network", "offset": self.offset,
                "length": self.length, "dreg": 8}),
            json!({"expr": "meta", "key": "l4proto", "dreg": after}),
            json!({"expr": "payload", "base": "transport", "offset": 2, "length": 2,
                "dreg": after + 1}),
        ];
        (steps, after + 2)
    }

    /// The number of slots of a packet's service decides about the chain.
    fn service_rules(&self, dispatch: Dispatch, classes_used: &[u32]) -> Vec<Value> {
        let (mut start, free) = self.key();
        let vips = format!("vips{}", self.suffix);
        start.push(json!({"expr": "lookup", "set": vips, "sreg": 8, "dreg": free}));
        let with = |ends: &[Value]| Value::Array([start.as_slice(), ends].concat());
        let classes = format!("classes{}", self.suffix);
        match dispatch {
            Dispatch::VerdictMap => vec![with(&[
                json!({"expr": "lookup", "set": classes, "sreg": free, "isVerdict": true}),
            ])],
            Dispatch::Comparison => classes_used
                .iter()
                .map(|slots| {
                    let bytes: String = slots
                        .to_ne_bytes()
                        .map(|byte| format!("{byte:02x}"))
                        .concat();
                    let chain = format!("slots{}-{slots}", self.suffix);
                    with(&[
                        json!({"expr": "cmp", "op": "eq", "sreg": free, "bytes": bytes}),
                        json!({"expr": "verdict", "code": "goto", "chain": chain}),
                    ])
                })
                .collect(),
        }
    }

    fn slot_rule(&self, slots: u32) -> Value {
        let (mut steps, free) = self.key();
        let set = format!("slots{}", self.suffix);
        steps.push(json!({"expr": "numgen", "type": "random", "modulus": slots, "dreg": free}));
        steps.push(json!({"expr": "lookup", "set": set, "sreg": 8, "dreg": 8}));
        steps.push(
            json!({"expr": "nat", "type": "dnat", "family": self.nat, "addressRegister": 8,
            "portRegister": 8 + self.length / 4}),
        );
        Value::Array(steps)
    }

    /// A packet to the range that no slot translated.
    fn untranslated(&self) -> Vec<Value> {
        let zero = "00".repeat(self.length as usize);
        vec![
            json!({"expr": "meta", "key": "nfproto", "dreg": 8}),
            json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": self.nfproto}),
            json!({"expr": "payload", "base": "network", "offset": self.offset,
                "length": self.length, "dreg": 8}),
            json!({"expr": "bitwise", "sreg": 8, "dreg": 8, "mask": self.range.0, "xor": zero}),
            json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": self.range.1}),
            json!({"expr": "ct", "key": "status", "dreg": 8}),
            json!({"expr": "bitwise", "sreg": 8, "dreg": 8, "mask": "20000000", "xor": "00000000"}),
            json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "00000000"}),
        ]
    }

    fn reject_rules(&self) -> [Value; 2] {
        let mut reset = self.untranslated();
        reset.push(json!({"expr": "meta", "key": "l4proto", "dreg": 8}));
        reset.push(json!({"expr": "cmp", "op": "eq", "sreg": 8, "bytes": "06"}));
        reset.push(json!({"expr": "counter"}));
        reset.push(json!({"expr": "reject", "type": "tcpReset"}));
        let mut unreachable = self.untranslated();
        unreachable.push(json!({"expr": "reject", "type": "icmpx", "code": 1}));
        [Value::Array(reset), Value::Array(unreachable)]
    }
}

pub fn classes() -> SetSpec {
    SetSpec {
        key_length: 4,
        key_type: MARK,
        is_verdict_map: true,
        ..SetSpec::default()
    }
}

pub fn hairpin() -> SetSpec {
    SetSpec {
        key_length: 8,
        key_type: concatenation(&[IFINDEX, IFINDEX]),
        ..SetSpec::default()
    }
}

fn hook(r#type: &str, hook: &str, priority: i32) -> Hook {
    let hook = json!({"type": r#type, "hook": hook, "priority": priority, "policy": "accept"});
    serde_json::from_value(hook).expect("hook")
}

/// Everything but elements; `classes` are the numbers of slots that occur.
pub fn ruleset(dispatch: Dispatch, classes_used: &[u32]) -> Vec<Operation> {
    let mut operations = vec![operation(Action::AddTable), add_set("hairpin", &hairpin())];
    operations.push(add_chain("services", None));
    for family in &FAMILIES {
        let suffix = family.suffix;
        operations.push(add_set(&format!("vips{suffix}"), &family.vips()));
        operations.push(add_set(&format!("slots{suffix}"), &family.slots()));
        operations.push(add_set(&format!("classes{suffix}"), &classes()));
        for &slots in classes_used {
            let chain = format!("slots{suffix}-{slots}");
            operations.push(add_chain(&chain, None));
            operations.push(add_rule(&chain, &family.slot_rule(slots), None));
            operations.push(operation(Action::AddElements(Elements {
                set: format!("classes{suffix}"),
                spec: classes(),
                keys: slots.to_ne_bytes().to_vec(),
                chains: vec![chain],
                ..Elements::default()
            })));
        }
        for rule in family.service_rules(dispatch, classes_used) {
            operations.push(add_rule("services", &rule, Some("services")));
        }
    }
    let go = json!([{"expr": "verdict", "code": "goto", "chain": "services"}]);
    for point in ["output", "prerouting"] {
        operations.push(add_chain(point, Some(hook("nat", point, -100))));
        operations.push(add_rule(point, &go, None));
    }
    for point in ["output", "forward", "input"] {
        let chain = format!("reject-{point}");
        operations.push(add_chain(&chain, Some(hook("filter", point, 0))));
        for rule in FAMILIES.iter().flat_map(Family::reject_rules) {
            operations.push(add_rule(&chain, &rule, None));
        }
    }
    operations.push(add_chain(
        "postrouting",
        Some(hook("nat", "postrouting", 100)),
    ));
    operations.push(add_rule("postrouting", &masquerade_rule(), Some("hairpin")));
    operations
}

fn masquerade_rule() -> Value {
    json!([
        {"expr": "meta", "key": "iif", "dreg": 8},
        {"expr": "meta", "key": "oif", "dreg": 9},
        {"expr": "lookup", "set": "hairpin", "sreg": 8},
        {"expr": "ct", "key": "status", "dreg": 8},
        {"expr": "bitwise", "sreg": 8, "dreg": 8, "mask": "20000000", "xor": "00000000"},
        {"expr": "cmp", "op": "neq", "sreg": 8, "bytes": "00000000"},
        {"expr": "masquerade"},
    ])
}

/// A service: its address, protocol (6 or 17) and port, and its backends.
pub fn service(vip: &str, protocol: u8, backends: &[&str]) -> Vec<Operation> {
    let (family, mut key) = address_and_port(vip, Some(protocol));
    let slots = u32::try_from(backends.len()).expect("few");
    let suffix = family.suffix;
    let vips = add(
        &format!("vips{suffix}"),
        &family.vips(),
        &key,
        &slots.to_ne_bytes(),
    );
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for (slot, backend) in (0u32..).zip(backends) {
        key.truncate(family.vips().key_length as usize);
        key.extend_from_slice(&slot.to_ne_bytes());
        keys.extend_from_slice(&key);
        values.extend_from_slice(&address_and_port(backend, None).1);
    }
    vec![
        vips,
        add(&format!("slots{suffix}"), &family.slots(), &keys, &values),
    ]
}

fn address_and_port(text: &str, protocol: Option<u8>) -> (&'static Family, Vec<u8>) {
    let address: std::net::SocketAddr = text.parse().expect("address");
    let (family, mut packed) = match address.ip() {
        std::net::IpAddr::V4(ip) => (&FAMILIES[0], ip.octets().to_vec()),
        std::net::IpAddr::V6(ip) => (&FAMILIES[1], ip.octets().to_vec()),
    };
    packed.extend(protocol.into_iter().flat_map(|number| [number, 0, 0, 0]));
    packed.extend_from_slice(&address.port().to_be_bytes());
    packed.extend_from_slice(&[0, 0]);
    (family, packed)
}
