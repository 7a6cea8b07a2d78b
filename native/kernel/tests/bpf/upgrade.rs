//! Another version of the programs, with maps of another layout, takes over under load.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use navstar_kernel::bpf::link::link_state;
use navstar_kernel::bpf::object::{LoadOptions, Object};

use super::ground::{PROGRAMS, attach_all, link_pin, on_ground};
use super::service::{Services, TCP, Written};

const CONNECTS: usize = 2_000;

/// The programs with a larger value in `vips`, compiled for this test.
fn other_version() -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bpf/src/l4lb.bpf.c");
    let output = PathBuf::from(format!("/tmp/nsv-other-{}.o", std::process::id()));
    let status = Command::new("clang")
        .args(["-O2", "-g", "-mcpu=v3", "-target", "bpf", "-DOTHER_LAYOUT"])
        .arg(format!(
            "-I/usr/include/{}-linux-gnu",
            std::env::consts::ARCH
        ))
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(&output)
        .status()
        .expect("clang");
    assert!(status.success());
    let bytes = std::fs::read(&output).unwrap();
    std::fs::remove_file(&output).unwrap();
    bytes
}

fn load(bytes: &[u8], pins: &Path) -> Object {
    let constants = HashMap::from([("has_set_retval".to_owned(), 1)]);
    Object::load(&LoadOptions {
        name: "l4lb",
        bytes,
        pin_directory: pins,
        constants: &constants,
        max_entries: &HashMap::new(),
        left_out: &[],
        is_attach_only: false,
    })
    .expect("load")
}

/// Answers each connection with a byte, the last one after the end too.
fn serve(listener: &TcpListener, is_over: &AtomicBool) {
    for stream in listener.incoming() {
        drop(stream.unwrap().write_all(b"x"));
        if is_over.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[test]
fn another_layout_takes_over_and_no_connection_fails() {
    on_ground(
        "another_layout_takes_over_and_no_connection_fails",
        |ground| {
            let (old_pins, pins) = (ground.pins.join("old"), ground.pins.join("new"));
            let vip: SocketAddr = "11.0.0.1:80".parse().unwrap();
            let listener = TcpListener::bind("127.0.0.5:0").unwrap();
            let backend = (listener.local_addr().unwrap(), 1);

            let mut old = load(&other_version(), &old_pins);
            let mut services = Services::of(&old);
            services.tail = vec![0; 8];
            services.write(vip, TCP, &[backend], &Written::default());
            attach_all(&mut old, &ground.cgroup, &old_pins);
            drop((old, services));

            let (connects, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
            ground.inside(|| {
                std::thread::scope(|scope| {
                    scope.spawn(|| serve(&listener, &is_over));
                    let client = scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            let mut stream =
                                TcpStream::connect(vip).expect("connect in an upgrade");
                            stream.read_exact(&mut [0]).expect("the server answers");
                            connects.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    let pass = || {
                        let wanted = connects.load(Ordering::Relaxed) + CONNECTS;
                        while connects.load(Ordering::Relaxed) < wanted && !client.is_finished() {
                            std::thread::yield_now();
                        }
                    };
                    pass();
                    let mut object = load(navstar_bpf::object("l4lb").unwrap(), &pins);
                    Services::of(&object).write(vip, TCP, &[backend], &Written::default());
                    pass();
                    for program in PROGRAMS {
                        std::fs::rename(link_pin(&old_pins, program), link_pin(&pins, program))
                            .unwrap();
                    }
                    assert_eq!(attach_all(&mut object, &ground.cgroup, &pins), 0);
                    pass();
                    std::fs::remove_dir_all(&old_pins).unwrap();
                    pass();
                    is_over.store(true, Ordering::Relaxed);
                    client.join().unwrap();
                    drop(TcpStream::connect(backend.0));
                    assert_eq!(
                        attach_all(&mut object, &ground.cgroup, &pins),
                        PROGRAMS.len()
                    );
                    for program in PROGRAMS {
                        let state = link_state(&link_pin(&pins, program)).unwrap().unwrap();
                        assert!(state.is_attached);
                    }
                });
            });
            println!("{} connects", connects.load(Ordering::Relaxed));
        },
    );
}
