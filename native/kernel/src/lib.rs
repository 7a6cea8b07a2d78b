//! The kernel's interfaces as plain Rust, without Node.
#![deny(unsafe_code)]

/// BPF objects, maps and links.
pub mod bpf;
/// Connection tracking.
pub mod conntrack;
/// Kernel error numbers.
pub mod errno;
/// IPVS, the kernel's own load balancer.
pub mod ipvs;
/// A network namespace as one named thread.
pub mod namespace;
/// Netlink: framing, attributes and the socket.
pub mod netlink;
/// nf_tables over netlink.
pub mod nftables;
/// Links, addresses, routes, rules and neighbours.
pub mod route;
/// Open sockets: finds and destroys them.
pub mod sock_diag;
/// System calls behind safe functions: the only `unsafe` of this crate.
pub mod sys;
/// Settings of a network namespace.
pub mod sysctl;
/// Hears of changes that others make.
pub mod watch;

#[cfg(test)]
mod fresh_namespace;
