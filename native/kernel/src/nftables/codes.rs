//! The numbers of `nf_tables.h` with the names that the rest of the project uses for them.

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants are kernel numbers and whose serialised form is a name.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant = $code),+
        }

        impl $name {
            /// The kernel's number.
            #[must_use]
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The variant of a kernel number; `None` for a number that has no name here.
            #[must_use]
            pub const fn of(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// What a `meta` expression loads. **Source:** `enum nft_meta_keys`
    MetaKey {
        Length = 0 "length", Protocol = 1 "protocol", Priority = 2 "priority", Mark = 3 "mark",
        Iif = 4 "iif", Oif = 5 "oif", IifName = 6 "iifname", OifName = 7 "oifname",
        IifType = 8 "iiftype", OifType = 9 "oiftype", SkUid = 10 "skuid", SkGid = 11 "skgid",
        NfProto = 15 "nfproto", L4Proto = 16 "l4proto", PktType = 19 "pkttype", Cpu = 20 "cpu",
        IifGroup = 21 "iifgroup", OifGroup = 22 "oifgroup", Cgroup = 23 "cgroup",
        Random = 24 "random",
    }
}

codes! {
    /// What a `ct` expression loads; addresses and ports need a direction, and are in network order.
    /// **Source:** `enum nft_ct_keys`
    CtKey {
        State = 0 "state", Direction = 1 "direction", Status = 2 "status", Mark = 3 "mark",
        ProtoSrc = 11 "protoSrc", ProtoDst = 12 "protoDst", SrcIp = 19 "srcIp", DstIp = 20 "dstIp",
        SrcIp6 = 21 "srcIp6", DstIp6 = 22 "dstIp6",
    }
}

codes! {
    /// Which way a connection's packet goes. **Source:** `enum ip_conntrack_dir`
    CtDirection { Original = 0 "original", Reply = 1 "reply" }
}

codes! {
    /// How `cmp` compares. **Source:** `enum nft_cmp_ops`
    CompareOperator {
        Equal = 0 "eq", NotEqual = 1 "neq", Less = 2 "lt", LessOrEqual = 3 "lte",
        Greater = 4 "gt", GreaterOrEqual = 5 "gte",
    }
}

codes! {
    /// Which header a payload offset counts from. **Source:** `enum nft_payload_bases`
    PayloadBase { Network = 1 "network", Transport = 2 "transport" }
}

codes! {
    /// How `numgen` counts. **Source:** `enum nft_ng_types`
    NumgenType { Incremental = 0 "inc", Random = 1 "random" }
}

codes! {
    /// Which hash `hash` computes. **Source:** `enum nft_hash_types`
    HashType { Jenkins = 0 "jhash" }
}

codes! {
    /// Which address `nat` rewrites. **Source:** `enum nft_nat_types`
    NatType { Source = 0 "snat", Destination = 1 "dnat" }
}

codes! {
    /// The address family of a translation. **Source:** `NFPROTO_*` in `linux/netfilter.h`
    NatFamily { Ip = 2 "ip", Ip6 = 10 "ip6" }
}

codes! {
    /// Where a base chain hangs in family inet. **Source:** `enum nf_inet_hooks`
    HookPoint {
        Prerouting = 0 "prerouting", Input = 1 "input", Forward = 2 "forward",
        Output = 3 "output", Postrouting = 4 "postrouting",
    }
}

codes! {
    /// What happens to a packet that reaches the end of a base chain. **Source:** `NF_DROP`, `NF_ACCEPT`
    Policy { Drop = 0 "drop", Accept = 1 "accept" }
}

/// The kind of a base chain; the kernel knows it by this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChainType {
    /// Sees the first packet of a connection and may translate it.
    Nat,
    /// Sees every packet.
    Filter,
}

impl ChainType {
    /// The kernel's name, `nat` or `filter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nat => "nat",
            Self::Filter => "filter",
        }
    }
}

/// The netfilter family of every object that this module touches: `NFPROTO_INET`.
pub const FAMILY_INET: u8 = 1;
/// `NFNL_SUBSYS_NFTABLES`, the high byte of every message type below.
pub const SUBSYSTEM: u16 = 10;

/// `NFT_MSG_*` of `enum nf_tables_msg_types`.
#[allow(missing_docs, reason = "the names are the kernel's own")]
pub mod message {
    pub const NEWTABLE: u16 = 0;
    pub const GETTABLE: u16 = 1;
    pub const DELTABLE: u16 = 2;
    pub const NEWCHAIN: u16 = 3;
    pub const GETCHAIN: u16 = 4;
    pub const DELCHAIN: u16 = 5;
    pub const NEWRULE: u16 = 6;
    pub const GETRULE: u16 = 7;
    pub const DELRULE: u16 = 8;
    pub const NEWSET: u16 = 9;
    pub const GETSET: u16 = 10;
    pub const DELSET: u16 = 11;
    pub const NEWSETELEM: u16 = 12;
    pub const GETSETELEM: u16 = 13;
    pub const DELSETELEM: u16 = 14;
    pub const NEWGEN: u16 = 15;
    pub const GETGEN: u16 = 16;
}

/// Set flags and the verdict type of map values. **Source:** `enum nft_set_flags`
#[allow(missing_docs, reason = "the names are the kernel's own")]
pub mod set {
    pub const INTERVAL: u32 = 0x4;
    pub const MAP: u32 = 0x8;
    pub const CONCAT: u32 = 0x80;
    /// `NFT_DATA_VERDICT`: the value is a verdict, not bytes.
    pub const DATA_VERDICT: u32 = 0xffff_ff00;
    /// `NFT_SET_ELEM_INTERVAL_END`: the key is the first one behind an interval.
    pub const ELEMENT_INTERVAL_END: u32 = 0x1;
}

/// Verdict codes, as the kernel carries them: `NFT_JUMP` and the rest are negative.
#[allow(missing_docs, reason = "the names are the kernel's own")]
pub mod verdict {
    pub const DROP: i32 = 0;
    pub const ACCEPT: i32 = 1;
    pub const JUMP: i32 = -3;
    pub const GOTO: i32 = -4;
    pub const RETURN: i32 = -5;
}
