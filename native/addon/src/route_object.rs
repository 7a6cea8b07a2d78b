//! Links, addresses, routes, rules and neighbours as JavaScript objects.

use std::net::IpAddr;

use napi_derive::napi;
use navstar_kernel::route::{self as kernel, Mac, Prefix};

use crate::operation::Failure;

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

/// Parses text that TypeScript should have checked.
pub fn parsed<T>(text: &str) -> Result<T, Failure>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| Failure::invalid(format!("{text:?}: {error}")))
}

/// [`parsed`], when there is something to parse.
pub fn parsed_option<T>(text: Option<&str>) -> Result<Option<T>, Failure>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.map(parsed).transpose()
}

fn text_of(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

impl From<kernel::Link> for Link {
    fn from(link: kernel::Link) -> Self {
        Self {
            index: link.index,
            name: link.name,
            kind: link.kind,
            is_up: link.is_up,
            is_loopback: link.is_loopback,
            mtu: link.mtu,
            mac: text_of(link.mac),
            master_index: link.master_index,
            peer_namespace_id: link.peer_namespace_id,
            vxlan: link.vxlan.map(Vxlan::from),
        }
    }
}

impl From<kernel::Vxlan> for Vxlan {
    fn from(vxlan: kernel::Vxlan) -> Self {
        Self {
            vni: vxlan.vni,
            port: vxlan.port,
            local: text_of(vxlan.local),
            underlay_index: vxlan.underlay_index,
            is_learning: vxlan.is_learning,
        }
    }
}

impl TryFrom<Vxlan> for kernel::Vxlan {
    type Error = Failure;

    fn try_from(vxlan: Vxlan) -> Result<Self, Failure> {
        Ok(Self {
            vni: vxlan.vni,
            port: vxlan.port,
            local: parsed_option(vxlan.local.as_deref())?,
            underlay_index: vxlan.underlay_index,
            is_learning: vxlan.is_learning,
        })
    }
}

impl From<kernel::Address> for Address {
    fn from(address: kernel::Address) -> Self {
        Self {
            link_index: address.link_index,
            address: address.address.to_string(),
            prefix_length: address.prefix_length,
            label: address.label,
            scope: address.scope,
        }
    }
}

impl TryFrom<Address> for kernel::Address {
    type Error = Failure;

    fn try_from(object: Address) -> Result<Self, Failure> {
        let address: IpAddr = parsed(&object.address)?;
        Prefix::new(address, object.prefix_length)
            .ok_or_else(|| Failure::invalid(format!("{address}/{}", object.prefix_length)))?;
        Ok(Self {
            link_index: object.link_index,
            address,
            prefix_length: object.prefix_length,
            label: object.label,
            scope: object.scope,
        })
    }
}

impl From<kernel::Route> for Route {
    fn from(route: kernel::Route) -> Self {
        Self {
            destination: route.destination.to_string(),
            gateway: text_of(route.gateway),
            link_index: route.link_index,
            preferred_source: text_of(route.preferred_source),
            table: route.table,
            protocol: route.protocol,
            scope: route.scope,
            kind: route.kind,
            priority: route.priority,
            is_onlink: route.is_onlink.then_some(true),
        }
    }
}

impl TryFrom<Route> for kernel::Route {
    type Error = Failure;

    fn try_from(route: Route) -> Result<Self, Failure> {
        Ok(Self {
            destination: parsed(&route.destination)?,
            gateway: parsed_option(route.gateway.as_deref())?,
            link_index: route.link_index,
            preferred_source: parsed_option(route.preferred_source.as_deref())?,
            table: route.table,
            protocol: route.protocol,
            scope: route.scope,
            kind: route.kind,
            priority: route.priority,
            is_onlink: route.is_onlink.unwrap_or(false),
        })
    }
}

impl From<kernel::Rule> for Rule {
    fn from(rule: kernel::Rule) -> Self {
        Self {
            family: if rule.is_v6 { 6 } else { 4 },
            priority: rule.priority,
            table: rule.table,
            source: text_of(rule.source),
            destination: text_of(rule.destination),
            mark: rule.mark,
            protocol: rule.protocol,
        }
    }
}

impl TryFrom<Rule> for kernel::Rule {
    type Error = Failure;

    fn try_from(rule: Rule) -> Result<Self, Failure> {
        Ok(Self {
            is_v6: rule.family == 6,
            priority: rule.priority,
            table: rule.table,
            source: parsed_option(rule.source.as_deref())?,
            destination: parsed_option(rule.destination.as_deref())?,
            mark: rule.mark,
            protocol: rule.protocol,
        })
    }
}

impl From<kernel::Neighbour> for Neighbour {
    fn from(neighbour: kernel::Neighbour) -> Self {
        Self {
            link_index: neighbour.link_index,
            address: text_of(neighbour.address),
            mac: text_of(neighbour.mac),
            state: neighbour.state,
            is_forwarding: neighbour.is_forwarding.then_some(true),
        }
    }
}

impl TryFrom<Neighbour> for kernel::Neighbour {
    type Error = Failure;

    fn try_from(neighbour: Neighbour) -> Result<Self, Failure> {
        Ok(Self {
            link_index: neighbour.link_index,
            address: parsed_option(neighbour.address.as_deref())?,
            mac: parsed_option::<Mac>(neighbour.mac.as_deref())?,
            state: neighbour.state,
            is_forwarding: neighbour.is_forwarding.unwrap_or(false),
        })
    }
}
