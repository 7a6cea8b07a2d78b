//! Generic netlink: families that have a name instead of a fixed number.
//!
//! **Source:** `include/uapi/linux/genetlink.h`

use super::{Attributes, NetlinkError, NetlinkSocket, Request, attributes};
use crate::errno::Errno;

/// Length of `struct genlmsghdr`, which precedes the attributes of a message.
pub const HEADER_LENGTH: usize = 4;
/// `GENL_ID_CTRL`
const CONTROLLER: u16 = 16;
/// `CTRL_CMD_GETFAMILY`
const GET_FAMILY: u8 = 3;
/// `CTRL_ATTR_FAMILY_ID`
const FAMILY_ID: u16 = 1;
/// `CTRL_ATTR_FAMILY_NAME`
const FAMILY_NAME: u16 = 2;

/// The id of a family, e.g. of `IPVS`. The kernel loads the module of the family when it can.
///
/// # Errors
/// [`NetlinkError::NotSupported`] (`ENOENT`) when this kernel has no such family.
pub fn family_id(socket: &mut NetlinkSocket, name: &'static str) -> Result<u16, NetlinkError> {
    let answers = socket
        .request(&lookup(name)?)
        .map_err(|error| match error {
            NetlinkError::Refused {
                errno: source @ Errno(libc::ENOENT),
                ..
            } => NetlinkError::NotSupported {
                family: name,
                source,
            },
            other => other,
        })?;
    answers
        .iter()
        .find_map(|answer| read_id(&answer.payload))
        .ok_or(NetlinkError::Malformed {
            what: "answer about a generic netlink family",
        })
}

/// A request to a family: its command and version, then attributes.
///
/// # Errors
/// [`NetlinkError::Malformed`] when an attribute is longer than 65535 bytes.
pub fn request(
    family: u16,
    (command, version): (u8, u8),
    attributes: Attributes,
) -> Result<Request, NetlinkError> {
    Request::new(family, 0, &[command, version, 0, 0], attributes)
}

fn lookup(name: &str) -> Result<Request, NetlinkError> {
    let mut body = Attributes::new();
    body.put_text(FAMILY_NAME, name);
    request(CONTROLLER, (GET_FAMILY, 1), body)
}

fn read_id(payload: &[u8]) -> Option<u16> {
    attributes(payload.get(HEADER_LENGTH..)?)
        .map_while(Result::ok)
        .find(|attribute| attribute.kind == FAMILY_ID)?
        .u16()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh_namespace::in_fresh_namespace;
    use crate::netlink::Protocol;

    #[test]
    fn asks_as_ipvsadm_does() {
        // `strace -xx ipvsadm -Ln` on 6.1
        let asked = lookup("IPVS").unwrap();
        assert_eq!(asked.kind, 16);
        assert_eq!(asked.payload, b"\x03\x01\0\0\x09\0\x02\0IPVS\0\0\0\0");
    }

    #[test]
    fn reads_the_id_out_of_the_answer() {
        let golden = b"\x01\x02\0\0\x09\0\x02\0IPVS\0\0\0\0\x06\0\x01\0\x1c\0\0\0";
        assert_eq!(read_id(golden), Some(0x1c));
        assert_eq!(read_id(&golden[..20]), None);
        assert_eq!(read_id(&[]), None);
    }

    #[test]
    fn every_kernel_has_the_controller_and_none_a_family_of_no_one() {
        in_fresh_namespace(
            "every_kernel_has_the_controller_and_none_a_family_of_no_one",
            || {
                let mut socket = NetlinkSocket::open(Protocol::Generic).unwrap();
                assert_eq!(family_id(&mut socket, "nlctrl"), Ok(CONTROLLER));
                let absent = NetlinkError::NotSupported {
                    family: "NSV_ABSENT",
                    source: Errno(libc::ENOENT),
                };
                assert_eq!(family_id(&mut socket, "NSV_ABSENT"), Err(absent));
            },
        );
    }
}
