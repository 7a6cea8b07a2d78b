use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use super::client::{destroy, probe, sockets};
use super::codec::{Family, Peer, Transport, destruction, list, socket};
use crate::fresh_namespace::in_fresh_namespace;
use crate::netlink::{NetlinkSocket, Protocol};

fn peer(text: &str) -> Peer {
    let address: std::net::SocketAddr = text.parse().unwrap();
    Peer {
        address: address.ip(),
        port: address.port(),
    }
}

fn open() -> NetlinkSocket {
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status();
    assert!(up.unwrap().success());
    NetlinkSocket::open(Protocol::SockDiag).unwrap()
}

#[test]
fn a_list_asks_for_connected_sockets() {
    let request = list(Transport::Udp, Family::V6);
    assert_eq!(request.payload.len(), 56);
    assert_eq!(
        request.payload.get(..8),
        Some(&[10, 17, 0, 0, 2, 0, 0, 0][..])
    );
    assert_eq!(
        list(Transport::Tcp, Family::V4).payload.get(4..8),
        Some(&0xb36_u32.to_ne_bytes()[..])
    );
}

#[test]
fn a_socket_is_read_and_destroyed_by_the_same_bytes() {
    let mut answer = vec![10, 1, 0, 0];
    answer.extend([0x1f, 0x90, 0x00, 0x50]);
    answer.extend("fd00::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    answer.extend(
        "::ffff:10.0.0.2"
            .parse::<std::net::Ipv6Addr>()
            .unwrap()
            .octets(),
    );
    answer.extend([3, 0, 0, 0]);
    answer.extend(7_u32.to_ne_bytes());
    answer.extend(1_u32.to_ne_bytes());
    answer.extend([0; 20]);
    let read = socket(&answer).unwrap();
    assert_eq!(
        (read.cookie, read.peer),
        (0x1_0000_0007, peer("10.0.0.2:80"))
    );
    let request = destruction(Transport::Udp, &read);
    assert_eq!(request.payload.get(8..), answer.get(4..52));
    assert_eq!(request.payload.len(), 56);
    for length in 0..52 {
        assert_eq!(socket(&answer[..length]), None);
    }
}

#[test]
fn only_the_named_udp_socket_is_destroyed() {
    in_fresh_namespace("only_the_named_udp_socket_is_destroyed", || {
        let mut netlink = open();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        let [doomed, other] = [(); 2].map(|()| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(to).unwrap();
            socket
        });
        let port = doomed.local_addr().unwrap().port();
        let found = sockets(&mut netlink, Transport::Udp).unwrap();
        assert_eq!(found.len(), 2);
        let is_doomed = |id: &[u8; 48]| id[..2] == port.to_be_bytes();
        let cookie = found
            .iter()
            .find(|each| is_doomed(&each.id))
            .unwrap()
            .cookie;
        let elsewhere = BTreeMap::from([(cookie, peer("127.0.0.1:9"))]);
        assert_eq!(
            destroy(&mut netlink, Transport::Udp, &elsewhere),
            Ok(vec![])
        );
        let targets = BTreeMap::from([(cookie, peer(&to.to_string()))]);
        assert_eq!(
            destroy(&mut netlink, Transport::Udp, &targets),
            Ok(vec![cookie])
        );
        assert_eq!(destroy(&mut netlink, Transport::Udp, &targets), Ok(vec![]));
        let error = doomed.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNABORTED));
        assert_eq!(
            doomed.send(b"x").unwrap_err().raw_os_error(),
            Some(libc::EDESTADDRREQ)
        );
        assert_eq!(other.send(b"x").unwrap(), 1);
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn a_tcp_connection_is_destroyed_on_both_sides() {
    in_fresh_namespace("a_tcp_connection_is_destroyed_on_both_sides", || {
        let mut netlink = open();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(to).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        let found = sockets(&mut netlink, Transport::Tcp).unwrap();
        let of_client = found.iter().find(|each| each.peer == peer(&to.to_string()));
        let cookie = of_client.unwrap().cookie;
        let targets = BTreeMap::from([(cookie, peer(&to.to_string()))]);
        assert_eq!(
            destroy(&mut netlink, Transport::Tcp, &targets),
            Ok(vec![cookie])
        );
        assert!(client.write_all(b"x").is_err());
        let error = accepted.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
        assert!(TcpStream::connect(to).is_ok());
    });
}

#[test]
fn what_the_kernel_can_is_tried() {
    in_fresh_namespace("what_the_kernel_can_is_tried", || {
        for transport in [Transport::Tcp, Transport::Udp] {
            assert_eq!(probe(&mut open(), transport), Ok(()));
        }
    });
}
