//! The BPF programs, the loader and the maps against the running kernel: real sockets in a network
//! namespace, a control group and a BPF file system of their own. Needs root and cgroup2.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adoption;
mod flood;
mod ground;
mod map;
mod measures;
mod refusal;
mod service;
mod stickiness;
mod traffic;
mod upgrade;
