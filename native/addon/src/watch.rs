//! Events of the kernel as calls of a JavaScript function.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Function, PromiseRaw};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Result, Status};
use napi_derive::napi;
use navstar_kernel::watch::{self as kernel, Delivery, Event};

use crate::namespace::NetworkNamespace;
use crate::operation::{Failure, Settle, promise};

/// Events that may wait for the event loop; more become one `overflow` per kind.
const QUEUE_LIMIT: usize = 1024;

/// Weak: a watch does not keep the process alive.
type Callback = ThreadsafeFunction<KernelEvent, (), KernelEvent, Status, false, true, QUEUE_LIMIT>;

/// A change that somebody else made: not through this `NetworkNamespace`.
#[napi(object)]
pub struct KernelEvent {
    /// `overflow`: events of the kind `subject` were lost; read everything of it again.
    #[napi(ts_type = "'link' | 'address' | 'route' | 'nftables' | 'overflow'")]
    pub kind: String,
    /// The link's name, `address/length`, the route's destination, or the table's name.
    pub subject: String,
    /// It is gone. Several changes of one subject may come as one event; the last one speaks.
    pub is_removal: bool,
}

/// What to hear of.
#[napi(object)]
pub struct WatchOptions {
    /// IPv4 and IPv6 routes of all tables.
    pub routes: bool,
    /// Links.
    pub links: bool,
    /// IPv4 and IPv6 addresses.
    pub addresses: bool,
    /// Tables of family inet.
    pub nft_tables: Vec<String>,
}

/// A running watch; it has sockets and a thread of its own.
#[napi]
pub struct Watch {
    watch: RefCell<Option<kernel::Watch>>,
    readiness: Arc<Mutex<Readiness>>,
}

enum Readiness {
    Awaited(Vec<Settle<()>>),
    Known(std::result::Result<(), Failure>),
}

#[napi]
impl Watch {
    /// Resolves once every later change will be heard. What is read from the namespace after
    /// `watch()` returned is read after that, so only its failure needs waiting for.
    ///
    /// Rejects with code `NETLINK_…` or `WATCH_SYSTEM`; nothing will be heard then.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn ready<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        promise(env, |settle| {
            match &mut *self
                .readiness
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
            {
                Readiness::Awaited(waiting) => waiting.push(settle),
                Readiness::Known(outcome) => settle.with(outcome.clone()),
            }
            Ok(())
        })
    }

    /// Ends the watch. Events that were already handed to the event loop are still delivered.
    /// May be repeated.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        drop(self.watch.take());
    }
}

#[napi]
impl NetworkNamespace {
    /// Calls `callback` (which must not throw) for changes that others make.
    ///
    /// Throws with code `NAMESPACE_…` or `WATCH_SYSTEM`.
    #[napi(catch_unwind)]
    pub fn watch(
        &self,
        env: &Env,
        options: WatchOptions,
        #[napi(ts_arg_type = "(event: KernelEvent) => void")] callback: Function<
            '_,
            KernelEvent,
            (),
        >,
    ) -> Result<Watch> {
        let callback: Callback = callback
            .build_threadsafe_function()
            .callee_handled::<false>()
            .weak::<true>()
            .max_queue_size::<QUEUE_LIMIT>()
            .build()?;
        let readiness = Arc::new(Mutex::new(Readiness::Awaited(Vec::new())));
        let known = Arc::clone(&readiness);
        let options = kernel::Options {
            routes: options.routes,
            links: options.links,
            addresses: options.addresses,
            nft_tables: options.nft_tables,
        };
        let watch = self.with(|namespace| {
            kernel::Watch::start(
                namespace,
                options,
                move |event| deliver(&callback, event),
                move |outcome| make_known(&known, outcome.map_err(Failure::from)),
            )
            .map_err(Failure::from)
        });
        let watch = watch.map_err(|failure| failure.into_error(env))?;
        Ok(Watch {
            watch: RefCell::new(Some(watch)),
            readiness,
        })
    }
}

fn deliver(callback: &Callback, event: Event) -> Delivery {
    let event = KernelEvent {
        kind: event.kind.name().to_owned(),
        subject: event.subject,
        is_removal: event.is_removal,
    };
    match callback.call(event, ThreadsafeFunctionCallMode::NonBlocking) {
        Status::Ok => Delivery::Taken,
        Status::QueueFull => Delivery::Full,
        _ => Delivery::Gone,
    }
}

fn make_known(readiness: &Mutex<Readiness>, outcome: std::result::Result<(), Failure>) {
    let mut readiness = readiness.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::mem::replace(&mut *readiness, Readiness::Known(outcome.clone()));
    if let Readiness::Awaited(waiting) = before {
        for settle in waiting {
            settle.with(outcome.clone());
        }
    }
}
