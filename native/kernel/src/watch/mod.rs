//! Hears of changes that others make to links, addresses, routes and `nf_tables`.
//!
//! The sockets are opened on the namespace's thread, which is inside the namespace; a thread of
//! its own listens to them. Changes by the namespace's own writers are dropped in the kernel by a
//! socket filter. Everything queued at a time is merged per subject before it is handed out.

/// From notifications to events.
pub mod event;
mod listener;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use thiserror::Error;

use crate::errno::Errno;
use crate::namespace::{Namespace, NamespaceError, Sockets};
use crate::netlink::{NetlinkError, NetlinkSocket, Protocol};
use crate::sys;
pub use event::{Event, Kind};
use listener::Listener;

const RECEIVE_BUFFER_BYTES: i32 = 1 << 20;
const GROUP_LINK: u32 = 1;
const GROUPS_ADDRESS: [u32; 2] = [5, 9];
const GROUPS_ROUTE: [u32; 2] = [7, 11];
const GROUP_NFTABLES: u32 = 7;

/// What to hear of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// IPv4 and IPv6 routes of all tables.
    pub routes: bool,
    /// Links.
    pub links: bool,
    /// IPv4 and IPv6 addresses.
    pub addresses: bool,
    /// Tables of family inet, by name.
    pub nft_tables: Vec<String>,
}

/// What the receiver did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It has it.
    Taken,
    /// Its queue is full: it will get [`Kind::Overflow`] once there is room.
    Full,
    /// It is gone; the watch ends.
    Gone,
}

/// Why changes cannot be heard.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WatchError {
    /// No event descriptor or thread.
    #[error("{operation} for a watch failed")]
    System {
        /// `eventfd` or `spawn`.
        operation: &'static str,
        /// Why.
        #[source]
        source: Errno,
    },
    /// The namespace is closed or busy.
    #[error("no watch")]
    Namespace(#[source] NamespaceError),
    /// The sockets could not be opened or joined to their groups.
    #[error("no watch")]
    Netlink(#[source] NetlinkError),
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<OwnedFd>,
    ended: Receiver<()>,
}

impl Watch {
    /// Starts to listen. `ready` is called when every later change will be heard, or when that
    /// failed; what is read from the namespace after this call returned is read after `ready`.
    /// `sink` is called on the watch's thread.
    ///
    /// # Errors
    /// [`WatchError::System`] or [`WatchError::Namespace`]; `ready` is not called then.
    pub fn start(
        namespace: &Namespace,
        options: Options,
        sink: impl FnMut(Event) -> Delivery + Send + 'static,
        ready: impl FnOnce(Result<(), WatchError>) + Send + 'static,
    ) -> Result<Self, WatchError> {
        let stop = sys::event_fd().map_err(|source| WatchError::System {
            operation: "eventfd",
            source,
        })?;
        let stop = Arc::new(stop);
        let (alive, ended) = sync_channel(1);
        let watch = Self {
            stop: Arc::clone(&stop),
            ended,
        };
        let job = move |sockets: &mut Sockets| {
            let outcome = subscribe(sockets, options)
                .map_err(WatchError::Netlink)
                .and_then(|listener| spawn(listener, stop, sink, alive));
            ready(outcome);
        };
        namespace.post(job).map_err(WatchError::Namespace)?;
        Ok(watch)
    }

    /// Ends the thread and waits until its sockets are closed. Dropping does not wait.
    pub fn close(self) {
        let _ = sys::signal_event(self.stop.as_fd());
        let _ = self.ended.recv();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = sys::signal_event(self.stop.as_fd());
    }
}

fn subscribe(sockets: &mut Sockets, options: Options) -> Result<Listener, NetlinkError> {
    let mut groups = Vec::new();
    groups.extend(options.links.then_some(GROUP_LINK));
    groups.extend(GROUPS_ADDRESS.into_iter().filter(|_| options.addresses));
    groups.extend(GROUPS_ROUTE.into_iter().filter(|_| options.routes));
    let route = if groups.is_empty() {
        None
    } else {
        Some(joined(Protocol::Route, sockets.route()?.port(), &groups)?)
    };
    let netfilter = if options.nft_tables.is_empty() {
        None
    } else {
        Some(joined(
            Protocol::Netfilter,
            sockets.netfilter()?.port(),
            &[GROUP_NFTABLES],
        )?)
    };
    Ok(Listener::new(route, netfilter, options))
}

/// A socket that hears these groups, except for what `writer_port` changes.
fn joined(
    protocol: Protocol,
    writer_port: u32,
    groups: &[u32],
) -> Result<NetlinkSocket, NetlinkError> {
    let socket = NetlinkSocket::open(protocol)?;
    socket.set_buffers(None, Some(RECEIVE_BUFFER_BYTES))?;
    socket.ignore_changes_by(writer_port)?;
    for group in groups {
        socket.subscribe(*group)?;
    }
    Ok(socket)
}

fn spawn(
    mut listener: Listener,
    stop: Arc<OwnedFd>,
    mut sink: impl FnMut(Event) -> Delivery + Send + 'static,
    alive: SyncSender<()>,
) -> Result<(), WatchError> {
    let body = move || {
        listener.listen(stop.as_fd(), &mut sink);
        drop((listener, sink, stop));
        drop(alive);
    };
    thread::Builder::new()
        .name("netns-watch".to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|error| {
            let source = Errno(error.raw_os_error().unwrap_or(libc::EAGAIN));
            WatchError::System {
                operation: "spawn",
                source,
            }
        })
}

#[cfg(test)]
mod tests;
