//! One rtnetlink change as a JavaScript object.

use std::path::PathBuf;

use napi_derive::napi;
use navstar_kernel::route as kernel;
use navstar_kernel::route::Operation;

use crate::operation::Failure;
use crate::route_conversion::parsed_option;
use crate::route_object::{Address, Neighbour, Route, Rule, Vxlan};

/// One change; which fields count is said by `kind`.
#[napi(object)]
#[derive(Default)]
pub struct RouteOperation {
    /// What to do.
    #[napi(
        ts_type = "'addRoute' | 'replaceRoute' | 'deleteRoute' | 'addAddress' | 'deleteAddress' | 'addLink' | 'setLink' | 'deleteLink' | 'addRule' | 'deleteRule' | 'addNeighbour' | 'replaceNeighbour' | 'deleteNeighbour'"
    )]
    pub kind: String,
    /// For `…Route`.
    pub route: Option<Route>,
    /// For `…Address`.
    pub address: Option<Address>,
    /// For `…Rule`.
    pub rule: Option<Rule>,
    /// For `…Neighbour`.
    pub neighbour: Option<Neighbour>,
    /// For `setLink`, `deleteLink`: which link.
    pub index: Option<u32>,
    /// For `addLink`: its name; for `setLink`: its new name (it must be down).
    pub name: Option<String>,
    /// For `addLink`: `veth`, `bridge`, `vxlan`, …
    pub link_kind: Option<String>,
    /// For `addLink`, `setLink`: administratively up.
    pub is_up: Option<bool>,
    /// For `addLink`, `setLink`: bytes.
    pub mtu: Option<u32>,
    /// For `addLink`, `setLink`, e.g. `70:b3:d5:0f:ff:01`.
    pub mac: Option<String>,
    /// For `setLink`: the bridge it becomes a port of; 0 takes it out.
    pub master_index: Option<u32>,
    /// For `addLink` of kind `veth`: the other end's name.
    pub peer_name: Option<String>,
    /// For `setLink`: where to move it; for `addLink` of kind `veth`: where the other end is made,
    /// e.g. `/run/netns/blue`.
    pub namespace_path: Option<String>,
    /// For `addLink` of kind `vxlan`.
    pub vxlan: Option<Vxlan>,
}

impl TryFrom<RouteOperation> for Operation {
    type Error = Failure;

    fn try_from(mut object: RouteOperation) -> Result<Self, Failure> {
        let kind = std::mem::take(&mut object.kind);
        match kind.as_str() {
            "addRoute" => required("route", object.route).map(Self::AddRoute),
            "replaceRoute" => required("route", object.route).map(Self::ReplaceRoute),
            "deleteRoute" => required("route", object.route).map(Self::DeleteRoute),
            "addAddress" => required("address", object.address).map(Self::AddAddress),
            "deleteAddress" => required("address", object.address).map(Self::DeleteAddress),
            "addRule" => required("rule", object.rule).map(Self::AddRule),
            "deleteRule" => required("rule", object.rule).map(Self::DeleteRule),
            "addNeighbour" => required("neighbour", object.neighbour).map(Self::AddNeighbour),
            "replaceNeighbour" => {
                required("neighbour", object.neighbour).map(Self::ReplaceNeighbour)
            }
            "deleteNeighbour" => required("neighbour", object.neighbour).map(Self::DeleteNeighbour),
            "addLink" => new_link(object).map(Self::AddLink),
            "setLink" => link_change(object).map(Self::SetLink),
            "deleteLink" => present("index", object.index).map(Self::DeleteLink),
            _ => Err(Failure::invalid(format!("kind {kind:?}"))),
        }
    }
}

fn present<T>(field: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::invalid(format!("{field} is missing")))
}

fn required<T: TryInto<U, Error = Failure>, U>(
    field: &str,
    value: Option<T>,
) -> Result<U, Failure> {
    present(field, value)?.try_into()
}

fn new_link(object: RouteOperation) -> Result<kernel::NewLink, Failure> {
    Ok(kernel::NewLink {
        name: present("name", object.name)?,
        kind: present("linkKind", object.link_kind)?,
        mtu: object.mtu,
        mac: parsed_option(object.mac.as_deref())?,
        is_up: object.is_up.unwrap_or(false),
        peer_name: object.peer_name,
        peer_namespace_path: object.namespace_path.map(PathBuf::from),
        vxlan: object.vxlan.map(TryInto::try_into).transpose()?,
    })
}

fn link_change(object: RouteOperation) -> Result<kernel::LinkChange, Failure> {
    Ok(kernel::LinkChange {
        index: present("index", object.index)?,
        is_up: object.is_up,
        mtu: object.mtu,
        mac: parsed_option(object.mac.as_deref())?,
        master_index: object.master_index,
        name: object.name,
        namespace_path: object.namespace_path.map(PathBuf::from),
    })
}
