//! What can go wrong before or around a transaction. What the kernel refuses inside one is a result.

use thiserror::Error;

use super::encode::Unwritable;
use crate::netlink::NetlinkError;

/// A failed nf_tables conversation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NftablesError {
    /// An operation contradicts itself. Nothing was sent.
    #[error("operation {index} ({operation} {object}): {reason}")]
    Invalid {
        /// Position in the transaction.
        index: usize,
        /// E.g. `addElements`.
        operation: &'static str,
        /// E.g. `inet navstar vips4`.
        object: String,
        /// What is wrong.
        reason: Contradiction,
    },
    /// Reading or writing failed as a whole.
    #[error("{operation} {object} failed")]
    Netlink {
        /// E.g. `dump rules of`.
        operation: &'static str,
        /// E.g. `inet navstar`.
        object: String,
        /// Why.
        #[source]
        source: NetlinkError,
    },
    /// Every attempt to read was overtaken by a change.
    #[error("{object} changed during each of {attempts} attempts to read it")]
    Restless {
        /// E.g. `inet navstar`.
        object: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The kernel's set has other lengths than the caller expects.
    #[error("{object} has keys of {key_length} and values of {value_length} bytes")]
    OtherLengths {
        /// E.g. `inet navstar vips4`.
        object: String,
        /// The kernel's key length.
        key_length: u32,
        /// The kernel's value length; 0 for a set or a verdict map.
        value_length: u32,
    },
}

/// Why an operation cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Contradiction {
    /// An expression that can only be read.
    #[error(transparent)]
    Expression(#[from] Unwritable),
    /// The packed keys are no whole number of keys.
    #[error("{bytes} bytes are not a whole number of {length}-byte keys")]
    Keys {
        /// Bytes given.
        bytes: usize,
        /// Bytes per key (first and last key of an interval together).
        length: usize,
    },
    /// Not one value (or chain) per key.
    #[error("{given} bytes or chains of values for {keys} keys")]
    Values {
        /// Bytes or chains given.
        given: usize,
        /// Keys given.
        keys: usize,
    },
    /// Longer than the kernel takes.
    #[error("{0} is too long")]
    TooLong(&'static str),
}
