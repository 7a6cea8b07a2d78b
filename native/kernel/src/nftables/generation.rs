//! The number that grows with every committed transaction of a network namespace.

use super::batch::request;
use super::body::Body;
use super::codes::message::GETGEN;
use crate::netlink::{Attributes, NetlinkError, NetlinkSocket};

/// The current generation: unchanged means that nobody changed any nf_tables object.
///
/// # Errors
/// As [`NetlinkSocket::request`].
pub fn generation(socket: &mut NetlinkSocket) -> Result<u32, NetlinkError> {
    let answers = socket.request(&request(GETGEN, 0, Attributes::new())?)?;
    answers
        .first()
        .and_then(|answer| Body::of_message(&answer.payload).u32(1))
        .ok_or(NetlinkError::Malformed { what: "generation" })
}
