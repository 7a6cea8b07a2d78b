//! The netlink families.

/// The netlink family to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Links, addresses, routes, rules, neighbours.
    Route,
    /// nf_tables and conntrack.
    Netfilter,
    /// Generic netlink: families by name, such as IPVS.
    Generic,
    /// Sockets.
    SockDiag,
}

impl Protocol {
    pub(super) fn number(self) -> i32 {
        match self {
            Self::Route => libc::NETLINK_ROUTE,
            Self::Netfilter => libc::NETLINK_NETFILTER,
            Self::Generic => libc::NETLINK_GENERIC,
            Self::SockDiag => libc::NETLINK_SOCK_DIAG,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Netfilter => "netfilter",
            Self::Generic => "generic",
            Self::SockDiag => "sock_diag",
        }
    }
}
