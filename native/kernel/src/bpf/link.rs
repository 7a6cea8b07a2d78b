//! A program attached to a control group, pinned so that it stays attached without us.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::map::Map;
use super::object::{Object, beside};
use super::sys::{self, LinkFacts, MapFacts, Plain, ProgramFacts};
use super::{BpfError, errno_of, in_words, pin};
use crate::errno::Errno;

/// `enum bpf_link_type`, `BPF_LINK_TYPE_CGROUP`.
const CGROUP_LINK: u32 = 3;

/// A pinned link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// False when its control group is gone.
    pub is_attached: bool,
    /// The kernel's number of the program.
    pub program_id: u32,
    /// The kernel's hash of the program's instructions, e.g. `38500f31334862b2`.
    pub tag: String,
    /// The inode number of the control group's directory.
    pub cgroup_id: u64,
}

/// What [`Object::attach_cgroup`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The same program was attached there already; nothing was changed.
    pub is_adopted: bool,
    /// The kernel's number of the program that is attached now.
    pub program_id: u32,
    /// The kernel's hash of its instructions.
    pub tag: String,
}

/// Reads a pinned link; nothing when there is none.
///
/// # Errors
/// [`BpfError::Pin`], [`BpfError::PinKind`] or [`BpfError::Facts`].
pub fn link_state(path: &Path) -> Result<Option<LinkState>, BpfError> {
    let fd = match pin::open(path, "link") {
        Ok(fd) => fd,
        Err(BpfError::PinMissing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let link = sys::facts(fd.as_fd(), LinkFacts::zeroed()).map_err(failure("reading a link"))?;
    if link.link_type != CGROUP_LINK {
        return Err(BpfError::PinKind {
            path: path.to_owned(),
            wanted: "link to a control group",
        });
    }
    let program = sys::open_program(link.program_identifier);
    let program = program.map_err(failure("opening the program of a link"))?;
    Ok(Some(LinkState {
        is_attached: link.cgroup_identifier != 0,
        program_id: link.program_identifier,
        tag: tag_of(program.as_fd())?.1,
        cgroup_id: link.cgroup_identifier,
    }))
}

fn failure(operation: &'static str) -> impl Fn(Errno) -> BpfError {
    move |source| BpfError::Facts { operation, source }
}

fn tag_of(program: BorrowedFd<'_>) -> Result<(u32, String), BpfError> {
    let facts =
        sys::facts(program, ProgramFacts::zeroed()).map_err(failure("reading a program"))?;
    Ok((
        facts.identifier,
        format!("{:016x}", u64::from_be_bytes(facts.tag)),
    ))
}

impl Object {
    /// Attaches a program to a control group (a directory of the cgroup2 file system) and pins the
    /// link. When the link pinned there runs the same program on the same maps, with the same
    /// constants, for the same control group, it is adopted. When it runs another one for the same
    /// group, the kernel exchanges the two in one step. Otherwise the new program is attached, then
    /// its pin takes the place of the old one: never is there none.
    ///
    /// # Errors
    /// [`BpfError::Unknown`], [`BpfError::Attach`], [`BpfError::Pin`] or [`BpfError::Facts`]. What
    /// was attached before still is.
    pub fn attach_cgroup(
        &mut self,
        program: &str,
        cgroup: &Path,
        link_pin: &Path,
    ) -> Result<Attachment, BpfError> {
        if let Some(parent) = link_pin.parent() {
            pin::prepare_directory(parent)?;
        }
        remove_leftover(&beside(link_pin))?;
        let fd = self.duplicate_program(program)?;
        let (program_id, tag) = tag_of(fd.as_fd())?;
        let attachment = Attachment {
            is_adopted: false,
            program_id,
            tag,
        };
        let Some(state) = state_for(link_pin, program, cgroup)? else {
            self.attach_beside(program, cgroup, link_pin)?;
            return Ok(attachment);
        };
        if state.tag == attachment.tag && is_same_environment(fd.as_fd(), state.program_id)? {
            return Ok(Attachment {
                is_adopted: true,
                program_id: state.program_id,
                tag: state.tag,
            });
        }
        let link = pin::open(link_pin, "link")?;
        sys::update_link(link.as_fd(), fd.as_fd()).map_err(|errno| {
            attach_failure(program, cgroup, &std::io::Error::from_raw_os_error(errno.0))
        })?;
        Ok(attachment)
    }

    /// Whether the link pinned there runs this very program on the same maps, with the same
    /// constants, for this control group: [`Object::attach_cgroup`] would adopt it.
    ///
    /// # Errors
    /// [`BpfError::Unknown`], [`BpfError::Attach`], [`BpfError::Pin`] or [`BpfError::Facts`].
    pub fn is_attached(
        &mut self,
        program: &str,
        cgroup: &Path,
        link_pin: &Path,
    ) -> Result<bool, BpfError> {
        let fd = self.duplicate_program(program)?;
        let (_, tag) = tag_of(fd.as_fd())?;
        match state_for(link_pin, program, cgroup)? {
            Some(state) if state.tag == tag => is_same_environment(fd.as_fd(), state.program_id),
            _ => Ok(false),
        }
    }

    fn duplicate_program(&mut self, program: &str) -> Result<std::os::fd::OwnedFd, BpfError> {
        self.program_fd(program)?
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| failure("duplicating a descriptor")(errno_of(&error)))
    }

    fn attach_beside(
        &mut self,
        program: &str,
        cgroup: &Path,
        link_pin: &Path,
    ) -> Result<(), BpfError> {
        let directory =
            File::open(cgroup).map_err(|error| attach_failure(program, cgroup, &error))?;
        let link = self
            .attach(program, directory)
            .map_err(|error| attach_failure(program, cgroup, &error))?;
        let temporary = beside(link_pin);
        let pinned = link
            .pin(&temporary)
            .map_err(|error| pin::failure("pin", &temporary, errno_of(&error)))?;
        let renamed = fs::rename(&temporary, link_pin);
        renamed.map_err(|error| pin::failure("rename", link_pin, errno_of(&error)))?;
        drop(pinned);
        Ok(())
    }
}

/// A pinned link that is attached to this control group.
fn state_for(link_pin: &Path, program: &str, cgroup: &Path) -> Result<Option<LinkState>, BpfError> {
    let directory =
        fs::metadata(cgroup).map_err(|error| attach_failure(program, cgroup, &error))?;
    let state = link_state(link_pin)?;
    Ok(state.filter(|state| state.is_attached && state.cgroup_id == directory.ino()))
}

/// From a process that ended between pinning a link and renaming it.
fn remove_leftover(path: &Path) -> Result<(), BpfError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(pin::failure("unlink", path, errno_of(&error)))
        }
        _ => Ok(()),
    }
}

