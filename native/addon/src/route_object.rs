//! Links, addresses, routes, rules and neighbours as JavaScript objects.

use napi_derive::napi;

/// A network device.
#[napi(object)]
pub struct Link {
    /// Its index in this namespace.
    pub index: u32,
    /// Its name, e.g. `eth0`.
    pub name: String,
    /// `veth`, `bridge`, `vxlan`, …; absent for hardware and lo.
    pub kind: Option<String>,
    /// Administratively up.
    pub is_up: bool,
    /// lo.
    pub is_loopback: bool,
    /// Bytes.
    pub mtu: u32,
    /// E.g. `70:b3:d5:0f:ff:01`.
    pub mac: Option<String>,
    /// Index of the bridge it is a port of.
    pub master_index: Option<u32>,
    /// Number this namespace has for that of its peer.
    pub peer_namespace_id: Option<i32>,
    /// For kind `vxlan`.
    pub vxlan: Option<Vxlan>,
}

/// What makes a VXLAN device.
#[napi(object)]
pub struct Vxlan {
    /// Network identifier.
    pub vni: u32,
    /// UDP destination port, e.g. 64000.
    pub port: u16,
    /// Tunnel source address.
    pub local: Option<String>,
    /// Index of the underlying link.
    pub underlay_index: Option<u32>,
    /// Learns from received packets.
    pub is_learning: bool,
}

/// An address of a link.
#[napi(object)]
#[allow(
    clippy::struct_field_names,
    reason = "`address` is the field's own word"
)]
pub struct Address {
    /// The link's index.
    pub link_index: u32,
    /// E.g. `198.51.100.1`.
    pub address: String,
    /// Length of the prefix that is on the link.
    pub prefix_length: u8,
    /// IPv4 only; begins with the link's name, e.g. `lo:navstar`.
    pub label: Option<String>,
    /// `RT_SCOPE_…`: 0 global, 253 link, 254 host.
    pub scope: u8,
}

/// A route. Of a multipath route the next hops are left out.
#[napi(object)]
pub struct Route {
    /// E.g. `11.0.0.0/8`; the default route's is `0.0.0.0/0` or `::/0`.
    pub destination: String,
    /// Next hop.
    pub gateway: Option<String>,
    /// Index of the outgoing link.
    pub link_index: Option<u32>,
    /// Source address for packets that have none yet.
    pub preferred_source: Option<String>,
    /// 254 main, 255 local.
    pub table: u32,
    /// `RTPROT_…`: who made it, e.g. 2 the kernel.
    pub protocol: u8,
    /// `RT_SCOPE_…`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `RTN_…`: 1 unicast, 2 local, 6 blackhole.
    #[napi(js_name = "type")]
    pub kind: u8,
    /// Metric. IPv6 has 1024 where none was given.
    pub priority: Option<u32>,
    /// The gateway is taken to be on the link; absent for false.
    pub is_onlink: Option<bool>,
}

/// A rule that looks a table up.
#[napi(object)]
pub struct Rule {
    /// 4 or 6.
    pub family: u8,
    /// Rules are tried from the lowest.
    pub priority: u32,
    /// The table to look up.
    pub table: u32,
    /// Only packets from there, e.g. `9.0.0.0/8`.
    pub source: Option<String>,
    /// Only packets to there.
    pub destination: Option<String>,
    /// Only packets with this firewall mark.
    pub mark: Option<u32>,
    /// `RTPROT_…`: who made it.
    pub protocol: Option<u8>,
}

/// Who is reached how on a link.
#[napi(object)]
pub struct Neighbour {
    /// The link's index.
    pub link_index: u32,
    /// The neighbour; of a forwarding entry the remote tunnel end.
    pub address: Option<String>,
    /// E.g. `70:b3:d5:0f:ff:02`.
    pub mac: Option<String>,
    /// `NUD_…`: 0x80 permanent, 0x40 no ARP, 0x02 reachable.
    pub state: u16,
    /// A forwarding entry (`bridge fdb`) rather than a neighbour; absent for false.
    pub is_forwarding: Option<bool>,
}
