//! Notifications of changes: groups, and a filter that drops our own.

use std::os::fd::AsFd;

use super::{Message, NetlinkError, NetlinkSocket};
use crate::sys;

impl NetlinkSocket {
    /// Joins a multicast group, e.g. `RTNLGRP_LINK`.
    ///
    /// # Errors
    /// [`NetlinkError::System`], e.g. `EINVAL` for a group this kernel does not have.
    pub fn subscribe(&self, group: u32) -> Result<(), NetlinkError> {
        let group = i32::try_from(group).unwrap_or(i32::MAX);
        sys::set_option(
            self.as_fd(),
            libc::SOL_NETLINK,
            libc::NETLINK_ADD_MEMBERSHIP,
            group,
        )
        .map_err(NetlinkError::system("setsockopt NETLINK_ADD_MEMBERSHIP"))
    }

    /// Drops, before they are queued, notifications of changes that the socket with this port made.
    ///
    /// # Errors
    /// [`NetlinkError::System`].
    pub fn ignore_changes_by(&self, port: u32) -> Result<(), NetlinkError> {
        // A filter loads words in network order, so the operand is swapped too.
        let operand = u32::from_be_bytes(port.to_ne_bytes());
        let program = [
            (0x20, 0, 0, 12),      // A = nlmsg_pid
            (0x15, 0, 1, operand), // not ours: skip one
            (0x06, 0, 0, 0),       // drop
            (0x06, 0, 0, u32::MAX),
        ];
        sys::attach_filter(self.as_fd(), &program)
            .map_err(NetlinkError::system("setsockopt SO_ATTACH_FILTER"))
    }

    /// The notifications of one datagram; empty when none is queued. Never waits: poll first.
    ///
    /// # Errors
    /// [`NetlinkError::Overrun`] when notifications were lost.
    pub fn receive_notifications(&mut self) -> Result<Vec<Message>, NetlinkError> {
        match self.receive_datagram(sys::DONT_WAIT) {
            Err(NetlinkError::TimedOut) => Ok(Vec::new()),
            outcome => outcome,
        }
    }
}
