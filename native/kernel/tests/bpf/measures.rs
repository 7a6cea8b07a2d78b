//! Figures, printed: `cargo test --release --test bpf -- --ignored measures --nocapture`.
#![allow(clippy::disallowed_methods, reason = "measures time")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use navstar_kernel::bpf::audit::Audit;
use navstar_kernel::bpf::map::Map;

use super::ground::{Ground, attach_all, load_with, on_ground};
use super::service::{Services, TCP, Written};

fn took<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = act();
    println!("{what}: {:?}", start.elapsed());
    made
}

fn fill(map: &mut Map, count: u32) {
    let keys: Vec<u8> = (0..count)
        .flat_map(|slot| [1_u32.to_ne_bytes(), slot.to_ne_bytes()].concat())
        .collect();
    let values = vec![1; count as usize * 20];
    took(&format!("fill {count} by batch"), || {
        map.update(&keys, &values).unwrap()
    });
}

fn median_of(ground: &Ground, what: &str, destination: SocketAddr, listener: &TcpListener) {
    let mut times: Vec<Duration> = ground.inside(|| {
        (0..3_000)
            .map(|_| {
                let start = Instant::now();
                let stream = TcpStream::connect(destination).unwrap();
                let time = start.elapsed();
                drop(listener.accept().unwrap());
                drop(stream);
                time
            })
            .collect()
    });
    times.sort_unstable();
    println!(
        "connect {what}: p50 {:?} p99 {:?}",
        times[1_500], times[2_970]
    );
}

fn measure_audits(what: &str, slots: &mut Map) {
    fill(slots, 100_000);
    took("dump 100k", || slots.dump().unwrap());
    for _ in 0..5 {
        let is_same = took(what, || {
            let mut audit = Audit::start(slots).unwrap();
            loop {
                if let Some(is_same) = audit.step(slots).unwrap() {
                    return is_same;
                }
            }
        });
        assert!(is_same);
    }
}

#[test]
#[ignore = "prints figures, judges nothing"]
fn measures() {
    on_ground("measures", |ground| {
        let mut object = took("load the first time", || {
            load_with(&ground.pins, true, &[]).unwrap()
        });
        took("attach 8", || {
            attach_all(&mut object, &ground.cgroup, &ground.pins)
        });
        let mut again = took("load again", || load_with(&ground.pins, true, &[]).unwrap());
        took("adopt 8", || {
            attach_all(&mut again, &ground.cgroup, &ground.pins)
        });

        let listener = TcpListener::bind("127.0.0.5:0").unwrap();
        let backend = listener.local_addr().unwrap();
        let vip: SocketAddr = "11.0.0.1:80".parse().unwrap();
        let mut services = Services::of(&object);
        let mut slots = object.map("slots").unwrap().try_clone().unwrap();
        measure_audits("audit 100k of 1M", &mut slots);
        let small_pins = ground.pins.with_file_name("small");
        let small = load_with(&small_pins, true, &[("slots", 131_072)]).unwrap();
        let mut small_slots = small.map("slots").unwrap().try_clone().unwrap();
        measure_audits("audit 100k of 128K", &mut small_slots);
        let value = [2; 20];
        took("1000 single updates", || {
            for slot in 0..1_000_u32 {
                let key = [1_u32.to_ne_bytes(), slot.to_ne_bytes()].concat();
                slots.update(&key, &value).unwrap();
            }
        });
        services.write(vip, TCP, &[(backend, 1)], &Written::default());
        for _ in 0..3 {
            median_of(ground, "direct, attached", backend, &listener);
            median_of(ground, "VIP", vip, &listener);
        }
        for program in super::ground::PROGRAMS {
            std::fs::remove_file(super::ground::link_pin(&ground.pins, program)).unwrap();
        }
        median_of(ground, "direct, detached", backend, &listener);
    });
}
