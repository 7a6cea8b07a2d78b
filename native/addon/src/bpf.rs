//! BPF objects and maps as JavaScript sees them. All of it runs on one native thread, in the order
//! of the calls.
#![cfg_attr(
    test,
    allow(dead_code, reason = "`#[napi]` registers nothing in a test build")
)]

use std::collections::HashMap;
use std::path::Path;

use napi::bindgen_prelude::{BigInt, PromiseRaw, ToNapiValue};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::bpf::BpfError;
use navstar_kernel::bpf::feature::features;
use navstar_kernel::bpf::link::link_state;
use navstar_kernel::bpf::map::{Map, Shape};
use navstar_kernel::bpf::object::{LoadOptions, Object};
use navstar_kernel::bpf::worker::{Handle, Registry, post};

use crate::bpf_map::BpfMap;
use crate::operation::{Failure, Settle, promise};

pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl From<BpfError> for Failure {
    fn from(error: BpfError) -> Self {
        Self::of(error.code(), error.errno(), &error)
    }
}

/// Runs `work` on the thread and returns a promise of its result.
pub(crate) fn run<T: ToNapiValue + Send + 'static>(
    env: &Env,
    work: impl FnOnce(&mut Registry) -> Outcome<T> + Send + 'static,
) -> Result<PromiseRaw<'_, T>> {
    promise(env, |settle: Settle<T>| {
        let job = move |registry: &mut Registry| {
            settle.run(|| work(registry));
        };
        Ok(post(job)?)
    })
}

/// Closes in its turn, after the operations that wait.
pub(crate) fn close(handle: Handle) {
    // A queue that is full or gone: what is open then ends with the process.
    drop(post(move |registry| registry.close(handle)));
}

/// How an object is loaded.
#[napi(object)]
pub struct BpfLoadOptions {
    /// E.g. `l4lb`.
    pub object: String,
    /// Where its maps are pinned, each under its name, e.g. `/sys/fs/bpf/navstar`. Made where it is
    /// missing.
    pub pin_directory: String,
    /// Values of the object's constants by name, e.g. `{ has_set_retval: 1 }`; whole numbers.
    pub constants: HashMap<String, f64>,
    /// Entries of maps, by name, where the object's own number does not do.
    pub max_entries: Option<HashMap<String, u32>>,
    /// Programs that are not loaded, since the kernel lacks what they need, e.g. `sock_ops`.
    pub left_out: Option<Vec<String>>,
    /// All maps must be pinned already; none is created.
    pub attach_only: Option<bool>,
}

/// What to attach where.
#[napi(object)]
pub struct BpfAttachOptions {
    /// E.g. `connect4`.
    pub program: String,
    /// A directory of the cgroup2 file system, e.g. `/sys/fs/cgroup`.
    pub cgroup: String,
    /// Where the link is pinned, e.g. `/sys/fs/bpf/navstar/link_connect4`; no dots in the name.
    pub link_pin: String,
}

/// What attaching did.
#[napi(object)]
pub struct BpfAttachment {
    /// The same program was attached there already; nothing was changed.
    pub is_adopted: bool,
    /// The kernel's number of the program that is attached now.
    pub program_id: u32,
    /// The kernel's hash of its instructions, e.g. `38500f31334862b2`.
    pub tag: String,
}

/// A pinned link.
#[napi(object)]
pub struct BpfLinkState {
    /// False when its control group is gone.
    pub is_attached: bool,
    /// The kernel's number of the program.
    pub program_id: u32,
    /// The kernel's hash of its instructions, e.g. `38500f31334862b2`.
    pub tag: String,
    /// The inode number of the control group's directory.
    pub cgroup_id: BigInt,
}

/// One thing that a kernel has or lacks.
#[napi(object)]
pub struct BpfFeature {
    /// E.g. `cgroup/connect4`, `bpf_set_retval`, `map_batch`, `bpf_file_system`.
    pub name: String,
    /// Whether trying it worked.
    pub is_supported: bool,
    /// What the kernel answered, when it was asked and refused.
    pub errno: Option<i32>,
    /// For people, e.g. where something is mounted.
    pub detail: Option<String>,
}

/// A loaded object: its maps are pinned, its programs wait to be attached.
#[napi]
pub struct BpfObject {
    handle: Handle,
    shapes: HashMap<String, Shape>,
}

