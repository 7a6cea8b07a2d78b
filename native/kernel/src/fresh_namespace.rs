//! For the tests of this crate: a network namespace that ends with its thread.

use std::sync::{Mutex, PoisonError};

use crate::sys;

/// Kernel tests run one after the other, so that counting descriptors means something.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs `body` on a thread of its own in a new network namespace and checks that no file
/// descriptor was left open. Threads started by `body` inherit the namespace.
pub fn in_fresh_namespace(test: &str, body: impl FnOnce() + Send) {
    if !sys::is_root() {
        println!("SKIPPED {test}: needs root");
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = open_descriptors();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            sys::unshare_network().expect("unshare");
            body();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
    assert_eq!(
        open_descriptors(),
        before,
        "{test} left file descriptors open"
    );
}

fn open_descriptors() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("/proc/self/fd");
    let mut targets: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|target| target.display().to_string())
        .filter(|target| {
            target.starts_with("socket:") || target.contains("eventfd") || target.contains("net:")
        })
        .collect();
    targets.sort();
    targets
}
