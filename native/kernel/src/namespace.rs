//! A network namespace as one named thread that entered it once and runs jobs one by one.
//!
//! Sockets belong to the namespace they were opened in, whoever uses them later; so only this
//! thread opens them and nobody else ever changes namespace.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use thiserror::Error;

use crate::errno::Errno;
use crate::ipvs::{self, IpvsError};
use crate::netlink::{NetlinkError, NetlinkSocket, Protocol};
use crate::sys;

/// Jobs that may wait; the next one is refused with [`NamespaceError::Busy`].
const QUEUE_LIMIT: usize = 1024;

type Job = Box<dyn FnOnce(&mut Sockets) + Send>;

/// Why a namespace did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NamespaceError {
    /// The namespace could not be entered.
    #[error("{operation} of network namespace {} failed", .path.display())]
    Enter {
        /// `open` or `setns`.
        operation: &'static str,
        /// E.g. `/run/netns/blue`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Errno,
    },
    /// No thread could be started.
    #[error("no thread for the network namespace")]
    Thread {
        /// Why.
        #[source]
        source: Errno,
    },
    /// Too many jobs wait.
    #[error("{QUEUE_LIMIT} jobs are waiting for the network namespace")]
    Busy,
    /// It was closed, or the job panicked.
    #[error("the network namespace is closed")]
    Closed,
}

/// The sockets of a namespace, opened when first used.
#[derive(Debug, Default)]
pub struct Sockets {
    route: Option<NetlinkSocket>,
    netfilter: Option<NetlinkSocket>,
    ipvs: Option<ipvs::Client>,
}

impl Sockets {
    /// The rtnetlink socket.
    ///
    /// # Errors
    /// As [`NetlinkSocket::open`].
    pub fn route(&mut self) -> Result<&mut NetlinkSocket, NetlinkError> {
        opened(&mut self.route, Protocol::Route)
    }

    /// The netfilter socket: the one writer of nf_tables in this namespace.
    ///
    /// # Errors
    /// As [`NetlinkSocket::open`].
    pub fn netfilter(&mut self) -> Result<&mut NetlinkSocket, NetlinkError> {
        opened(&mut self.netfilter, Protocol::Netfilter)
    }

    /// IPVS: its one writer in this namespace.
    ///
    /// # Errors
    /// As [`ipvs::Client::open`].
    pub fn ipvs(&mut self) -> Result<&mut ipvs::Client, IpvsError> {
        match &mut self.ipvs {
            Some(client) => Ok(client),
            slot @ None => Ok(slot.insert(ipvs::Client::open()?)),
        }
    }
}

fn opened(
    slot: &mut Option<NetlinkSocket>,
    protocol: Protocol,
) -> Result<&mut NetlinkSocket, NetlinkError> {
    match slot {
        Some(socket) => Ok(socket),
        None => Ok(slot.insert(NetlinkSocket::open(protocol)?)),
    }
}

/// A handle to the thread. Dropping it ends the thread after the jobs that wait.
#[derive(Debug)]
pub struct Namespace {
    jobs: SyncSender<Job>,
    ended: Receiver<()>,
}

impl Namespace {
    /// Opens a namespace, e.g. `/run/netns/blue`; `None` is that of the calling thread. Waits until
    /// the thread is inside.
    ///
    /// # Errors
    /// [`NamespaceError::Enter`] or [`NamespaceError::Thread`].
    pub fn open(path: Option<&Path>) -> Result<Self, NamespaceError> {
        let (ready, outcome) = sync_channel(1);
        Self::open_then(path, move |namespace| drop(ready.send(namespace)))?;
        outcome.recv().map_err(|_| NamespaceError::Closed)?
    }

    /// Like [`Namespace::open`], without waiting: `ready` is called on the new thread.
    ///
    /// # Errors
    /// [`NamespaceError::Thread`]; `ready` is not called then.
    pub fn open_then(
        path: Option<&Path>,
        ready: impl FnOnce(Result<Self, NamespaceError>) + Send + 'static,
    ) -> Result<(), NamespaceError> {
        let path = path.map(Path::to_owned);
        let name = path.as_deref().and_then(Path::file_name).map_or_else(
            || "netns-own".to_owned(),
            |name| format!("netns-{}", name.to_string_lossy().replace('\0', "")),
        );
        let body = move || {
            if let Err(error) = path.as_deref().map_or(Ok(()), enter) {
                return ready(Err(error));
            }
            let (jobs, queue) = sync_channel::<Job>(QUEUE_LIMIT);
            let (_alive, ended) = sync_channel(1);
            ready(Ok(Self { jobs, ended }));
            let mut sockets = Sockets::default();
            while let Ok(job) = queue.recv() {
                job(&mut sockets);
            }
            // Dropped before `_alive`, so that `close` returns after the sockets are gone.
            drop(sockets);
        };
        thread::Builder::new()
            .name(name)
            .spawn(body)
            .map(drop)
            .map_err(|error| NamespaceError::Thread {
                source: Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)),
            })
    }

    /// Queues a job and returns at once.
    ///
    /// # Errors
    /// [`NamespaceError::Busy`] or [`NamespaceError::Closed`]; the job is dropped then.
    pub fn post(
        &self,
        job: impl FnOnce(&mut Sockets) + Send + 'static,
    ) -> Result<(), NamespaceError> {
        self.jobs
            .try_send(Box::new(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => NamespaceError::Busy,
                TrySendError::Disconnected(_) => NamespaceError::Closed,
            })
    }

    /// Queues a job whose result can be waited for with `recv`; an error of that means that the
    /// job panicked.
    ///
    /// # Errors
    /// As [`Namespace::post`].
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Sockets) -> T + Send + 'static,
    ) -> Result<Receiver<T>, NamespaceError> {
        let (sender, receiver) = sync_channel(1);
        self.post(move |sockets| drop(sender.send(job(sockets))))?;
        Ok(receiver)
    }

    /// Runs a job and waits for its result.
    ///
    /// # Errors
    /// As [`Namespace::post`]; [`NamespaceError::Closed`] also when the job panicked.
    pub fn run_now<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Sockets) -> T + Send + 'static,
    ) -> Result<T, NamespaceError> {
        self.run(job)?.recv().map_err(|_| NamespaceError::Closed)
    }

    /// Ends the thread and waits until its sockets are closed.
    pub fn close(self) {
        drop(self.jobs);
        let _ = self.ended.recv();
    }
}

fn enter(path: &Path) -> Result<(), NamespaceError> {
    let failed = |operation| {
        move |source| NamespaceError::Enter {
            operation,
            path: path.to_owned(),
            source,
        }
    };
    let fd = sys::open_path(path).map_err(failed("open"))?;
    sys::enter_network_namespace(fd.as_fd()).map_err(failed("setns"))
}

#[cfg(test)]
mod tests;
