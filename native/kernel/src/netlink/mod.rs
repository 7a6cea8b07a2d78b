//! Netlink: framing and attributes (pure), and the socket.

/// Attributes: writer and reader.
pub mod attribute;
/// What can go wrong on a netlink socket.
pub mod error;
/// Generic netlink: families by name.
pub mod generic;
/// Message framing: header, acknowledgement, extended ack.
pub mod message;
mod multicast;
mod protocol;
/// The socket: requests, dumps, batches, multicast.
pub mod socket;

pub use attribute::{Attribute, Attributes, attributes};
pub use error::NetlinkError;
pub use message::{Message, Request};
pub use protocol::Protocol;
pub use socket::{NetlinkSocket, Reply};

#[cfg(test)]
mod tests;
