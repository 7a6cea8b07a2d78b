//! What can go wrong.

use std::path::PathBuf;

use thiserror::Error;

use crate::errno::Errno;
use crate::namespace::NamespaceError;
use crate::netlink::NetlinkError;

/// Sockets could not be listed or destroyed. Some may have been.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SockDiagError {
    /// The kernel was built without it.
    #[error("this kernel does not {operation}")]
    NotSupported {
        /// `list sockets` or `destroy sockets`.
        operation: &'static str,
        /// What it answered.
        #[source]
        source: NetlinkError,
    },
    /// The kernel refused, or did not answer.
    #[error("{operation} failed")]
    Netlink {
        /// `list sockets` or `destroy a socket`.
        operation: &'static str,
        /// Why.
        #[source]
        source: NetlinkError,
    },
    /// No thread could be started, or a namespace not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The processes of a control group could not be read.
    #[error("the processes of {} could not be read", .path.display())]
    Group {
        /// E.g. `/sys/fs/cgroup`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Errno,
    },
}

impl SockDiagError {
    /// The system's number.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::NotSupported { source, .. } | Self::Netlink { source, .. } => {
                Some(source.errno())
            }
            Self::Namespace(
                NamespaceError::Enter { source, .. } | NamespaceError::Thread { source },
            )
            | Self::Group { source, .. } => Some(*source),
            Self::Namespace(_) => None,
        }
    }
}
