//! What can go wrong as a whole. What the kernel refuses of a list is a result.

use thiserror::Error;

use crate::netlink::NetlinkError;

/// A failed conversation with IPVS.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IpvsError {
    /// This kernel has no IPVS.
    #[error("no IPVS in this kernel: is the module ip_vs installed? (`modprobe ip_vs`)")]
    NotSupported {
        /// `ENOENT` about the family.
        #[source]
        source: NetlinkError,
    },
    /// Reading or writing failed as a whole.
    #[error("{operation} {object} failed")]
    Netlink {
        /// E.g. `read destinations of`.
        operation: &'static str,
        /// E.g. `tcp 11.0.0.1:80`.
        object: String,
        /// Why.
        #[source]
        source: NetlinkError,
    },
    /// Every attempt to read was overtaken by a change.
    #[error("{object} changed during each of {attempts} attempts to read them")]
    Restless {
        /// E.g. `services`.
        object: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl IpvsError {
    pub(super) fn of(
        operation: &'static str,
        object: impl Into<String>,
    ) -> impl FnOnce(NetlinkError) -> Self {
        move |source| Self::Netlink {
            operation,
            object: object.into(),
            source,
        }
    }
}
