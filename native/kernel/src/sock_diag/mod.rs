//! Open sockets over netlink: finds those that a caller names by cookie and peer, and destroys them:
//! their owners get `ECONNABORTED`, the other side of a TCP connection gets a reset.
//!
//! Mechanism only: which sockets are meant is the caller's to know. A socket whose peer is another by
//! now is left alone.
//!
//! **Source:** `include/uapi/linux/inet_diag.h`, `include/uapi/linux/sock_diag.h`,
//! `net/ipv4/inet_diag.c`, `net/ipv4/udp_diag.c`

/// Lists and destroys in one namespace.
pub mod client;
/// Requests and sockets as bytes.
pub mod codec;
/// What can go wrong.
pub mod error;
/// The network namespaces of a control group.
pub mod group;

pub use client::{destroy, probe};
pub use codec::{Peer, Transport};
pub use error::SockDiagError;
pub use group::{Destroyed, destroy_in_group};

#[cfg(test)]
mod tests;
