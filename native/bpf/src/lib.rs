//! The BPF programs as bytes.
