//! Changes under load lose nothing.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use navstar_kernel::bpf::link::link_state;

use super::ground::{Ground, attach_all, link_pin, load_with, on_ground};
use super::service::{Services, TCP, Written, counter};

const CONNECTS: usize = 20_000;
const SWAPS: usize = 2_000;

/// Ends the other thread also when this one fails.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn program_id(ground: &Ground) -> u32 {
    link_state(&link_pin(&ground.pins, "connect4"))
        .unwrap()
        .unwrap()
        .program_id
}

/// Listeners that accept and close until told to stop.
struct Backends {
    addresses: Vec<SocketAddr>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Backends {
    fn start(count: u8) -> Self {
        let (addresses, threads) = (1..=count)
            .map(|last| {
                let listener = TcpListener::bind((std::net::Ipv4Addr::new(127, 0, 1, last), 8080));
                let listener = listener.unwrap();
                let address = listener.local_addr().unwrap();
                let accept = move || {
                    for stream in listener.incoming() {
                        let from = stream.unwrap().peer_addr().unwrap();
                        if from.ip() == std::net::Ipv4Addr::new(127, 9, 9, 9) {
                            return;
                        }
                    }
                };
                (address, std::thread::spawn(accept))
            })
            .unzip();
        Self { addresses, threads }
    }

    /// A connection from 127.9.9.9 ends a listener.
    fn stop(self) {
        for address in &self.addresses {
            let script = format!(
                "import socket; socket.create_connection(('{}',{}),source_address=('127.9.9.9',0))",
                address.ip(),
                address.port()
            );
            super::ground::run("python3", &["-c", &script]);
        }
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn swapping_sets_under_a_connect_flood_fails_no_connect() {
    on_ground(
        "swapping_sets_under_a_connect_flood_fails_no_connect",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let mut services = Services::of(&object);
            let vip: SocketAddr = "11.0.0.1:80".parse().unwrap();
            let backends = Backends::start(6);
            let half = |odd: usize| -> Vec<(SocketAddr, u32)> {
                let chosen = backends.addresses.iter().skip(odd).step_by(2);
                chosen.map(|address| (*address, 3)).collect()
            };
            let mut written = services.write(vip, TCP, &half(0), &Written::default());
            let (connects, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
            let swaps = ground.inside(|| {
                std::thread::scope(|scope| {
                    let client = scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            TcpStream::connect(vip).expect("connect under swaps");
                            connects.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    let _end = EndOnDrop(&is_over);
                    let mut swaps = 0;
                    // No backend is in two sets that follow each other: each swap removes all.
                    while swaps < SWAPS || connects.load(Ordering::Relaxed) < CONNECTS {
                        assert!(
                            !client.is_finished(),
                            "a connect failed after {swaps} swaps"
                        );
                        swaps += 1;
                        written = services.write(vip, TCP, &half(swaps % 2), &written);
                    }
                    is_over.store(true, Ordering::Relaxed);
                    client.join().unwrap();
                    swaps
                })
            });
            println!(
                "{} connects, {swaps} swaps, {} retries",
                connects.load(Ordering::Relaxed),
                counter(&object, 3)
            );
            assert_eq!(counter(&object, 1), 0);
            backends.stop();
        },
    );
}

#[test]
fn replacing_the_programs_under_a_connect_flood_fails_no_connect() {
    on_ground(
        "replacing_the_programs_under_a_connect_flood_fails_no_connect",
        |ground| {
            let mut object = ground.load(true);
            ground.attach(&mut object);
            let vip: SocketAddr = "11.0.0.1:80".parse().unwrap();
            let backends = Backends::start(1);
            let backend = (backends.addresses[0], 1);
            Services::of(&object).write(vip, TCP, &[backend], &Written::default());
            let is_over = AtomicBool::new(false);
            ground.inside(|| {
                std::thread::scope(|scope| {
                    let client = scope.spawn(|| {
                        let mut connects = 0;
                        while !is_over.load(Ordering::Relaxed) {
                            let stream = TcpStream::connect(vip).expect("connect while replacing");
                            assert_eq!(stream.peer_addr().unwrap(), vip);
                            connects += 1;
                        }
                        connects
                    });
                    let _end = EndOnDrop(&is_over);
                    let mut ids = HashSet::new();
                    for round in 0..20 {
                        // Another constant is another program.
                        let mut next = load_with(&ground.pins, round % 2 == 1, &[]).unwrap();
                        attach_all(&mut next, &ground.cgroup, &ground.pins);
                        ids.insert(program_id(ground));
                    }
                    is_over.store(true, Ordering::Relaxed);
                    assert!(client.join().unwrap() > 100);
                });
            });
            backends.stop();
        },
    );
}
