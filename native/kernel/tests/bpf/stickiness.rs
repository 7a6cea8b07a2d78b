//! A UDP socket that never connects keeps its backend while that is one.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::ground::{Ground, on_ground};
use super::service::{Services, UDP, Written};

fn servers() -> Vec<(UdpSocket, SocketAddr)> {
    (0..4)
        .map(|_| {
            let socket = UdpSocket::bind("127.0.0.5:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            let address = socket.local_addr().unwrap();
            (socket, address)
        })
        .collect()
}

fn client(ground: &Ground) -> UdpSocket {
    ground.inside(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        socket
    })
}

/// Which server a datagram reaches; over loopback it is there when `send_to` returns.
fn reached(client: &UdpSocket, vip: SocketAddr, servers: &[(UdpSocket, SocketAddr)]) -> usize {
    client.send_to(b"ping", vip).unwrap();
    servers
        .iter()
        .position(|(server, _)| server.recv(&mut [0; 8]).is_ok())
        .unwrap()
}

#[test]
fn a_draining_backend_keeps_its_flows_and_a_removed_one_loses_them() {
    on_ground(
        "a_draining_backend_keeps_its_flows_and_a_removed_one_loses_them",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            let vip: SocketAddr = "11.0.0.1:53".parse().unwrap();
            let servers = servers();
            let backends = |drained: Option<usize>| -> Vec<(SocketAddr, u32)> {
                let weight = |index| u32::from(drained != Some(index));
                servers
                    .iter()
                    .enumerate()
                    .map(|(index, (_, to))| (*to, weight(index)))
                    .collect()
            };
            let mut written = services.write(vip, UDP, &backends(None), &Written::default());
            let client_socket = client(ground);
            let first = reached(&client_socket, vip, &servers);
            for _ in 0..50 {
                assert_eq!(reached(&client_socket, vip, &servers), first);
            }

            written = services.write(vip, UDP, &backends(Some(first)), &written);
            for _ in 0..50 {
                assert_eq!(reached(&client_socket, vip, &servers), first, "drains");
                assert_ne!(
                    reached(&client(ground), vip, &servers),
                    first,
                    "takes no new flow"
                );
            }

            // The last backend drains: its flow still stays, new ones are refused.
            let alone = [(servers[first].1, 0)];
            written = services.write(vip, UDP, &alone, &written);
            assert_eq!(
                reached(&client_socket, vip, &servers),
                first,
                "drains alone"
            );
            assert!(client(ground).send_to(b"ping", vip).is_err());

            let mut others = backends(None);
            others.remove(first);
            services.write(vip, UDP, &others, &written);
            let second = reached(&client_socket, vip, &servers);
            assert_ne!(second, first, "was removed");
            for _ in 0..50 {
                assert_eq!(reached(&client_socket, vip, &servers), second);
            }
            // The reply of the new backend shows the VIP too.
            let local =
                SocketAddr::from(([127, 0, 0, 1], client_socket.local_addr().unwrap().port()));
            servers[second].0.send_to(b"pong", local).unwrap();
            assert_eq!(client_socket.recv_from(&mut [0; 8]).unwrap(), (4, vip));
        },
    );
}
