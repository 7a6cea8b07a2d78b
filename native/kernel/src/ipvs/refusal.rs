//! Why the kernel refused an operation. IPVS has no words of its own, and its numbers mean
//! different things for services and destinations.
//!
//! **Source:** `net/netfilter/ipvs/ip_vs_ctl.c` (`ip_vs_genl_set_cmd`, `ip_vs_add_service`,
//! `ip_vs_add_dest`, `ip_vs_edit_dest`)

use thiserror::Error;

use super::destination::Endpoint;
use super::operation::Operation;
use super::service::ServiceKey;
use crate::errno::Errno;

/// A refused operation, in words with a hint for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// `EEXIST`
    #[error("service {0} exists already")]
    ServiceExists(ServiceKey),
    /// `ESRCH`
    #[error("there is no service {0}")]
    ServiceMissing(ServiceKey),
    /// `EEXIST`
    #[error("service {0} has destination {1} already")]
    DestinationExists(ServiceKey, Endpoint),
    /// `ENOENT`
    #[error("service {0} has no destination {1}")]
    DestinationMissing(ServiceKey, Endpoint),
    /// `ENOENT`
    #[error("no scheduler {scheduler:?}: is the module ip_vs_{scheduler} installed?")]
    SchedulerMissing {
        /// As asked for.
        scheduler: String,
    },
    /// `ERANGE`
    #[error("weight above 2147483647, or lower threshold above the upper")]
    OutOfRange,
    /// `EPERM`
    #[error("not permitted: changing IPVS needs CAP_NET_ADMIN")]
    NotPermitted,
    /// `EAFNOSUPPORT`
    #[error("IPVS of this kernel is built without IPv6")]
    NoIpv6,
    /// `EINVAL`
    #[error("refused as invalid: {0}")]
    Invalid(&'static str),
    /// Anything else.
    #[error("refused with {0}")]
    Other(Errno),
}

impl Refusal {
    /// What an errno means for this operation.
    #[must_use]
    pub fn of(operation: &Operation, errno: Errno) -> Self {
        let service = *operation.service();
        match (errno.0, operation.endpoint()) {
            (libc::EEXIST, Some(endpoint)) => Self::DestinationExists(service, endpoint),
            (libc::EEXIST, None) => Self::ServiceExists(service),
            (libc::ENOENT, Some(endpoint)) => Self::DestinationMissing(service, endpoint),
            (libc::ENOENT, None) => missing_scheduler(operation, errno),
            (libc::ESRCH, _) => Self::ServiceMissing(service),
            (libc::ERANGE, _) => Self::OutOfRange,
            (libc::EPERM, _) => Self::NotPermitted,
            (libc::EAFNOSUPPORT, _) => Self::NoIpv6,
            (libc::EINVAL, Some(_)) => Self::Invalid(
                "a destination's address must be unicast and of its service's family (unless \
                 tunnelled), and its network namespace have an IPv4 address (is lo up?)",
            ),
            (libc::EINVAL, None) => Self::Invalid(
                "a service needs an address or a mark and a scheduler of up to 15 bytes that takes its \
                 flags; the prefix of IPv6 persistence is 1 to 128",
            ),
            _ => Self::Other(errno),
        }
    }
}

fn missing_scheduler(operation: &Operation, errno: Errno) -> Refusal {
    match operation {
        Operation::NewService(service) | Operation::SetService(service) => {
            Refusal::SchedulerMissing {
                scheduler: service.scheduler.clone(),
            }
        }
        _ => Refusal::Other(errno),
    }
}
