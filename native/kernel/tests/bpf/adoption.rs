//! Restart, upgrade and others on the same control group.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use navstar_kernel::bpf::BpfError;
use navstar_kernel::bpf::link::link_state;
use navstar_kernel::bpf::map::Map;
use navstar_kernel::bpf::object::{LoadOptions, Object};

use super::ground::{Ground, PROGRAMS, attach_all, link_pin, load_with, on_ground};
use super::service::{Services, TCP, Written};

fn program_ids(pins: &Path) -> Vec<u32> {
    PROGRAMS
        .iter()
        .map(|program| {
            link_state(&link_pin(pins, program))
                .unwrap()
                .unwrap()
                .program_id
        })
        .collect()
}

/// Loads and attaches what standard input names, then waits to be killed.
#[test]
#[ignore = "a process that another test starts"]
fn loads_and_waits() {
    let mut lines = std::io::stdin().lines().map_while(Result::ok);
    let (Some(pins), Some(cgroup)) = (lines.next(), lines.next()) else {
        return;
    };
    let pins = PathBuf::from(pins);
    let mut object = load_with(&pins, true, &[]).unwrap();
    assert_eq!(attach_all(&mut object, Path::new(&cgroup), &pins), 0);
    println!("attached");
    assert_eq!(lines.next(), None);
}

/// Runs [`loads_and_waits`] in a process of its own and kills it when it is done.
fn load_in_killed_process(ground: &Ground) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "adoption::loads_and_waits",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(
        input,
        "{}\n{}",
        ground.pins.display(),
        ground.cgroup.display()
    )
    .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let is_attached = output
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("attached"));
    assert!(is_attached);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_data_path_outlives_its_loader_and_is_adopted() {
    on_ground(
        "the_data_path_outlives_its_loader_and_is_adopted",
        |ground| {
            load_in_killed_process(ground);
            let before = program_ids(&ground.pins);
            let vip: SocketAddr = "11.0.0.1:80".parse().unwrap();
            let listener = TcpListener::bind("127.0.0.5:0").unwrap();

            let mut object = ground.load(true);
            let backend = (listener.local_addr().unwrap(), 1);
            Services::of(&object).write(vip, TCP, &[backend], &Written::default());
            ground
                .inside(|| TcpStream::connect(vip))
                .expect("before adoption");
            assert_eq!(
                attach_all(&mut object, &ground.cgroup, &ground.pins),
                PROGRAMS.len()
            );
            assert_eq!(program_ids(&ground.pins), before);
            drop(object);
            ground
                .inside(|| TcpStream::connect(vip))
                .expect("after the last descriptor");
        },
    );
}

#[test]
fn programs_with_other_constants_or_maps_are_replaced() {
    on_ground(
        "programs_with_other_constants_or_maps_are_replaced",
        |ground| {
            let mut object = ground.load(true);
            assert_eq!(attach_all(&mut object, &ground.cgroup, &ground.pins), 0);
            let first = program_ids(&ground.pins);

            let mut other = ground.load(false);
            // What another process left between pin and rename is cleared away.
            let leftover = ground.pins.join("link_connect4-new");
            let outcome = other.attach_cgroup("connect4", &ground.cgroup, &leftover);
            assert!(!outcome.unwrap().is_adopted);
            // Only the programs that can refuse have the constant; the others are the same.
            assert_eq!(attach_all(&mut other, &ground.cgroup, &ground.pins), 5);
            let second = program_ids(&ground.pins);
            assert!(!leftover.exists());
            assert_eq!(first[4..], second[4..]);
            assert!(first[..4].iter().zip(&second[..4]).all(|(a, b)| a != b));

            // A map that was removed and made anew: the old programs would not see its entries.
            std::fs::remove_file(ground.pins.join("origins")).unwrap();
            let mut third = ground.load(false);
            assert_eq!(attach_all(&mut third, &ground.cgroup, &ground.pins), 0);
        },
    );
}

