//! A network namespace as JavaScript sees it. What it can do is added by the other files.

use std::cell::RefCell;
use std::path::Path;

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::namespace::{Namespace, NamespaceError, Sockets};

use crate::operation::{Failure, promise};

/// A network namespace: one native thread, named after it, that owns its netlink sockets.
/// It does not keep the process alive; a pending promise does.
#[napi]
pub struct NetworkNamespace {
    namespace: RefCell<Option<Namespace>>,
}

#[napi]
impl NetworkNamespace {
    /// Opens a namespace by path, e.g. `/run/netns/blue`; without a path that of the process.
    ///
    /// Rejects with code `NAMESPACE_ENTER` (with `errno`) or `NAMESPACE_THREAD`.
    #[napi(catch_unwind)]
    pub fn open(env: &Env, path: Option<String>) -> Result<PromiseRaw<'_, NetworkNamespace>> {
        promise(env, |settle| {
            let ready = move |opened: std::result::Result<Namespace, NamespaceError>| {
                settle.with(opened.map(Self::of).map_err(Failure::from));
            };
            Namespace::open_then(path.as_deref().map(Path::new), ready).map_err(Failure::from)
        })
    }

    /// Ends the thread after the operations that wait, and closes its sockets. May be repeated;
    /// every later call rejects with code `NAMESPACE_CLOSED`.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        drop(self.namespace.take());
    }
}

impl NetworkNamespace {
    fn of(namespace: Namespace) -> Self {
        Self {
            namespace: RefCell::new(Some(namespace)),
        }
    }

    /// Runs `work` on the namespace's thread and returns a promise of its result.
    pub(crate) fn run<'env, T, E>(
        &self,
        env: &'env Env,
        work: impl FnOnce(&mut Sockets) -> std::result::Result<T, E> + Send + 'static,
    ) -> Result<PromiseRaw<'env, T>>
    where
        T: ToNapiValue + Send + 'static,
        Failure: From<E>,
    {
        promise(env, |settle| {
            let job = move |sockets: &mut Sockets| {
                if settle.run(|| work(sockets).map_err(Failure::from)) {
                    // Their state is unknown; the next operation opens new ones.
                    *sockets = Sockets::default();
                }
            };
            self.with(|namespace| Ok(namespace.post(job)?))
        })
    }

    /// Uses the namespace, unless it is closed.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Namespace) -> std::result::Result<T, Failure>,
    ) -> std::result::Result<T, Failure> {
        let namespace = self.namespace.borrow();
        work(namespace.as_ref().ok_or(NamespaceError::Closed)?)
    }
}