#[napi]
impl BpfObject {
    /// Loads an object. Pinned maps are reused.
    ///
    /// Rejects with code `BPF_PIN_MISMATCH`, `BPF_PIN_MISSING`, `BPF_NOT_BPF_FILE_SYSTEM` or
    /// `BPF_UNKNOWN` (nothing was changed), `BPF_CREATE_MAP` or `BPF_LOAD_PROGRAM` (with the end of
    /// the verifier's log).
    #[napi(catch_unwind)]
    pub fn load(env: &Env, options: BpfLoadOptions) -> Result<PromiseRaw<'_, BpfObject>> {
        run(env, move |registry| {
            let object = load(&options)?;
            let shapes = object
                .map_names()
                .map(|name| Ok((name.to_owned(), object.map(name)?.shape())))
                .collect::<Outcome<_>>()?;
            let handle = Handle::fresh();
            registry.keep_object(handle, object);
            Ok(Self { handle, shapes })
        })
    }

    /// One of its maps, as a handle of its own with its own record for audits.
    ///
    /// Throws with code `BPF_UNKNOWN`.
    #[napi(catch_unwind)]
    pub fn map(&self, env: &Env, name: String) -> Result<BpfMap> {
        let Some(shape) = self.shapes.get(&name).copied() else {
            let unknown = BpfError::Unknown { kind: "map", name };
            return Err(Failure::from(unknown).into_error(env));
        };
        let (object, handle) = (self.handle, Handle::fresh());
        let opened = post(move |registry| {
            // Where this fails, every later operation finds the map closed.
            if let Ok(Ok(map)) = registry
                .object(object)
                .map(|object| object.map(&name).and_then(Map::try_clone))
            {
                registry.keep_map(handle, map);
            }
        });
        opened.map_err(|error| Failure::from(error).into_error(env))?;
        Ok(BpfMap::of(handle, shape))
    }

    /// Attaches a program to a control group and pins the link. A pinned link that runs the same
    /// program on the same maps with the same constants for the same group is adopted; any other is
    /// replaced without a gap.
    ///
    /// Rejects with code `BPF_UNKNOWN`, `BPF_ATTACH`, `BPF_PIN` or `BPF_FACTS`; what was attached
    /// before still is.
    #[napi(catch_unwind)]
    pub fn attach_cgroup<'env>(
        &self,
        env: &'env Env,
        options: BpfAttachOptions,
    ) -> Result<PromiseRaw<'env, BpfAttachment>> {
        let handle = self.handle;
        run(env, move |registry| {
            let attachment = registry.object(handle)?.attach_cgroup(
                &options.program,
                Path::new(&options.cgroup),
                Path::new(&options.link_pin),
            )?;
            Ok(BpfAttachment {
                is_adopted: attachment.is_adopted,
                program_id: attachment.program_id,
                tag: attachment.tag,
            })
        })
    }

    /// Whether the pinned link runs this very program, so that attaching would adopt it.
    ///
    /// Rejects with code `BPF_UNKNOWN`, `BPF_ATTACH`, `BPF_PIN` or `BPF_FACTS`.
    #[napi(catch_unwind)]
    pub fn is_attached<'env>(
        &self,
        env: &'env Env,
        options: BpfAttachOptions,
    ) -> Result<PromiseRaw<'env, bool>> {
        let handle = self.handle;
        run(env, move |registry| {
            Ok(registry.object(handle)?.is_attached(
                &options.program,
                Path::new(&options.cgroup),
                Path::new(&options.link_pin),
            )?)
        })
    }

    /// Closes its descriptors. What is pinned stays: the data path lives on. May be repeated.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        close(self.handle);
    }
}

impl Drop for BpfObject {
    fn drop(&mut self) {
        close(self.handle);
    }
}

fn load(options: &BpfLoadOptions) -> Outcome<Object> {
    let bytes = navstar_bpf::object(&options.object).ok_or_else(|| BpfError::Unknown {
        kind: "object",
        name: options.object.clone(),
    })?;
    let constants = options
        .constants
        .iter()
        .map(|(name, value)| Ok((name.clone(), whole(name, *value)?)))
        .collect::<Outcome<_>>()?;
    let object = Object::load(&LoadOptions {
        name: &options.object,
        bytes,
        pin_directory: Path::new(&options.pin_directory),
        constants: &constants,
        max_entries: options.max_entries.as_ref().unwrap_or(&HashMap::new()),
        left_out: options.left_out.as_deref().unwrap_or_default(),
        is_attach_only: options.attach_only.unwrap_or(false),
    })?;
    Ok(object)
}

/// A JavaScript number as an integer; exact up to 2^53.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range and the fraction are looked at first"
)]
fn whole(name: &str, value: f64) -> Outcome<u64> {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    if value.fract() == 0.0 && (0.0..=LARGEST).contains(&value) {
        Ok(value as u64)
    } else {
        Err(Failure {
            code: "BPF_CONSTANT",
            errno: None,
            message: format!("constant {name} is {value}, not a whole number from 0 to 2^53 - 1"),
        })
    }
}

/// Reads a pinned link; null when nothing is pinned there.
///
/// Rejects with code `BPF_PIN`, `BPF_PIN_KIND` or `BPF_FACTS`.
#[napi(catch_unwind)]
pub fn bpf_link_state(env: &Env, pin: String) -> Result<PromiseRaw<'_, Option<BpfLinkState>>> {
    run(env, move |_| {
        let state = link_state(Path::new(&pin))?;
        Ok(state.map(|state| BpfLinkState {
            is_attached: state.is_attached,
            program_id: state.program_id,
            tag: state.tag,
            cgroup_id: BigInt::from(state.cgroup_id),
        }))
    })
}

/// Tries what loading, attaching and filling maps needs. Leaves nothing behind.
#[napi(catch_unwind)]
pub fn bpf_features(env: &Env) -> Result<PromiseRaw<'_, Vec<BpfFeature>>> {
    run(env, |_| {
        let found = features().into_iter().map(|feature| BpfFeature {
            name: feature.name.to_owned(),
            is_supported: feature.is_supported,
            errno: feature.errno.map(|errno| errno.0),
            detail: feature.detail,
        });
        Ok(found.collect())
    })
}