#[test]
fn foreign_programs_on_the_same_group_stay() {
    on_ground("foreign_programs_on_the_same_group_stay", |ground| {
        let foreign_pins = ground.pins.with_file_name("foreign");
        let mut foreign = load_with(&foreign_pins, false, &[]).unwrap();
        attach_all(&mut foreign, &ground.cgroup, &foreign_pins);
        let before = program_ids(&foreign_pins);
        for has_set_retval in [true, false] {
            let mut object = ground.load(has_set_retval);
            attach_all(&mut object, &ground.cgroup, &ground.pins);
        }
        for program in PROGRAMS {
            std::fs::remove_file(link_pin(&ground.pins, program)).unwrap();
        }
        assert_eq!(program_ids(&foreign_pins), before);
        let state = link_state(&link_pin(&foreign_pins, "connect4"))
            .unwrap()
            .unwrap();
        assert!(state.is_attached);
    });
}

#[test]
fn a_pinned_map_of_another_size_is_an_error() {
    on_ground("a_pinned_map_of_another_size_is_an_error", |ground| {
        drop(load_with(&ground.pins, true, &[("vips", 16)]).unwrap());
        let error = load_with(&ground.pins, true, &[]).unwrap_err();
        assert_eq!(
            error,
            BpfError::PinMismatch {
                path: ground.pins.join("vips"),
                field: "max_entries",
                pinned: 16,
                wanted: 65_536
            }
        );
        let vips = Map::open_pinned(&ground.pins.join("vips")).unwrap();
        assert_eq!(vips.shape().max_entries, 16);
    });
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    on_ground("what_is_missing_or_wrong_is_named", |ground| {
        let none = std::collections::HashMap::new();
        let unknown = std::collections::HashMap::from([("no_such_name".to_owned(), 1)]);
        let options = LoadOptions {
            name: "l4lb",
            bytes: navstar_bpf::object("l4lb").unwrap(),
            pin_directory: &ground.pins,
            constants: &none,
            max_entries: &std::collections::HashMap::new(),
            left_out: &[],
            is_attach_only: true,
        };
        let code = |options: LoadOptions<'_>| Object::load(&options).unwrap_err().code();
        assert_eq!(code(options), "BPF_PIN_MISSING");
        assert_eq!(
            code(LoadOptions {
                constants: &unknown,
                ..options
            }),
            "BPF_UNKNOWN"
        );
        assert_eq!(
            code(LoadOptions {
                bytes: &[0; 64],
                ..options
            }),
            "BPF_OBJECT"
        );
        let elsewhere = Path::new("/tmp");
        let options = LoadOptions {
            is_attach_only: false,
            ..options
        };
        let outside = LoadOptions {
            pin_directory: elsewhere,
            ..options
        };
        assert_eq!(code(outside), "BPF_NOT_BPF_FILE_SYSTEM");

        let mut object = Object::load(&options).unwrap();
        let pin = ground.pins.join("link");
        let mut attach = |program, cgroup: &Path| {
            object
                .attach_cgroup(program, cgroup, &pin)
                .unwrap_err()
                .code()
        };
        assert_eq!(attach("connect5", &ground.cgroup), "BPF_UNKNOWN");
        assert_eq!(
            attach("connect4", Path::new("/no/such/group")),
            "BPF_ATTACH"
        );
        assert_eq!(attach("connect4", elsewhere), "BPF_ATTACH");
        assert_eq!(link_state(&pin), Ok(None));
        let not_a_link = link_state(&ground.pins.join("vips")).unwrap_err();
        assert_eq!(not_a_link.code(), "BPF_PIN_KIND");
    });
}

#[test]
fn a_link_whose_group_is_gone_is_not_attached() {
    on_ground("a_link_whose_group_is_gone_is_not_attached", |ground| {
        let child = ground.cgroup.join("child");
        std::fs::create_dir(&child).unwrap();
        let mut object = ground.load(true);
        let pin = ground.pins.join("link_child");
        let attachment = object.attach_cgroup("connect4", &child, &pin).unwrap();
        let state = link_state(&pin).unwrap().unwrap();
        assert!(state.is_attached);
        assert_eq!(state.program_id, attachment.program_id);
        assert_eq!(state.tag, attachment.tag);
        std::fs::remove_dir(&child).unwrap();
        // The kernel detaches when the last reference is gone, a little later.
        let is_detached = (0..5_000).any(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
            !link_state(&pin).unwrap().unwrap().is_attached
        });
        assert!(is_detached);
    });
}
