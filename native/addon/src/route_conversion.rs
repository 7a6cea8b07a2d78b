//! Between the objects of JavaScript and those of `navstar-kernel`.

use std::net::IpAddr;

use navstar_kernel::route::{self as kernel, Mac, Prefix};

use crate::operation::Failure;
use crate::route_object::{Address, Link, Neighbour, Route, Rule, Vxlan};

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
