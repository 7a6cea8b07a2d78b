//! What cannot be served is refused at once, whatever the kernel offers for that.
#![allow(
    clippy::disallowed_methods,
    reason = "measures how long a refusal takes"
)]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::ground::{Ground, on_ground};
use super::service::{Services, TCP, UDP, Written, counter};

const NO_BACKEND: [&str; 3] = ["11.0.0.1:80", "[fd01:c::1]:80", "[::ffff:11.0.0.1]:80"];
const NO_VIP: [&str; 3] = ["11.0.0.2:80", "[fd01:c::2]:80", "[::ffff:11.0.0.2]:80"];

fn prepare(ground: &Ground, has_set_retval: bool) -> navstar_kernel::bpf::object::Object {
    let mut object = ground.load(has_set_retval);
    ground.attach(&mut object);
    let mut services = Services::of(&object);
    for vip in [NO_BACKEND[0], NO_BACKEND[1]] {
        for protocol in [TCP, UDP] {
            services.write(vip.parse().unwrap(), protocol, &[], &Written::default());
        }
    }
    services.reserve(0, "11.0.0.0".parse().unwrap(), 8);
    services.reserve(7, "fd01:c::".parse().unwrap(), 64);
    object
}

fn udp_for(ground: &Ground, destination: SocketAddr) -> UdpSocket {
    let any = if destination.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = ground.inside(|| UdpSocket::bind(any).unwrap());
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket
}

fn at_once<T>(act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
    result
}

#[test]
fn tcp_to_nobody_is_refused_at_once() {
    on_ground("tcp_to_nobody_is_refused_at_once", |ground| {
        for has_set_retval in [true, false] {
            let object = prepare(ground, has_set_retval);
            let before = (counter(&object, 1), counter(&object, 2));
            for destination in [NO_BACKEND, NO_VIP].concat() {
                let destination: SocketAddr = destination.parse().unwrap();
                let outcome = ground.inside(|| at_once(|| TcpStream::connect(destination)));
                assert_eq!(
                    outcome.unwrap_err().kind(),
                    ErrorKind::ConnectionRefused,
                    "{destination} {has_set_retval}"
                );
            }
            assert_eq!(counter(&object, 1) - before.0, 3);
            assert_eq!(counter(&object, 2) - before.1, 3);
        }
    });
}

#[test]
fn connected_udp_to_nobody_is_refused_at_once() {
    on_ground("connected_udp_to_nobody_is_refused_at_once", |ground| {
        for has_set_retval in [true, false] {
            let _object = prepare(ground, has_set_retval);
            for destination in [NO_BACKEND, NO_VIP].concat() {
                let destination: SocketAddr = destination.parse().unwrap();
                let socket = udp_for(ground, destination);
                let refused = at_once(|| match socket.connect(destination) {
                    // Without the helper loopback answers the first datagram.
                    Ok(()) if !has_set_retval => socket
                        .send(b"ping")
                        .and_then(|_| socket.recv(&mut [0; 4]))
                        .map(drop),
                    outcome => outcome,
                });
                // A v4-mapped socket would fail to send (EINVAL), so it may not even connect.
                let is_mapped = destination.to_string().starts_with("[::ffff:");
                let kind = if is_mapped && !has_set_retval {
                    ErrorKind::PermissionDenied
                } else {
                    ErrorKind::ConnectionRefused
                };
                assert_eq!(
                    refused.unwrap_err().kind(),
                    kind,
                    "{destination} {has_set_retval}"
                );
            }
        }
    });
}

#[test]
fn a_datagram_to_nobody_is_refused_at_once() {
    on_ground("a_datagram_to_nobody_is_refused_at_once", |ground| {
        for (has_set_retval, kind) in [
            (true, ErrorKind::ConnectionRefused),
            (false, ErrorKind::PermissionDenied),
        ] {
            let _object = prepare(ground, has_set_retval);
            for destination in [NO_BACKEND, NO_VIP].concat() {
                let destination: SocketAddr = destination.parse().unwrap();
                let socket = udp_for(ground, destination);
                let outcome = at_once(|| socket.send_to(b"ping", destination));
                assert_eq!(outcome.unwrap_err().kind(), kind, "{destination}");
            }
        }
    });
}

#[test]
fn a_vip_serves_its_own_protocol_and_port_only() {
    on_ground("a_vip_serves_its_own_protocol_and_port_only", |ground| {
        let object = prepare(ground, true);
        let listener = TcpListener::bind("127.0.0.5:0").unwrap();
        let backend = (listener.local_addr().unwrap(), 1);
        let vip: SocketAddr = "11.0.0.9:80".parse().unwrap();
        Services::of(&object).write(vip, TCP, &[backend], &Written::default());
        ground.inside(|| TcpStream::connect(vip)).unwrap();
        let refused = udp_for(ground, vip).send_to(b"ping", vip).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let refused = ground
            .inside(|| TcpStream::connect("11.0.0.9:81"))
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        // Outside the reserved ranges nothing is refused: there is just no route.
        let other = ground
            .inside(|| TcpStream::connect("12.0.0.9:80"))
            .unwrap_err();
        assert_eq!(other.kind(), ErrorKind::NetworkUnreachable);
    });
}

#[test]
fn a_backend_of_the_other_family_or_of_no_member_is_never_used() {
    on_ground(
        "a_backend_of_the_other_family_or_of_no_member_is_never_used",
        |ground| {
            let object = prepare(ground, true);
            let listener = TcpListener::bind("[::1]:0").unwrap();
            let backend = (listener.local_addr().unwrap(), 1);
            let vip: SocketAddr = "11.0.0.9:80".parse().unwrap();
            let mut services = Services::of(&object);
            services.write(vip, TCP, &[backend], &Written::default());
            let refused = ground.inside(|| TcpStream::connect(vip)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

            let vip: SocketAddr = "[fd01:c::9]:80".parse().unwrap();
            services.write(vip, TCP, &[backend], &Written::default());
            ground.inside(|| TcpStream::connect(vip)).unwrap();
            let mut members = object.map("members").unwrap().try_clone().unwrap();
            let keys = members.dump().unwrap().keys;
            assert_eq!(members.delete(&keys).unwrap(), Vec::<i32>::new());
            let retries = counter(&object, 3);
            let refused = ground.inside(|| TcpStream::connect(vip)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            assert_eq!(counter(&object, 3) - retries, 3);
        },
    );
}
