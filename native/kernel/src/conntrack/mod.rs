//! Connection tracking over netlink: finds entries by what they translate, and deletes them.
//!
//! Mechanism only: the caller says which flows are meant, and no other entry is touched. Addresses,
//! ports and all numbers are in network order on the wire.
//!
//! **Source:** `include/uapi/linux/netfilter/nfnetlink_conntrack.h`,
//! `net/netfilter/nf_conntrack_netlink.c`

/// Reads, deletes and makes.
pub mod client;
/// Attributes to entries, and back.
pub mod codec;
/// Entries and what they are found by.
pub mod entry;
/// What can go wrong.
pub mod error;

pub use client::{delete, entries, track};
pub use entry::{Endpoint, Entry, Flow, Tuple};
pub use error::ConntrackError;

#[cfg(test)]
mod tests;
