//! The socket against the kernel, in a namespace of its own.

use super::message::{KIND_FIRST_OF_FAMILY, messages, verdict};
use super::*;
use crate::errno::Errno;
use crate::fresh_namespace::in_fresh_namespace;

const RTM_NEWLINK: u16 = KIND_FIRST_OF_FAMILY;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTNLGRP_LINK: u32 = 1;
const NFT_MSG_NEWTABLE: u16 = 0x0a00;

fn link_request(kind: u16, flags: u16, index: u8, attributes: Attributes) -> Request {
    Request::new(
        kind,
        flags,
        &[0, 0, 0, 0, index, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        attributes,
    )
    .unwrap()
}

fn add_bridge(name: &str) -> Request {
    let mut attributes = Attributes::new();
    attributes.put_text(3, name).nest(18, |info| {
        info.put_text(1, "bridge");
    });
    link_request(
        RTM_NEWLINK,
        message::CREATE | message::EXCLUSIVE,
        0,
        attributes,
    )
}

#[test]
fn dumps_more_than_its_first_buffer_holds() {
    in_fresh_namespace("dumps_more_than_its_first_buffer_holds", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        socket.limit_buffer(16, 16 << 20);
        let links = socket
            .dump(&link_request(RTM_GETLINK, 0, 0, Attributes::new()))
            .unwrap();
        assert!(
            links
                .iter()
                .all(|link| link.kind == RTM_NEWLINK && link.payload.len() > 16)
        );
        assert!(!links.is_empty());
    });
}

#[test]
fn says_that_a_datagram_was_truncated() {
    in_fresh_namespace("says_that_a_datagram_was_truncated", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        socket.limit_buffer(64, 64);
        let outcome = socket.dump(&link_request(RTM_GETLINK, 0, 0, Attributes::new()));
        assert!(
            matches!(outcome, Err(NetlinkError::Truncated { limit: 64, .. })),
            "{outcome:?}"
        );
    });
}

#[test]
fn tells_errno_and_words_of_a_refusal() {
    in_fresh_namespace("tells_errno_and_words_of_a_refusal", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        let mut attributes = Attributes::new();
        attributes.put_text(3, "nsv-x").nest(18, |info| {
            info.put_text(1, "no-such-kind");
        });
        let request = link_request(RTM_NEWLINK, message::CREATE, 0, attributes);
        let NetlinkError::Refused { errno, message } = socket.request(&request).unwrap_err() else {
            panic!("not refused");
        };
        assert_eq!(errno, Errno(libc::EOPNOTSUPP));
        assert_eq!(message.as_deref(), Some("Unknown device type"));
        // The socket is usable afterwards.
        socket.request(&add_bridge("nsv-b")).unwrap();
        let again = socket.request(&add_bridge("nsv-b")).unwrap_err();
        assert_eq!(again.errno(), Errno(libc::EEXIST));
    });
}

#[test]
fn answers_a_batch_message_by_message() {
    in_fresh_namespace("answers_a_batch_message_by_message", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        let mut batch = Vec::new();
        let sequences = socket.reserve_sequences(3);
        let requests = [
            add_bridge("nsv-1"),
            add_bridge("nsv-1"),
            add_bridge("nsv-2"),
        ];
        for (request, sequence) in requests.iter().zip(sequences.clone()) {
            let request = Request {
                flags: request.flags | message::ACK,
                ..request.clone()
            };
            request.write(&mut batch, sequence, socket.port());
        }
        socket.send_batch(&batch).unwrap();
        let replies = socket.receive_replies(sequences.clone()).unwrap();
        let errnos: Vec<_> = replies.iter().map(|reply| reply.errno.0).collect();
        assert_eq!(errnos, [0, libc::EEXIST, 0]);
        assert_eq!(
            replies
                .iter()
                .map(|reply| reply.sequence)
                .collect::<Vec<_>>(),
            [1, 2, 3]
        );
    });
}

#[test]
fn hears_the_changes_of_others_and_not_its_writers() {
    in_fresh_namespace("hears_the_changes_of_others_and_not_its_writers", || {
        let mut writer = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        let mut other = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        let mut listener = NetlinkSocket::open(Protocol::Netfilter).unwrap();
        listener.ignore_changes_by(writer.port()).unwrap();
        listener.subscribe(7).unwrap();
        let ports = [writer.port(), other.port()];
        for (socket, name) in [(&mut writer, "nsv-mine"), (&mut other, "nsv-theirs")] {
            let batch = nft_table_batch(socket, name);
            socket.send_batch(&batch).unwrap();
        }
        let mut heard = Vec::new();
        loop {
            let more = listener.receive_notifications().unwrap();
            if more.is_empty() {
                break;
            }
            heard.extend(more);
        }
        // NEWTABLE and the NEWGEN that ends the transaction
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert!(
            heard.iter().all(|message| message.port == ports[1]),
            "{heard:?}"
        );
    });
}

