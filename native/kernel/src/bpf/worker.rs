//! The one thread that talks to BPF. Jobs run in the order in which they were posted, so that what
//! is written to several maps one after the other is seen in that order; audits run a slice at a
//! time while no job waits.

use std::collections::{HashMap, VecDeque};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;

use super::BpfError;
use super::audit::Audit;
use super::map::Map;
use super::object::Object;
use crate::errno::Errno;

/// Jobs that may wait; the next one is refused with [`BpfError::Busy`].
const QUEUE_LIMIT: usize = 4096;

type Job = Box<dyn FnOnce(&mut Registry) + Send>;
type AuditDone = Box<dyn FnOnce(Result<bool, BpfError>) + Send>;

/// A handle to something in the [`Registry`]. It may be made before the thing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    /// One that was never used before.
    #[must_use]
    pub fn fresh() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

struct RunningAudit {
    map: Handle,
    audit: Audit,
    done: AuditDone,
}

/// What the thread owns: open objects and maps.
#[derive(Default)]
pub struct Registry {
    objects: HashMap<Handle, Object>,
    maps: HashMap<Handle, Map>,
    audits: VecDeque<RunningAudit>,
}

impl Registry {
    /// Keeps an object until it is closed.
    pub fn keep_object(&mut self, handle: Handle, object: Object) {
        self.objects.insert(handle, object);
    }

    /// Keeps a map until it is closed.
    pub fn keep_map(&mut self, handle: Handle, map: Map) {
        self.maps.insert(handle, map);
    }

    /// An open object.
    ///
    /// # Errors
    /// [`BpfError::Closed`].
    pub fn object(&mut self, handle: Handle) -> Result<&mut Object, BpfError> {
        self.objects.get_mut(&handle).ok_or(BpfError::Closed)
    }

    /// An open map.
    ///
    /// # Errors
    /// [`BpfError::Closed`].
    pub fn map(&mut self, handle: Handle) -> Result<&mut Map, BpfError> {
        self.maps.get_mut(&handle).ok_or(BpfError::Closed)
    }

    /// Closes what the handle stands for, if it is still open.
    pub fn close(&mut self, handle: Handle) {
        self.objects.remove(&handle);
        self.maps.remove(&handle);
    }

    /// Audits a map; `done` is called on this thread, later unless it is refused at once.
    pub fn audit(&mut self, handle: Handle, done: AuditDone) {
        match self.map(handle).map(Audit::start) {
            Err(error) => done(Err(error)),
            Ok(None) => done(Ok(false)),
            Ok(Some(audit)) => self.audits.push_back(RunningAudit {
                map: handle,
                audit,
                done,
            }),
        }
    }

    /// One slice of the audit that waits longest.
    fn step(&mut self) {
        let Some(mut running) = self.audits.pop_front() else {
            return;
        };
        let step = self
            .map(running.map)
            .and_then(|map| running.audit.step(map));
        match step {
            Ok(None) => self.audits.push_front(running),
            Ok(Some(is_same)) => (running.done)(Ok(is_same)),
            Err(error) => (running.done)(Err(error)),
        }
    }
}

/// Queues a job for the thread, which is started by the first, and returns at once. A job must not
/// panic.
///
/// # Errors
/// [`BpfError::Busy`], or [`BpfError::Thread`]; the job is dropped then.
pub fn post(job: impl FnOnce(&mut Registry) + Send + 'static) -> Result<(), BpfError> {
    static JOBS: OnceLock<Result<SyncSender<Job>, Errno>> = OnceLock::new();
    let jobs = JOBS.get_or_init(start);
    let jobs = jobs
        .as_ref()
        .map_err(|source| BpfError::Thread { source: *source })?;
    jobs.try_send(Box::new(job)).map_err(|error| match error {
        TrySendError::Full(_) => BpfError::Busy,
        TrySendError::Disconnected(_) => BpfError::Closed,
    })
}

fn start() -> Result<SyncSender<Job>, Errno> {
    let (jobs, queue) = sync_channel::<Job>(QUEUE_LIMIT);
    thread::Builder::new()
        .name("bpf".to_owned())
        .spawn(move || run(&queue))
        .map(|_| jobs)
        .map_err(|error| super::errno_of(&error))
}

fn run(queue: &Receiver<Job>) {
    let mut registry = Registry::default();
    loop {
        let job = if registry.audits.is_empty() {
            queue.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            queue.try_recv()
        };
        match job {
            Ok(job) => job(&mut registry),
            Err(TryRecvError::Empty) => registry.step(),
            Err(TryRecvError::Disconnected) => return,
        }
    }
}