fn attach_failure(
    program: &str,
    cgroup: &Path,
    error: &(dyn std::error::Error + 'static),
) -> BpfError {
    BpfError::Attach {
        program: program.to_owned(),
        cgroup: cgroup.to_owned(),
        reason: in_words(error),
        source: errno_of(error),
    }
}

/// The tag covers instructions only. The maps must be the same ones too; only those that are
/// constants, made anew by every load, may be others with the same content.
fn is_same_environment(ours: BorrowedFd<'_>, other: u32) -> Result<bool, BpfError> {
    let other = sys::open_program(other).map_err(failure("opening the program of a link"))?;
    let maps_of = |program| -> Result<BTreeSet<u32>, BpfError> {
        let maps = sys::program_maps(program).map_err(failure("reading a program's maps"))?;
        Ok(maps.into_iter().collect())
    };
    let (ours, theirs) = (maps_of(ours)?, maps_of(other.as_fd())?);
    let constants = |maps: Vec<u32>| -> Result<Vec<Option<Vec<u8>>>, BpfError> {
        maps.into_iter().map(constants_in).collect()
    };
    let only_ours = constants(ours.difference(&theirs).copied().collect())?;
    let only_theirs = constants(theirs.difference(&ours).copied().collect())?;
    Ok(only_ours == only_theirs && only_ours.iter().all(Option::is_some))
}

/// The content of a map that programs can only read; nothing for any other.
fn constants_in(identifier: u32) -> Result<Option<Vec<u8>>, BpfError> {
    const READ_ONLY_FOR_PROGRAMS: u32 = 1 << 7;
    let opening = failure("opening a map of a program");
    let fd = sys::open_map(identifier).map_err(&opening)?;
    let facts = sys::facts(fd.as_fd(), MapFacts::zeroed()).map_err(opening)?;
    if facts.flags & READ_ONLY_FOR_PROGRAMS == 0 {
        return Ok(None);
    }
    Ok(Some(Map::of(fd, identifier.to_string())?.dump()?.values))
}
