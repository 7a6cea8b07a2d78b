//! Netlink message framing: the 16-byte header, acknowledgements and the extended ack.
//!
//! **Source:** `include/uapi/linux/netlink.h` (`struct nlmsghdr`, `struct nlmsgerr`, `enum nlmsgerr_attrs`)

use super::attribute::{aligned, attributes};
use super::{Attributes, NetlinkError};
use crate::errno::Errno;

/// Length of `struct nlmsghdr`.
pub const HEADER_LENGTH: usize = 16;
/// Message kind of acknowledgements and errors.
pub const KIND_ERROR: u16 = 2;
/// Message kind that ends a dump.
pub const KIND_DONE: u16 = 3;
/// First message kind that belongs to a family.
pub const KIND_FIRST_OF_FAMILY: u16 = 16;

/// `NLM_F_REQUEST`
pub const REQUEST: u16 = 0x01;
/// `NLM_F_MULTI`
pub const MULTI: u16 = 0x02;
/// `NLM_F_ACK`
pub const ACK: u16 = 0x04;
/// `NLM_F_ECHO`
pub const ECHO: u16 = 0x08;
/// `NLM_F_DUMP_INTR`
pub const DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`
pub const DUMP: u16 = 0x300;
/// `NLM_F_REPLACE`
pub const REPLACE: u16 = 0x100;
/// `NLM_F_EXCL`
pub const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`
pub const APPEND: u16 = 0x800;
const CAPPED: u16 = 0x100;
const ACK_ATTRIBUTES: u16 = 0x200;
const EXTENDED_ACK_TEXT: u16 = 1;

/// What to ask: a value without sequence number or port, which the socket adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Message kind, e.g. `RTM_NEWROUTE`.
    pub kind: u16,
    /// Flags beyond `REQUEST`, which is always set.
    pub flags: u16,
    /// The family's own header and its attributes.
    pub payload: Vec<u8>,
}

impl Request {
    /// A request of a fixed header followed by attributes.
    ///
    /// # Errors
    /// As [`Attributes::into_bytes`].
    pub fn new(
        kind: u16,
        flags: u16,
        header: &[u8],
        attributes: Attributes,
    ) -> Result<Self, NetlinkError> {
        let mut payload = header.to_vec();
        payload.resize(aligned(payload.len()), 0);
        payload.extend_from_slice(&attributes.into_bytes()?);
        Ok(Self {
            kind,
            flags,
            payload,
        })
    }

    /// Appends the framed request to `buffer`, padded to 4 bytes.
    pub fn write(&self, buffer: &mut Vec<u8>, sequence: u32, port: u32) {
        let length = HEADER_LENGTH + self.payload.len();
        buffer.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
        buffer.extend_from_slice(&self.kind.to_ne_bytes());
        buffer.extend_from_slice(&(self.flags | REQUEST).to_ne_bytes());
        buffer.extend_from_slice(&sequence.to_ne_bytes());
        buffer.extend_from_slice(&port.to_ne_bytes());
        buffer.extend_from_slice(&self.payload);
        buffer.resize(aligned(buffer.len()), 0);
    }
}

/// One message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Message kind.
    pub kind: u16,
    /// Flags, e.g. [`MULTI`].
    pub flags: u16,
    /// Sequence number of the request it answers; of the writer's request in notifications.
    pub sequence: u32,
    /// Port of the asker; in notifications the port of who made the change (0: the kernel).
    pub port: u32,
    /// The family's own header and its attributes.
    pub payload: Vec<u8>,
}

/// Splits a datagram into messages; yields one error for a broken length and stops.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Result<Message, NetlinkError>> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((message, length)) = first_message(rest) else {
            rest = &[];
            return Some(Err(NetlinkError::Malformed {
                what: "message length",
            }));
        };
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some(Ok(message))
    })
}

fn first_message(bytes: &[u8]) -> Option<(Message, usize)> {
    let (header, _) = bytes.split_first_chunk::<HEADER_LENGTH>()?;
    let &[
        l0,
        l1,
        l2,
        l3,
        k0,
        k1,
        f0,
        f1,
        s0,
        s1,
        s2,
        s3,
        p0,
        p1,
        p2,
        p3,
    ] = header;
    let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
    let message = Message {
        kind: u16::from_ne_bytes([k0, k1]),
        flags: u16::from_ne_bytes([f0, f1]),
        sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
        port: u32::from_ne_bytes([p0, p1, p2, p3]),
        payload: bytes.get(HEADER_LENGTH..length)?.to_vec(),
    };
    Some((message, length))
}

/// What an error or done message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// 0 for success.
    pub errno: Errno,
    /// Extended ack in words.
    pub message: Option<String>,
}

impl Verdict {
    /// Ok, or the refusal as an error.
    ///
    /// # Errors
    /// [`NetlinkError::Refused`] unless the errno is 0.
    pub fn into_result(self) -> Result<(), NetlinkError> {
        if self.errno.0 == 0 {
            return Ok(());
        }
        Err(NetlinkError::Refused {
            errno: self.errno,
            message: self.message,
        })
    }
}

/// Reads the verdict of a [`KIND_ERROR`] or [`KIND_DONE`] message.
///
/// # Errors
/// [`NetlinkError::Malformed`] when an error message is too short; an empty done message is a
/// success, as some kernels send it.
pub fn verdict(message: &Message) -> Result<Verdict, NetlinkError> {
    let Some((code, rest)) = message.payload.split_first_chunk::<4>() else {
        if message.kind == KIND_DONE {
            return Ok(Verdict {
                errno: Errno(0),
                message: None,
            });
        }
        return Err(NetlinkError::Malformed {
            what: "acknowledgement",
        });
    };
    let errno = Errno(i32::from_ne_bytes(*code).saturating_neg());
    let has_attributes = message.flags & ACK_ATTRIBUTES != 0;
    let text = has_attributes
        .then(|| extended_text(message, rest))
        .flatten();
    Ok(Verdict {
        errno,
        message: text,
    })
}

/// The attributes follow the header of the refused request, or all of it when it is not capped.
fn extended_text(message: &Message, rest: &[u8]) -> Option<String> {
    let skipped = if message.kind == KIND_DONE {
        0
    } else if message.flags & CAPPED != 0 {
        HEADER_LENGTH
    } else {
        let length = rest
            .first_chunk::<4>()
            .map(|bytes| u32::from_ne_bytes(*bytes))?;
        aligned(usize::try_from(length).ok()?)
    };
    attributes(rest.get(skipped..)?)
        .filter_map(Result::ok)
        .find(|attribute| attribute.kind == EXTENDED_ACK_TEXT)
        .and_then(|attribute| attribute.text().ok().map(str::to_owned))
}
