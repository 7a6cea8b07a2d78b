//! Loading an object: its maps are pinned by name and reused, its programs are always loaded anew,
//! since only the kernel can tell whether those that are attached are the same.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use aya::maps::MapError;
use aya::programs::links::{FdLink, LinkError};
use aya::programs::{CgroupAttachMode, Program, ProgramError, ProgramFd};
use aya::util::KernelVersion;
use aya::{Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use aya_obj::maps::PinningType;
use aya_obj::{ParseError, obj};

use super::map::Map;
use super::pin::{self, WantedMap};
use super::{BpfError, errno_of, in_words, sys};

/// Lines of the verifier's log that are worth showing.
const LOG_LINES: usize = 12;

/// How an object is loaded.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions<'a> {
    /// For messages, e.g. `l4lb`.
    pub name: &'a str,
    /// The ELF file, aligned to 8 bytes.
    pub bytes: &'a [u8],
    /// Where its maps are pinned, each under its name, e.g. `/sys/fs/bpf/navstar`.
    pub pin_directory: &'a Path,
    /// Values of `const volatile` integers, by name; frozen before the programs are verified.
    pub constants: &'a HashMap<String, u64>,
    /// Sizes of maps that differ from the object's, by name.
    pub max_entries: &'a HashMap<String, u32>,
    /// Programs that are not loaded, since the kernel lacks what they need.
    pub left_out: &'a [String],
    /// All maps must be pinned already; none is created.
    pub is_attach_only: bool,
}

/// A loaded object. Dropping it closes its descriptors; what is pinned stays.
#[derive(Debug)]
pub struct Object {
    ebpf: Ebpf,
    maps: HashMap<String, Map>,
}

impl Object {
    /// Loads an object.
    ///
    /// # Errors
    /// [`BpfError::PinMismatch`], [`BpfError::PinMissing`] and [`BpfError::NotBpfFileSystem`] before
    /// anything was changed; [`BpfError::CreateMap`] and [`BpfError::LoadProgram`] may leave new
    /// maps pinned, which the next load reuses.
    pub fn load(options: &LoadOptions<'_>) -> Result<Self, BpfError> {
        let mut parsed =
            obj::Object::parse(options.bytes).map_err(|error| unusable(options.name, &error))?;
        let constants = encode_constants(options, &mut parsed)?;
        let wanted = wanted_maps(options, &parsed)?;
        pin::prepare_directory(options.pin_directory)?;
        for map in wanted.values() {
            if !map.is_pinned()? && options.is_attach_only {
                return Err(BpfError::PinMissing {
                    path: map.path.clone(),
                });
            }
        }
        if KernelVersion::current().is_ok_and(|kernel| kernel < KernelVersion::new(5, 11, 0)) {
            sys::lift_locked_memory_limit();
        }
        let mut ebpf = create_maps(options, &constants)?;
        load_programs(options, &mut ebpf)?;
        // The programs hold the maps now; the loader's descriptors of them are not needed.
        let names: Vec<String> = ebpf.maps().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            drop(ebpf.take_map(&name));
        }
        let maps = wanted
            .into_iter()
            .map(|(name, map)| Map::open_pinned(&map.path).map(|map| (name, map)))
            .collect::<Result<_, _>>()?;
        Ok(Self { ebpf, maps })
    }

    /// The names of its maps.
    pub fn map_names(&self) -> impl Iterator<Item = &str> {
        self.maps.keys().map(String::as_str)
    }

    /// One of its maps, e.g. `vips`.
    ///
    /// # Errors
    /// [`BpfError::Unknown`].
    pub fn map(&self, name: &str) -> Result<&Map, BpfError> {
        self.maps.get(name).ok_or_else(|| BpfError::Unknown {
            kind: "map",
            name: name.to_owned(),
        })
    }

    /// The descriptor of one of its programs, e.g. `connect4`.
    pub(super) fn program_fd(&mut self, name: &str) -> Result<&ProgramFd, BpfError> {
        let fd = match self.program(name)? {
            Program::CgroupSockAddr(program) => program.fd(),
            Program::SockOps(program) => program.fd(),
            _ => return Err(unknown_program(name)),
        };
        fd.map_err(|_| unknown_program(name))
    }

    /// Attaches one of its programs to an open directory of the cgroup2 file system.
    pub(super) fn attach(
        &mut self,
        name: &str,
        directory: std::fs::File,
    ) -> Result<FdLink, ProgramError> {
        // The mode is for attachments without a link. A link is always one of several.
        let mode = CgroupAttachMode::Single;
        match self.ebpf.program_mut(name) {
            Some(Program::CgroupSockAddr(program)) => {
                let link = program.attach(directory, mode)?;
                program.take_link(link)?.try_into().map_err(without_links)
            }
            Some(Program::SockOps(program)) => {
                let link = program.attach(directory, mode)?;
                program.take_link(link)?.try_into().map_err(without_links)
            }
            Some(_) => Err(ProgramError::UnexpectedProgramType),
            None => Err(ProgramError::NotLoaded),
        }
    }

    fn program(&mut self, name: &str) -> Result<&mut Program, BpfError> {
        let program = self.ebpf.program_mut(name);
        program.ok_or_else(|| unknown_program(name))
    }
}