fn nft_table_batch(socket: &mut NetlinkSocket, table: &str) -> Vec<u8> {
    let mut attributes = Attributes::new();
    attributes.put_text(1, table);
    // family inet, version 0, resource id; the frame names subsystem 10 in network order
    let add = Request::new(NFT_MSG_NEWTABLE, message::CREATE, &[1, 0, 0, 0], attributes).unwrap();
    let frame = |kind| Request {
        kind,
        flags: 0,
        payload: vec![0, 0, 0, 10],
    };
    let mut batch = Vec::new();
    let sequences = socket.reserve_sequences(3);
    for (request, sequence) in [frame(16), add, frame(17)].iter().zip(sequences) {
        request.write(&mut batch, sequence, socket.port());
    }
    batch
}

#[test]
fn reports_lost_notifications_as_overrun() {
    in_fresh_namespace("reports_lost_notifications_as_overrun", || {
        let mut writer = NetlinkSocket::open(Protocol::Route).unwrap();
        let mut listener = NetlinkSocket::open(Protocol::Route).unwrap();
        listener.set_buffers(None, Some(1)).unwrap();
        listener.subscribe(RTNLGRP_LINK).unwrap();
        for number in 0..8 {
            writer
                .request(&add_bridge(&format!("nsv-{number}")))
                .unwrap();
        }
        let outcome = listener.receive_notifications();
        assert_eq!(outcome, Err(NetlinkError::Overrun));
    });
}

#[test]
fn restarts_an_interrupted_dump_until_it_is_whole() {
    in_fresh_namespace("restarts_an_interrupted_dump_until_it_is_whole", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        let names: Vec<_> = (0..120).map(|number| format!("nsv-{number}")).collect();
        for name in &names {
            socket.request(&add_bridge(name)).unwrap();
        }
        let request = link_request(RTM_GETLINK, 0, 0, Attributes::new());
        // The kernel fills a dump while it is read: a change after the first datagram interrupts it.
        let mut other = NetlinkSocket::open(Protocol::Route).unwrap();
        let mut changes = 3;
        let mut between = || {
            if changes > 0 {
                changes -= 1;
                let delete = link_request(RTM_DELLINK, 0, 2 + changes, Attributes::new());
                other.request(&delete).unwrap();
            }
        };
        let links = socket.dump_observed(&request, &mut between).unwrap();
        assert_eq!(links.len(), 1 + names.len() - 3);
        assert_eq!(changes, 0);
    });
}

#[test]
fn gives_up_on_a_dump_that_never_stops_changing() {
    in_fresh_namespace("gives_up_on_a_dump_that_never_stops_changing", || {
        let mut socket = NetlinkSocket::open(Protocol::Route).unwrap();
        let mut made = 0;
        let mut add = |other: &mut NetlinkSocket| {
            made += 1;
            other.request(&add_bridge(&format!("nsv-{made}"))).unwrap();
        };
        let mut other = NetlinkSocket::open(Protocol::Route).unwrap();
        for _ in 0..60 {
            add(&mut other);
        }
        let request = link_request(RTM_GETLINK, 0, 0, Attributes::new());
        let outcome = socket.dump_observed(&request, &mut || add(&mut other));
        assert_eq!(outcome, Err(NetlinkError::Interrupted { attempts: 16 }));
    });
}

#[test]
fn reads_a_capped_refusal_with_words() {
    // Received on 6.18 with NETLINK_EXT_ACK and NETLINK_CAP_ACK set, for the request that
    // `ip link add nsv-x type nope` makes (sequence 7, port 0x2151).
    let golden = bytes_of(
        "3c000000020000030700000051210000a1ffffff3c000000100005060700000000000000\
         18000100556e6b6e6f776e20646576696365207479706500",
    );
    let message = messages(&golden).next().unwrap().unwrap();
    assert_eq!((message.sequence, message.port), (7, 0x2151));
    let said = verdict(&message).unwrap();
    assert_eq!(said.errno, Errno(libc::EOPNOTSUPP));
    assert_eq!(said.message.as_deref(), Some("Unknown device type"));
}

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn stops_at_a_message_whose_length_lies() {
    for length in [0u8, 15, 40] {
        let mut bytes = [0u8; 32];
        bytes[0] = length;
        let mut reader = messages(&bytes);
        assert!(reader.next().unwrap().is_err(), "{length}");
        assert!(reader.next().is_none());
    }
}
