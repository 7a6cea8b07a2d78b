//! Where a test stands: everything it makes is its own and is gone afterwards.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use navstar_kernel::bpf::feature::cgroup_mount;
use navstar_kernel::bpf::object::{LoadOptions, Object};
use navstar_kernel::sys;

/// The process joins control groups as a whole, so tests run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

pub const PROGRAMS: [&str; 9] = [
    "connect4",
    "connect6",
    "sendmsg4",
    "sendmsg6",
    "recvmsg4",
    "recvmsg6",
    "getpeername4",
    "getpeername6",
    "sock_ops",
];

pub struct Ground {
    pub cgroup: PathBuf,
    pub pins: PathBuf,
    home: PathBuf,
    mount: PathBuf,
}

/// Runs `body` on a thread of its own in a fresh network namespace whose loopback is up.
pub fn on_ground(test: &str, body: impl FnOnce(&Ground) + Send) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(cgroups) = cgroup_mount().filter(|_| sys::is_root()) else {
        println!("SKIPPED {test}: needs root and cgroup2");
        return;
    };
    clear_crashed_runs(&cgroups);
    let before = open_descriptors();
    let ground = Ground::new(&cgroups);
    let outcome = in_fresh_network(|| body(&ground));
    let left = [ground.cgroup.clone(), ground.mount.clone()];
    drop(ground);
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    assert_eq!(open_descriptors(), before, "{test} left descriptors open");
    for path in left {
        assert!(!path.exists(), "{test} left {} behind", path.display());
    }
}

/// Runs `body` on a new thread in a new network namespace.
pub fn in_fresh_network<T: Send>(body: impl FnOnce() -> T + Send) -> std::thread::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            sys::unshare_network().expect("unshare");
            run("ip", &["link", "set", "lo", "up"]);
            body()
        });
        thread.join()
    })
}

pub fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .expect(program);
    assert!(status.success(), "{program} {arguments:?}");
}

impl Ground {
    fn new(cgroups: &Path) -> Self {
        let name = format!("nsv-test-{}", std::process::id());
        let mount = PathBuf::from(format!("/tmp/{name}"));
        let cgroup = cgroups.join(&name);
        fs::create_dir(&mount).expect("mount point");
        run("mount", &["-t", "bpf", "bpf", mount.to_str().unwrap()]);
        fs::create_dir(&cgroup).expect("control group");
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own
            .lines()
            .find_map(|line| line.strip_prefix("0::/"))
            .unwrap();
        Self {
            cgroup,
            pins: mount.join("pins"),
            home: cgroups.join(own),
            mount,
        }
    }

    /// Sockets that `open` opens belong to the test's control group for good.
    pub fn inside<T>(&self, open: impl FnOnce() -> T) -> T {
        join(&self.cgroup);
        let opened = open();
        join(&self.home);
        opened
    }

    pub fn load(&self, has_set_retval: bool) -> Object {
        load_with(&self.pins, has_set_retval, &[]).expect("load")
    }

    pub fn attach(&self, object: &mut Object) {
        attach_all(object, &self.cgroup, &self.pins);
    }
}

/// Loads the balancer with small maps.
pub fn load_with(
    pins: &Path,
    has_set_retval: bool,
    sizes: &[(&str, u32)],
) -> Result<Object, navstar_kernel::bpf::BpfError> {
    let constants = HashMap::from([("has_set_retval".to_owned(), u64::from(has_set_retval))]);
    let max_entries = sizes
        .iter()
        .map(|(name, size)| ((*name).to_owned(), *size))
        .collect();
    Object::load(&LoadOptions {
        name: "l4lb",
        bytes: navstar_bpf::object("l4lb").unwrap(),
        pin_directory: pins,
        constants: &constants,
        max_entries: &max_entries,
        left_out: &[],
        is_attach_only: false,
    })
}

pub fn link_pin(pins: &Path, program: &str) -> PathBuf {
    pins.join(format!("link_{program}"))
}

/// Attaches every program; tells how many were adopted.
pub fn attach_all(object: &mut Object, cgroup: &Path, pins: &Path) -> usize {
    let attached = PROGRAMS.map(|program| {
        object
            .attach_cgroup(program, cgroup, &link_pin(pins, program))
            .expect(program)
    });
    attached
        .iter()
        .filter(|attachment| attachment.is_adopted)
        .count()
}

fn join(cgroup: &Path) {
    fs::write(cgroup.join("cgroup.procs"), std::process::id().to_string()).expect("join");
}

impl Drop for Ground {
    fn drop(&mut self) {
        join(&self.home);
        run("umount", &[self.mount.to_str().unwrap()]);
        drop(fs::remove_dir(&self.mount));
        drop(fs::remove_dir(&self.cgroup));
    }
}

/// Removes what runs of this test left that were killed.
fn clear_crashed_runs(cgroups: &Path) {
    for parent in [cgroups, Path::new("/tmp")] {
        for entry in fs::read_dir(parent).unwrap().filter_map(Result::ok) {
            let name = entry.file_name().display().to_string();
            let Some(pid) = name.strip_prefix("nsv-test-") else {
                continue;
            };
            if Path::new("/proc").join(pid).exists() {
                continue;
            }
            let is_mounted = entry.metadata().unwrap().dev() != fs::metadata(parent).unwrap().dev();
            if is_mounted && parent != cgroups {
                run("umount", &[entry.path().to_str().unwrap()]);
            }
            drop(fs::remove_dir(entry.path()));
        }
    }
}

pub fn open_descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let mut targets: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    targets.sort();
    targets
}
