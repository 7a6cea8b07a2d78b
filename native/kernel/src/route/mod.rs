//! Links, addresses, routes, rules and neighbours as values, and rtnetlink to read and change them.
//!
//! A file per kind of object: a plain struct, `decode` and requests, all pure. `netlink-packet-route`
//! is the codec; `apply` and `read` are the only code here that talks to the kernel.

/// Addresses of links.
pub mod address;
/// Changes, and how they are made one by one.
pub mod apply;
pub(crate) mod codec;
/// Why a table could not be read or a change was not made.
pub mod error;
/// Routes: entries of the forwarding tables.
pub mod fib;
/// Network devices.
pub mod link;
/// Link-layer addresses.
pub mod mac;
/// Neighbours (ARP, NDP) and bridge forwarding entries.
pub mod neighbour;
/// `address/length`.
pub mod prefix;
/// Reads whole tables.
pub mod read;
/// Policy routing rules.
pub mod rule;

pub use address::Address;
pub use apply::{Operation, apply};
pub use error::RouteError;
pub use fib::Route;
pub use link::{Link, LinkChange, NewLink, Vxlan};
pub use mac::Mac;
pub use neighbour::Neighbour;
pub use prefix::Prefix;
pub use read::{addresses, links, neighbours, routes, rules};
pub use rule::Rule;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
