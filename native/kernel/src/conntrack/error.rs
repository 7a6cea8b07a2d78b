//! What can go wrong.

use thiserror::Error;

use crate::netlink::NetlinkError;

/// A failed conversation with connection tracking.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{operation} {object} failed")]
pub struct ConntrackError {
    /// E.g. `read entries of`.
    pub operation: &'static str,
    /// The first flow, e.g. `protocol 17 to 11.0.0.1:53 by 10.0.0.1:5353`.
    pub object: String,
    /// Why.
    #[source]
    pub source: NetlinkError,
}
