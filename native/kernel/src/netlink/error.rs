//! What can go wrong on a netlink socket.

use thiserror::Error;

use crate::errno::Errno;

/// A failed netlink conversation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetlinkError {
    /// This kernel has no such netlink family.
    #[error("netlink family {family} is not supported by this kernel")]
    NotSupported {
        /// The family, e.g. `netfilter`.
        family: &'static str,
        /// `EPROTONOSUPPORT`.
        #[source]
        source: Errno,
    },
    /// A system call failed.
    #[error("{operation} on a netlink socket failed")]
    System {
        /// The system call, e.g. `sendto`.
        operation: &'static str,
        /// Its errno.
        #[source]
        source: Errno,
    },
    /// The kernel refused the request; nothing was changed by it.
    #[error("the kernel refused the request{}", .message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// Why, as a number.
        #[source]
        errno: Errno,
        /// Why, in words (extended ack), when the kernel says so.
        message: Option<String>,
    },
    /// Messages were lost because the receive buffer was full (`ENOBUFS`).
    #[error("the receive buffer overflowed; messages were lost")]
    Overrun,
    /// A datagram was larger than the largest buffer we are willing to use.
    #[error("a datagram of {length} bytes does not fit into {limit} bytes")]
    Truncated {
        /// What the kernel had.
        length: usize,
        /// What we accept.
        limit: usize,
    },
    /// The dumped table changed during every attempt (`NLM_F_DUMP_INTR`).
    #[error("the dump was interrupted by changes {attempts} times")]
    Interrupted {
        /// How often it was tried.
        attempts: u32,
    },
    /// The kernel did not answer in time; whether it acted is unknown.
    #[error("no answer from the kernel")]
    TimedOut,
    /// Bytes that do not form a message.
    #[error("malformed {what}")]
    Malformed {
        /// The part that could not be read.
        what: &'static str,
    },
}

impl NetlinkError {
    /// The errno that best tells the cause, for results that carry only a number.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match self {
            Self::NotSupported { source, .. } | Self::System { source, .. } => *source,
            Self::Refused { errno, .. } => *errno,
            Self::Overrun => Errno(libc::ENOBUFS),
            Self::Truncated { .. } => Errno(libc::EMSGSIZE),
            Self::Interrupted { .. } => Errno(libc::EINTR),
            Self::TimedOut => Errno(libc::ETIMEDOUT),
            Self::Malformed { .. } => Errno(libc::EBADMSG),
        }
    }

    pub(crate) fn system(operation: &'static str) -> impl FnOnce(Errno) -> Self {
        move |source| Self::System { operation, source }
    }
}
