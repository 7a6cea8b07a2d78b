//! Connections and datagrams reach the backend, and the socket sees the VIP.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::ground::{in_fresh_network, on_ground};
use super::service::{Services, TCP, UDP, Written, counter};

/// Name, VIP in the maps, the same as the client writes it, address of the backend.
const FAMILIES: [(&str, &str, &str, &str); 3] = [
    ("IPv4", "11.0.0.1:80", "11.0.0.1:80", "127.0.0.5:0"),
    ("IPv6", "[fd01:c::1]:80", "[fd01:c::1]:80", "[::1]:0"),
    (
        "v4-mapped",
        "11.0.0.1:80",
        "[::ffff:11.0.0.1]:80",
        "127.0.0.5:0",
    ),
];

fn any_of(address: SocketAddr) -> &'static str {
    if address.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    }
}

fn patient(socket: UdpSocket) -> UdpSocket {
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket
}

#[test]
fn tcp_reaches_the_backend_and_the_peer_is_the_vip() {
    on_ground(
        "tcp_reaches_the_backend_and_the_peer_is_the_vip",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            for (family, vip, dialled, backend) in FAMILIES {
                let dialled: SocketAddr = dialled.parse().unwrap();
                let listener = TcpListener::bind(backend).unwrap();
                let backend = listener.local_addr().unwrap();
                let vip = vip.parse().unwrap();
                services.write(vip, TCP, &[(backend, 1)], &Written::default());
                let mut client = ground.inside(|| TcpStream::connect(dialled)).expect(family);
                let (mut served, _) = listener.accept().unwrap();
                assert_eq!(client.peer_addr().unwrap(), dialled, "{family}");
                client.write_all(b"ping").unwrap();
                let mut received = [0; 4];
                served.read_exact(&mut received).unwrap();
                assert_eq!(&received, b"ping", "{family}");

                // The backend's own address is none of our business.
                let direct = ground.inside(|| TcpStream::connect(backend)).expect(family);
                assert_eq!(direct.peer_addr().unwrap(), backend, "{family}");
            }
            assert_eq!(counter(&object, 0), 3);
        },
    );
}

#[test]
fn connected_udp_reaches_the_backend_and_the_source_is_the_vip() {
    on_ground(
        "connected_udp_reaches_the_backend_and_the_source_is_the_vip",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            for (family, vip, dialled, backend) in FAMILIES {
                let dialled: SocketAddr = dialled.parse().unwrap();
                let server = patient(UdpSocket::bind(backend).unwrap());
                let backend = server.local_addr().unwrap();
                services.write(
                    vip.parse().unwrap(),
                    UDP,
                    &[(backend, 1)],
                    &Written::default(),
                );
                let client = ground.inside(|| UdpSocket::bind(any_of(dialled)).unwrap());
                let client = patient(client);
                client.connect(dialled).expect(family);
                assert_eq!(client.peer_addr().unwrap(), dialled, "{family}");
                client.send(b"ping").unwrap();
                let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
                server.send_to(b"pong", from).unwrap();
                let (length, source) = client.recv_from(&mut [0; 16]).unwrap();
                assert_eq!((length, source), (4, dialled), "{family}");
            }
        },
    );
}

#[test]
fn unconnected_udp_reaches_the_backend_and_the_source_is_the_vip() {
    on_ground(
        "unconnected_udp_reaches_the_backend_and_the_source_is_the_vip",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            for (family, vip, dialled, backend) in FAMILIES {
                let dialled: SocketAddr = dialled.parse().unwrap();
                let server = patient(UdpSocket::bind(backend).unwrap());
                let backend = server.local_addr().unwrap();
                services.write(
                    vip.parse().unwrap(),
                    UDP,
                    &[(backend, 1)],
                    &Written::default(),
                );
                let client = ground.inside(|| UdpSocket::bind(any_of(dialled)).unwrap());
                let client = patient(client);
                for _ in 0..2 {
                    client.send_to(b"ping", dialled).expect(family);
                    let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
                    server.send_to(b"pong", from).unwrap();
                    let (length, source) = client.recv_from(&mut [0; 16]).unwrap();
                    assert_eq!((length, source), (4, dialled), "{family}");
                }
            }
        },
    );
}

#[test]
fn a_socket_of_another_control_group_is_untouched() {
    on_ground("a_socket_of_another_control_group_is_untouched", |ground| {
        let mut object = ground.load(true);
        ground.attach(&mut object);
        let listener = TcpListener::bind("127.0.0.5:0").unwrap();
        let backend = listener.local_addr().unwrap();
        let vip = "11.0.0.1:80".parse().unwrap();
        let mut services = Services::of(&object);
        services.write(vip, TCP, &[(backend, 1)], &Written::default());
        let error = TcpStream::connect(vip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        ground.inside(|| TcpStream::connect(vip)).unwrap();
    });
}

#[test]
fn a_process_in_another_network_namespace_is_served_there() {
    on_ground(
        "a_process_in_another_network_namespace_is_served_there",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            let vip = "11.0.0.1:80".parse().unwrap();
            let line = in_fresh_network(|| {
                let listener = TcpListener::bind("127.0.0.5:0").unwrap();
                let backend = listener.local_addr().unwrap();
                services.write(vip, TCP, &[(backend, 1)], &Written::default());
                // The process joins the control group itself, as a container does.
                let script = format!(
                    "echo $$ > {}/cgroup.procs && exec 3<>/dev/tcp/11.0.0.1/80 && head -n 1 <&3",
                    ground.cgroup.display()
                );
                let child = Command::new("bash")
                    .args(["-c", &script])
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let (mut served, _) = listener.accept().unwrap();
                served.write_all(b"from the backend\n").unwrap();
                child.wait_with_output().unwrap().stdout
            });
            assert_eq!(line.unwrap(), b"from the backend\n");
        },
    );
}
