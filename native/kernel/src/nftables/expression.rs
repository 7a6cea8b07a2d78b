//! One step of a rule, as the kernel's virtual machine runs it.
//!
//! The serialised form is what crosses to TypeScript, e.g.
//! `{"expr":"meta","key":"nfproto","dreg":8}` or `{"expr":"cmp","op":"eq","sreg":8,"bytes":"02"}`.
//! Bytes are lower-case hexadecimal in the order in which they lie in the register. A field that
//! has its default (offset 0, a flag that is false) is left out, so that a desired rule and an
//! observed one compare by structure.
//!
//! **Source:** `include/uapi/linux/netfilter/nf_tables.h`

use serde::{Deserialize, Serialize};

use super::bytes::HexBytes;
use super::codes::{
    CompareOperator, CtDirection, CtKey, HashType, MetaKey, NatFamily, NatType, NumgenType,
    PayloadBase,
};
use super::register::Register;

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "expr",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[serde(deny_unknown_fields)]
pub enum Expression {
    /// Loads a property of the packet. Integers are in host order.
    Meta {
        /// Which property.
        key: MetaKey,
        /// Where to.
        dreg: Register,
    },
    /// Loads bytes of a header, in network order, zero-padded to 4.
    Payload {
        /// Which header.
        base: PayloadBase,
        /// Byte offset in that header.
        offset: u32,
        /// How many bytes.
        length: u32,
        /// Where to.
        dreg: Register,
    },
    /// Ends the rule without a verdict unless the comparison holds.
    Cmp {
        /// How.
        op: CompareOperator,
        /// The left side.
        sreg: Register,
        /// The right side.
        bytes: HexBytes,
    },
    /// `dreg = (sreg & mask) ^ xor`.
    Bitwise {
        /// Source.
        sreg: Register,
        /// Destination.
        dreg: Register,
        /// As long as `xor`.
        mask: HexBytes,
        /// As long as `mask`.
        xor: HexBytes,
    },
    /// Looks a key up; ends the rule without a verdict when it is absent (or present: inverted).
    ///
    /// `nft list` 1.0.6 (Debian 12) aborts on a rule whose key comes from another lookup; comparing
    /// the looked-up value with `cmp` is fine.
    Lookup {
        /// The set's or map's name.
        set: String,
        /// The first register of the key.
        sreg: Register,
        /// The first register of the value, for a map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dreg: Option<Register>,
        /// Match when the key is absent.
        #[serde(default, skip_serializing_if = "is_false")]
        is_inverted: bool,
        /// The value is a verdict and takes effect.
        #[serde(default, skip_serializing_if = "is_false")]
        is_verdict: bool,
    },
    /// Loads constant bytes.
    Immediate {
        /// Where to.
        dreg: Register,
        /// What.
        bytes: HexBytes,
    },
    /// Ends the rule with a verdict.
    Verdict {
        /// Which.
        code: VerdictCode,
        /// The target of `goto` and `jump`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chain: Option<String>,
    },
    /// Generates a number in `offset..offset + modulus`, a u32 in **host** order.
    Numgen {
        /// Counting or random.
        r#type: NumgenType,
        /// How many different numbers.
        modulus: u32,
        /// The lowest number; left out when 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<u32>,
        /// Where to.
        dreg: Register,
    },
    /// Hashes registers to a number in `offset..offset + modulus`, a u32 in **host** order.
    Hash {
        /// Which hash.
        r#type: HashType,
        /// First register hashed.
        sreg: Register,
        /// How many bytes.
        length: u32,
        /// How many different numbers.
        modulus: u32,
        /// The hash's seed.
        seed: u32,
        /// The lowest number; left out when 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<u32>,
        /// Where to.
        dreg: Register,
    },
    /// Translates the connection's source or destination.
    Nat {
        /// Source or destination.
        r#type: NatType,
        /// Family of the address.
        family: NatFamily,
        /// Holds the address in network order.
        address_register: Register,
        /// Holds the port in network order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port_register: Option<Register>,
    },
    /// Translates the connection's source to the address of the outgoing interface.
    Masquerade {},
    /// Answers with an error and drops the packet.
    Reject {
        /// With what.
        r#type: RejectType,
        /// The ICMP code (for `icmpx` 0 no route, 1 port, 2 host, 3 prohibited).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u8>,
    },
    /// Loads a property of the connection. Integers are in host order, `direction` is one byte.
    Ct {
        /// Which property.
        key: CtKey,
        /// Of which of the connection's two tuples; left out for what a connection has once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        direction: Option<CtDirection>,
        /// Where to.
        dreg: Register,
    },
    /// Counts packets and bytes. The counts are not part of the rule's identity.
    Counter {},
    /// An expression, or a variant of one, that this module cannot write.
    Unknown {
        /// The kernel's name, e.g. `limit`.
        name: String,
    },
}

/// A verdict of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VerdictCode {
    /// Let the packet pass this hook.
    Accept,
    /// Drop the packet.
    Drop,
    /// Go back to the calling chain.
    Return,
    /// Go to a chain and do not come back.
    Goto,
    /// Go to a chain and come back.
    Jump,
}

/// What `reject` answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RejectType {
    /// A TCP reset.
    TcpReset,
    /// The ICMP error of the packet's own family.
    Icmpx,
    /// An `ICMPv4` error; the rule must have matched `meta nfproto` 2 before.
    Icmp,
    /// An `ICMPv6` error; the rule must have matched `meta nfproto` 10 before. The kernel has one
    /// number for both, so a rule without that match decodes as `icmp`.
    Icmpv6,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !*value
}
