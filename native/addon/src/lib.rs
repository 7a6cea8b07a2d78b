//! The seam between Node and `navstar-kernel`: converts and delegates, nothing else.
// `forbid` is not possible: what `#[napi]` expands to allows itself unsafe code.
#![deny(unsafe_code)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "`#[napi]` hands arguments over by value"
)]
#![allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "a promise borrows its `&Env`"
)]

mod bpf;
mod bpf_map;
mod conntrack;
mod ipvs;
mod namespace;
mod nftables;
mod operation;
mod route;
mod route_conversion;
mod route_object;
mod route_operation;
mod sock_diag;
mod sysctl;
mod watch;