/// Kernels before 5.7 attach without a link.
fn without_links(_: LinkError) -> ProgramError {
    ProgramError::IOError(std::io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}

fn unknown_program(name: &str) -> BpfError {
    BpfError::Unknown {
        kind: "program",
        name: name.to_owned(),
    }
}

fn unusable(object: &str, error: &(dyn std::error::Error + 'static)) -> BpfError {
    BpfError::Object {
        object: object.to_owned(),
        reason: in_words(error),
    }
}

/// Encodes each constant in the size that its variable has: 4 or 8 bytes.
fn encode_constants(
    options: &LoadOptions<'_>,
    parsed: &mut obj::Object,
) -> Result<Vec<(String, Vec<u8>)>, BpfError> {
    let mut encoded = Vec::new();
    for (name, value) in options.constants {
        let mut bytes = value.to_ne_bytes().to_vec();
        match patch(parsed, name, &bytes) {
            Ok(()) => {}
            Err(ParseError::InvalidGlobalData { sym_size: 4, .. }) => {
                let value = u32::try_from(*value).map_err(|_| BpfError::Object {
                    object: options.name.to_owned(),
                    reason: format!("constant {name} does not hold {value}"),
                })?;
                bytes = value.to_ne_bytes().to_vec();
            }
            Err(ParseError::SymbolNotFound { .. }) => {
                return Err(BpfError::Unknown {
                    kind: "constant",
                    name: name.clone(),
                });
            }
            Err(error) => return Err(unusable(options.name, &error)),
        }
        encoded.push((name.clone(), bytes));
    }
    Ok(encoded)
}

fn patch(parsed: &mut obj::Object, name: &str, bytes: &[u8]) -> Result<(), ParseError> {
    parsed.patch_map_data(HashMap::from([(name, (bytes, true))]).into_iter().collect())
}

/// The maps that the object pins by name, with the sizes of the options.
fn wanted_maps(
    options: &LoadOptions<'_>,
    parsed: &obj::Object,
) -> Result<HashMap<String, WantedMap>, BpfError> {
    let mut wanted = HashMap::new();
    for (name, map) in &parsed.maps {
        if map.pinning() != PinningType::ByName {
            continue;
        }
        let size = options.max_entries.get(name).copied();
        wanted.insert(
            name.clone(),
            WantedMap {
                path: options.pin_directory.join(name),
                map_type: map.map_type(),
                key_size: map.key_size(),
                value_size: map.value_size(),
                max_entries: size.unwrap_or_else(|| map.max_entries()),
                flags: map.map_flags(),
            },
        );
    }
    match options
        .max_entries
        .keys()
        .find(|name| !wanted.contains_key(*name))
    {
        None => Ok(wanted),
        Some(name) => Err(BpfError::Unknown {
            kind: "map",
            name: name.clone(),
        }),
    }
}

fn create_maps(
    options: &LoadOptions<'_>,
    constants: &[(String, Vec<u8>)],
) -> Result<Ebpf, BpfError> {
    let mut loader = EbpfLoader::new();
    // Nothing in the object refers to the kernel's own types, so its BTF need not be read.
    loader
        .btf(None)
        .default_map_pin_directory(options.pin_directory)
        .verifier_log_level(VerifierLogLevel::DEBUG | VerifierLogLevel::STATS);
    for (name, bytes) in constants {
        loader.override_global(name, bytes.as_slice(), true);
    }
    for (name, size) in options.max_entries {
        loader.map_max_entries(name, *size);
    }
    loader.load(options.bytes).map_err(|error| match error {
        EbpfError::MapError(error) => {
            let map = match &error {
                MapError::CreateError { name, .. }
                | MapError::PinError {
                    name: Some(name), ..
                } => name.clone(),
                _ => "?".to_owned(),
            };
            let source = errno_of(&error);
            BpfError::CreateMap {
                map,
                reason: in_words(&error),
                source,
            }
        }
        error => unusable(options.name, &error),
    })
}

fn load_programs(options: &LoadOptions<'_>, ebpf: &mut Ebpf) -> Result<(), BpfError> {
    for (name, program) in ebpf.programs_mut() {
        if options.left_out.iter().any(|left_out| left_out == name) {
            continue;
        }
        let loaded = match program {
            Program::CgroupSockAddr(program) => program.load(),
            Program::SockOps(program) => program.load(),
            _ => Err(ProgramError::UnexpectedProgramType),
        };
        loaded.map_err(|error| match &error {
            ProgramError::LoadError {
                io_error,
                verifier_log,
            } => BpfError::LoadProgram {
                program: name.to_owned(),
                log: end_of_log(&verifier_log.to_string()),
                source: errno_of(io_error),
            },
            _ => unusable(options.name, &error),
        })?;
    }
    Ok(())
}

/// The last lines of a verifier log, where it says what is wrong.
fn end_of_log(log: &str) -> String {
    let lines: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let skipped = lines.len().saturating_sub(LOG_LINES);
    let shown = lines.get(skipped..).unwrap_or_default().join(" | ");
    if shown.is_empty() {
        "nothing".to_owned()
    } else {
        shown
    }
}

/// Where a link is pinned before it takes its place. The BPF file system forbids dots in names.
pub(super) fn beside(pin: &Path) -> PathBuf {
    let mut name = pin.as_os_str().to_owned();
    name.push("-new");
    PathBuf::from(name)
}
