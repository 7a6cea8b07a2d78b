//! nf_tables over netlink: tables, chains, rules, sets and their elements, in family inet.
//!
//! Mechanism only: the caller decides what the tables hold. Values in registers have the byte order
//! of whatever wrote them: `payload` copies network order, while `meta` (mark, interface indices),
//! `numgen` and `hash` write a u32 in host order. A lookup compares bytes, so keys and `cmp`
//! operands follow the same rule.

/// Operations as one batch of messages.
pub mod batch;
mod body;
/// Bytes as hexadecimal text.
pub mod bytes;
/// The kernel's numbers and their names.
pub mod codes;
/// Attributes to expressions.
pub mod decode;
/// Set elements, packed.
pub mod elements;
/// Expressions to attributes.
pub mod encode;
/// What can go wrong.
pub mod error;
/// One step of a rule.
pub mod expression;
/// The number that grows with every transaction.
pub mod generation;
/// What a transaction consists of.
pub mod operation;
/// Registers.
pub mod register;
/// Reading a table.
pub mod table;
/// Handing a batch to the kernel.
pub mod transaction;

pub use elements::ElementDump;
pub use error::NftablesError;
pub use expression::Expression;
pub use generation::generation;
pub use operation::{Action, Elements, Hook, Operation, SetSpec};
pub use table::{ObservedTable, elements as read_elements, table as read_table};
pub use transaction::{OperationResult, commit};

#[cfg(test)]
mod tests;
