//! Changes, and how they are made one by one.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use netlink_packet_route::RouteNetlinkMessage;

use super::codec::encode;
use super::{Address, LinkChange, Neighbour, NewLink, Route, RouteError, Rule, link};
use crate::netlink::message::{CREATE, EXCLUSIVE, REPLACE};
use crate::netlink::{NetlinkSocket, Request};
use crate::sys;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `EEXIST` when there is one.
    AddRoute(Route),
    /// Adds, or replaces the one with the same destination, table and metric.
    ReplaceRoute(Route),
    /// `ESRCH` when there is none.
    DeleteRoute(Route),
    /// `EEXIST` when there is one.
    AddAddress(Address),
    /// `EADDRNOTAVAIL` when there is none.
    DeleteAddress(Address),
    /// `EEXIST` when the name is taken.
    AddLink(NewLink),
    /// `ENODEV` when there is none.
    SetLink(LinkChange),
    /// By index; `ENODEV` when there is none.
    DeleteLink(u32),
    /// `EEXIST` when there is one.
    AddRule(Rule),
    /// `ENOENT` when there is none.
    DeleteRule(Rule),
    /// `EEXIST` when there is one.
    AddNeighbour(Neighbour),
    /// Adds, or replaces the one with the same address (forwarding entries: same MAC).
    ReplaceNeighbour(Neighbour),
    /// `ENOENT` when there is none.
    DeleteNeighbour(Neighbour),
}

const ADD: u16 = CREATE | EXCLUSIVE;
const PUT: u16 = CREATE | REPLACE;

/// Makes the changes in order; a result for each. Later ones are made after a failure too.
pub fn apply(socket: &mut NetlinkSocket, operations: &[Operation]) -> Vec<Result<(), RouteError>> {
    operations
        .iter()
        .map(|operation| apply_one(socket, operation))
        .collect()
}

fn apply_one(socket: &mut NetlinkSocket, operation: &Operation) -> Result<(), RouteError> {
    // Kept open until the kernel has answered: the request carries the descriptor's number.
    let namespace = operation.namespace_path().map(open_namespace).transpose()?;
    let request = operation.request(namespace.as_ref());
    socket.request(&request).map(drop).map_err(|source| {
        let (operation, object) = operation.words();
        RouteError::Netlink {
            operation,
            object,
            source,
        }
    })
}

fn open_namespace(path: &Path) -> Result<OwnedFd, RouteError> {
    sys::open_path(path).map_err(|source| RouteError::Namespace {
        path: path.to_owned(),
        source,
    })
}

impl Operation {
    fn namespace_path(&self) -> Option<&Path> {
        match self {
            Self::AddLink(link) => link.peer_namespace_path.as_deref(),
            Self::SetLink(change) => change.namespace_path.as_deref(),
            _ => None,
        }
    }

    pub(super) fn request(&self, namespace: Option<&OwnedFd>) -> Request {
        let (message, flags) = self.message(namespace);
        encode(&message, flags)
    }

    fn message(&self, namespace: Option<&OwnedFd>) -> (RouteNetlinkMessage, u16) {
        let namespace = namespace.map(AsFd::as_fd);
        match self {
            Self::AddRoute(route) => (route.addition(), ADD),
            Self::ReplaceRoute(route) => (route.addition(), PUT),
            Self::DeleteRoute(route) => (route.deletion(), 0),
            Self::AddAddress(address) => (address.addition(), ADD),
            Self::DeleteAddress(address) => (address.deletion(), 0),
            Self::AddLink(link) => (link.addition(namespace), ADD),
            Self::SetLink(change) => (change.change(namespace), 0),
            Self::DeleteLink(index) => (link::deletion(*index), 0),
            Self::AddRule(rule) => (rule.addition(), ADD),
            Self::DeleteRule(rule) => (rule.deletion(), 0),
            Self::AddNeighbour(neighbour) => (neighbour.addition(), ADD),
            Self::ReplaceNeighbour(neighbour) => (neighbour.addition(), PUT),
            Self::DeleteNeighbour(neighbour) => (neighbour.deletion(), 0),
        }
    }

    /// What is attempted and on which object, for errors.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::AddRoute(route) => ("add route", route.destination.to_string()),
            Self::ReplaceRoute(route) => ("replace route", route.destination.to_string()),
            Self::DeleteRoute(route) => ("delete route", route.destination.to_string()),
            Self::AddAddress(address) => ("add address", address.address.to_string()),
            Self::DeleteAddress(address) => ("delete address", address.address.to_string()),
            Self::AddLink(link) => ("add link", link.name.clone()),
            Self::SetLink(change) => ("set link", change.index.to_string()),
            Self::DeleteLink(index) => ("delete link", index.to_string()),
            Self::AddRule(rule) => ("add rule", rule.priority.to_string()),
            Self::DeleteRule(rule) => ("delete rule", rule.priority.to_string()),
            Self::AddNeighbour(neighbour) => ("add neighbour", named(neighbour)),
            Self::ReplaceNeighbour(neighbour) => ("replace neighbour", named(neighbour)),
            Self::DeleteNeighbour(neighbour) => ("delete neighbour", named(neighbour)),
        }
    }
}

fn named(neighbour: &Neighbour) -> String {
    let address = neighbour.address.map(|ip| ip.to_string());
    address
        .or_else(|| neighbour.mac.map(|mac| mac.to_string()))
        .unwrap_or_default()
}
