//! IPVS over generic netlink: virtual services, their destinations, statistics and timeouts.
//!
//! Mechanism only: the caller decides which services there are. Flushing is not offered, as not
//! all services need be ours. Numbers are in host order but for ports and netmasks; addresses are
//! 16 bytes of which IPv4 uses the first four.
//!
//! **Source:** `include/uapi/linux/ip_vs.h`, `net/netfilter/ipvs/ip_vs_ctl.c`

/// Operations to the kernel, many in one send.
pub mod apply;
/// The socket and what it can read.
pub mod client;
mod codes;
/// Attributes to services, destinations and numbers.
pub mod decode;
/// A destination: where a service sends connections.
pub mod destination;
/// Services, destinations and operations to attributes.
pub mod encode;
/// What can go wrong.
pub mod error;
/// One change.
pub mod operation;
/// Services, destinations and operations as records of fixed length.
pub mod record;
/// Why the kernel refused an operation.
pub mod refusal;
/// A virtual service and what names it.
pub mod service;
/// Counters and rates.
pub mod statistics;

pub use apply::OperationResult;
pub use client::{Client, ObservedService};
pub use destination::{Destination, Endpoint, Forwarding, ObservedDestination};
pub use error::IpvsError;
pub use operation::Operation;
pub use refusal::Refusal;
pub use service::{Family, Flags, Service, ServiceKey, Transport};
pub use statistics::{Information, Statistics, Timeouts};

#[cfg(test)]
mod tests;
