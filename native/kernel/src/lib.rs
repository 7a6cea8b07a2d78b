//! The kernel's interfaces as plain Rust, without Node.
#![deny(unsafe_code)]

/// Kernel error numbers.
pub mod errno;
