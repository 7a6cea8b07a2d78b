//! Why a table could not be read or a change was not made.

use std::path::PathBuf;

use thiserror::Error;

use crate::errno::Errno;
use crate::netlink::NetlinkError;

/// A failed read or change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// The kernel or the socket failed.
    #[error("{operation} {object}")]
    Netlink {
        /// E.g. `add route`.
        operation: &'static str,
        /// E.g. `11.0.0.0/8`.
        object: String,
        /// Why.
        #[source]
        source: NetlinkError,
    },
    /// The kernel sent an object that the codec cannot read. The whole read fails: a table with
    /// holes would be taken for the truth.
    #[error("cannot read a {object} the kernel sent: {reason}")]
    Decode {
        /// E.g. `link`.
        object: &'static str,
        /// The codec's words.
        reason: String,
    },
    /// The namespace a link should move to cannot be opened.
    #[error("open network namespace {}", .path.display())]
    Namespace {
        /// E.g. `/run/netns/blue`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Errno,
    },
}

impl RouteError {
    /// The errno that best tells the cause.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match self {
            Self::Netlink { source, .. } => source.errno(),
            Self::Decode { .. } => Errno(libc::EBADMSG),
            Self::Namespace { source, .. } => *source,
        }
    }

    /// The kernel's own words about a refusal.
    #[must_use]
    pub fn kernel_words(&self) -> Option<&str> {
        match self {
            Self::Netlink {
                source: NetlinkError::Refused { message, .. },
                ..
            } => message.as_deref(),
            _ => None,
        }
    }
}
