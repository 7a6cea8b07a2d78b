//! Settings of a network namespace, as files below `/proc/sys/net`.
//!
//! The kernel shows the settings of the namespace that the calling thread is in, so these functions
//! run on a namespace's own thread.
//!
//! **Source:** `net/sysctl_net.c`

use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use thiserror::Error;

use crate::errno::Errno;

/// Why a setting was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SysctlError {
    /// A name that is no path below `/proc/sys/net`.
    #[error("{name} is no setting of the network")]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The kernel refused.
    #[error("{operation} of net/{name} failed")]
    System {
        /// `read` or `write`.
        operation: &'static str,
        /// E.g. `ipv4/vs/conntrack`.
        name: String,
        /// Why.
        #[source]
        source: Errno,
    },
}

/// The text of a setting without its line's end, e.g. `1` of `ipv4/vs/conntrack`; `None` when this
/// kernel has no such setting.
///
/// # Errors
/// [`SysctlError`].
pub fn read(name: &str) -> Result<Option<String>, SysctlError> {
    match std::fs::read_to_string(path_of(name)?) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure("read", name, &error)),
    }
}

/// Sets a setting.
///
/// # Errors
/// [`SysctlError`].
pub fn write(name: &str, value: &str) -> Result<(), SysctlError> {
    std::fs::write(path_of(name)?, value).map_err(|error| failure("write", name, &error))
}

fn path_of(name: &str) -> Result<PathBuf, SysctlError> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if name.split('/').all(is_plain) && !name.contains('\0') {
        return Ok(PathBuf::from("/proc/sys/net").join(name));
    }
    Err(SysctlError::Name {
        name: name.to_owned(),
    })
}

fn failure(operation: &'static str, name: &str, error: &Error) -> SysctlError {
    SysctlError::System {
        operation,
        name: name.to_owned(),
        source: Errno(error.raw_os_error().unwrap_or(libc::EIO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh_namespace::in_fresh_namespace;
    use crate::namespace::Namespace;

    #[test]
    fn reads_and_writes_the_settings_of_its_own_namespace() {
        in_fresh_namespace("reads_and_writes_the_settings", || {
            let name = "ipv4/ip_default_ttl";
            write(name, "77").expect("write");
            assert_eq!(read(name), Ok(Some("77".to_owned())));
            let inherited = Namespace::open(None).expect("open");
            assert!(
                inherited
                    .post(move |_| assert_eq!(read(name), Ok(Some("77".to_owned()))))
                    .is_ok()
            );
            inherited.close();
        });
    }

    #[test]
    fn says_that_there_is_no_such_setting() {
        assert_eq!(read("ipv4/no-such-setting"), Ok(None));
        assert!(matches!(
            write("ipv4/no-such-setting", "1"),
            Err(SysctlError::System {
                operation: "write",
                ..
            })
        ));
    }

    #[test]
    fn refuses_to_leave_its_folder() {
        for name in ["../kernel/panic", "/etc/passwd", "ipv4//x", ""] {
            assert!(
                matches!(read(name), Err(SysctlError::Name { .. })),
                "{name}"
            );
        }
    }
}
