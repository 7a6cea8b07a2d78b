//! What this kernel can do, found out by trying.

use std::fs;
use std::path::{Path, PathBuf};

use super::sys::{self, MapRequest, ProgramKind};
use crate::errno::Errno;

/// One thing that a kernel has or lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// E.g. `cgroup/connect4`, `bpf_set_retval`.
    pub name: &'static str,
    /// Whether trying it worked.
    pub is_supported: bool,
    /// What the kernel answered, when it was asked and refused.
    pub errno: Option<Errno>,
    /// For people, e.g. where something is mounted.
    pub detail: Option<String>,
}

/// `enum bpf_attach_type`.
const ATTACH_TYPES: [(&str, u32); 8] = [
    ("cgroup/connect4", 10),
    ("cgroup/connect6", CONNECT6),
    ("cgroup/sendmsg4", 14),
    ("cgroup/sendmsg6", SENDMSG6),
    ("cgroup/recvmsg4", 19),
    ("cgroup/recvmsg6", 20),
    ("cgroup/getpeername4", 29),
    ("cgroup/getpeername6", 30),
];
const CONNECT6: u32 = 11;
const SENDMSG6: u32 = 15;

/// `r0 = 1`, `exit`: lets every call pass.
const PROCEED: [u64; 2] = [0x0000_0001_0000_00b7, 0x95];
/// `r1 = -ECONNREFUSED`, `call bpf_set_retval`, `r0 = 0`, `exit`.
const REFUSE: [u64; 4] = [
    0xffff_ff91_0000_01b7,
    0x0000_00bb_0000_0085,
    0x0000_0000_0000_00b7,
    0x95,
];

/// `call helper` with the context, `r0 = 1`, `exit`.
const fn calling(helper: u64) -> [u64; 3] {
    [0x85 | helper << 32, PROCEED[0], PROCEED[1]]
}
const GET_CURRENT_CGROUP_ID: u64 = 80;
const GET_NETNS_COOKIE: u64 = 122;
/// `enum bpf_attach_type`, `BPF_CGROUP_SOCK_OPS`.
const SOCK_OPS: u32 = 3;

/// Tries everything that loading, attaching and filling maps needs. Leaves nothing behind.
#[must_use]
pub fn features() -> Vec<Feature> {
    let of_address = |instructions: &[u64], attach_type| {
        sys::load_probe(ProgramKind::CgroupSockAddr, instructions, attach_type).map(drop)
    };
    let mut features: Vec<Feature> = ATTACH_TYPES
        .iter()
        .map(|(name, attach_type)| of_outcome(name, of_address(&PROCEED, *attach_type)))
        .collect();
    let sock_ops = sys::load_probe(ProgramKind::SockOps, &PROCEED, SOCK_OPS);
    features.push(of_outcome("cgroup/sock_ops", sock_ops.map(drop)));
    for (name, instructions) in [
        ("bpf_set_retval", REFUSE.as_slice()),
        ("bpf_get_netns_cookie", &calling(GET_NETNS_COOKIE)),
        ("bpf_get_current_cgroup_id", &calling(GET_CURRENT_CGROUP_ID)),
    ] {
        let outcome = [CONNECT6, SENDMSG6]
            .into_iter()
            .try_for_each(|attach_type| of_address(instructions, attach_type));
        features.push(of_outcome(name, outcome));
    }
    features.push(of_outcome("cgroup_link", cgroup_links()));
    features.push(of_outcome("map_batch", map_batches()));
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mounts = String::from_utf8_lossy(&mounts);
    features.push(of_mount("bpf_file_system", mount_of(&mounts, "bpf")));
    features.push(of_mount("cgroup2", mount_of(&mounts, "cgroup2")));
    features.push(jit());
    features.push(of_mount("kernel_btf", existing("/sys/kernel/btf/vmlinux")));
    features
}

fn of_outcome(name: &'static str, outcome: Result<(), Errno>) -> Feature {
    Feature {
        name,
        is_supported: outcome.is_ok(),
        errno: outcome.err(),
        detail: None,
    }
}

fn of_mount(name: &'static str, path: Option<PathBuf>) -> Feature {
    Feature {
        name,
        is_supported: path.is_some(),
        errno: None,
        detail: path.map(|path| path.display().to_string()),
    }
}

fn existing(path: &str) -> Option<PathBuf> {
    Path::new(path).exists().then(|| PathBuf::from(path))
}

/// 5.7. Without valid descriptors a kernel that knows them says so.
fn cgroup_links() -> Result<(), Errno> {
    match sys::link_probe(CONNECT6) {
        Errno(0 | libc::EBADF) => Ok(()),
        errno => Err(errno),
    }
}

/// 5.6.
fn map_batches() -> Result<(), Errno> {
    const HASH: u32 = 1;
    const NO_PREALLOCATION: u32 = 1;
    let fd = sys::create_map(MapRequest {
        map_type: HASH,
        key_size: 4,
        value_size: 4,
        max_entries: 2,
        flags: NO_PREALLOCATION,
    })?;
    let map = sys::MapFd::new(fd)?;
    map.update_batch(&[0; 4], &[0; 4])
        .map_err(|(_, errno)| errno)
}

fn jit() -> Feature {
    let setting = fs::read_to_string("/proc/sys/net/core/bpf_jit_enable").ok();
    let setting = setting.map(|text| text.trim().to_owned());
    Feature {
        name: "jit",
        is_supported: setting.as_deref().is_some_and(|setting| setting != "0"),
        errno: None,
        detail: setting.map(|setting| format!("net.core.bpf_jit_enable = {setting}")),
    }
}

/// The first mount point of a file system type.
///
/// **Source:** `proc_pid_mountinfo(5)`: `… mount point … - type source options`
fn mount_of(mountinfo: &str, kind: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        if source.split(' ').next()? != kind {
            return None;
        }
        mount.split(' ').nth(4).map(PathBuf::from)
    })
}

/// The first mount point of the cgroup2 file system, e.g. `/sys/fs/cgroup`.
#[must_use]
pub fn cgroup_mount() -> Option<PathBuf> {
    mount_of(&fs::read_to_string("/proc/self/mountinfo").ok()?, "cgroup2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_type() {
        let mountinfo = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
            42 31 0:39 / /sys/fs/bpf rw shared:9 - bpf none rw\n";
        assert_eq!(
            mount_of(mountinfo, "cgroup2"),
            Some(PathBuf::from("/sys/fs/cgroup/unified"))
        );
        assert_eq!(
            mount_of(mountinfo, "bpf"),
            Some(PathBuf::from("/sys/fs/bpf"))
        );
        assert_eq!(mount_of(mountinfo, "nfs"), None);
    }
}
