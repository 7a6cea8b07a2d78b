//! How work crosses the seam: a promise that another thread settles, a failure as a JavaScript
//! error with fields to branch on, and the result of one operation of a list.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{JsValue, Object, PromiseRaw, ToNapiValue};
use napi::{Env, Error, JsDeferred, Result, Status};
use napi_derive::napi;
use navstar_kernel::errno::Errno;
use navstar_kernel::namespace::NamespaceError;
use navstar_kernel::netlink::NetlinkError;
use navstar_kernel::route::RouteError;
use navstar_kernel::watch::WatchError;

/// What became of one operation of a list.
#[napi(object)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationResult {
    /// 0 for success, else the kernel's errno, e.g. 17.
    pub errno: i32,
    /// `OK`, or the errno's name, e.g. `EEXIST`.
    pub name: String,
    /// Whether the kernel did it.
    pub applied: bool,
    /// The kernel's words, when it gave any, e.g. `Unknown device type`.
    pub message: Option<String>,
}

impl OperationResult {
    /// An operation that was done.
    pub fn done() -> Self {
        Self {
            errno: 0,
            name: "OK".to_owned(),
            applied: true,
            message: None,
        }
    }

    /// An operation that was not done.
    pub fn refused(errno: Errno, message: Option<String>) -> Self {
        Self {
            errno: errno.0,
            name: errno.name().to_owned(),
            applied: false,
            message,
        }
    }
}

/// Why a promise is rejected. Becomes an `Error` with `code`, `errno` and `errnoName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable, e.g. `NETLINK_REFUSED`.
    pub code: &'static str,
    /// The system's number, when there is one.
    pub errno: Option<Errno>,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure whose text is that of `error` and of what caused it.
    pub fn of(code: &'static str, errno: Option<Errno>, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Self {
            code,
            errno,
            message,
        }
    }

    /// An argument that TypeScript should not have passed.
    pub fn invalid(message: String) -> Self {
        Self {
            code: "INVALID_ARGUMENT",
            errno: None,
            message,
        }
    }

    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        let message = format!("the native code panicked: {}", text.unwrap_or_default());
        Self {
            code: "NATIVE_PANIC",
            errno: None,
            message,
        }
    }

    /// The JavaScript error; only on Node's thread.
    pub fn into_error(self, env: &Env) -> Error {
        let fallback = Error::new(Status::GenericFailure, self.message.clone());
        self.javascript_error(env).unwrap_or(fallback)
    }

    fn javascript_error(self, env: &Env) -> Result<Error> {
        let mut error = env.create_error(Error::new(Status::GenericFailure, self.message))?;
        error.set("code", self.code)?;
        if let Some(errno) = self.errno {
            error.set("errno", errno.0)?;
            error.set("errnoName", errno.name())?;
        }
        Ok(Error::from(error.to_unknown()))
    }
}

/// The stable code of a netlink error.
pub fn netlink_code(error: &NetlinkError) -> &'static str {
    match error {
        NetlinkError::NotSupported { .. } => "NETLINK_NOT_SUPPORTED",
        NetlinkError::System { .. } => "NETLINK_SYSTEM",
        NetlinkError::Refused { .. } => "NETLINK_REFUSED",
        NetlinkError::Overrun => "NETLINK_OVERRUN",
        NetlinkError::Truncated { .. } => "NETLINK_TRUNCATED",
        NetlinkError::Interrupted { .. } => "NETLINK_INTERRUPTED",
        NetlinkError::TimedOut => "NETLINK_TIMED_OUT",
        NetlinkError::Malformed { .. } => "NETLINK_MALFORMED",
    }
}

impl From<NetlinkError> for Failure {
    fn from(error: NetlinkError) -> Self {
        Self::of(netlink_code(&error), Some(error.errno()), &error)
    }
}

impl From<RouteError> for Failure {
    fn from(error: RouteError) -> Self {
        let code = match &error {
            RouteError::Netlink { source, .. } => netlink_code(source),
            RouteError::Decode { .. } => "ROUTE_UNREADABLE",
            RouteError::Namespace { .. } => "NAMESPACE_ENTER",
        };
        Self::of(code, Some(error.errno()), &error)
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Namespace(source) => source.into(),
            WatchError::Netlink(source) => source.into(),
            WatchError::System { source, .. } => Self::of("WATCH_SYSTEM", Some(source), &error),
        }
    }
}

impl From<NamespaceError> for Failure {
    fn from(error: NamespaceError) -> Self {
        let (code, errno) = match &error {
            NamespaceError::Enter { source, .. } => ("NAMESPACE_ENTER", Some(*source)),
            NamespaceError::Thread { source } => ("NAMESPACE_THREAD", Some(*source)),
            NamespaceError::Busy => ("NAMESPACE_BUSY", None),
            NamespaceError::Closed => ("NAMESPACE_CLOSED", None),
        };
        Self::of(code, errno, &error)
    }
}

type Resolver<T> = Box<dyn FnOnce(Env) -> Result<T>>;

/// The other end of a promise; any thread may settle it, once. While it is pending, Node stays
/// alive.
pub struct Settle<T: ToNapiValue + 'static>(JsDeferred<T, Resolver<T>>);

impl<T: ToNapiValue + Send + 'static> Settle<T> {
    /// Resolves or rejects the promise.
    pub fn with(self, outcome: std::result::Result<T, Failure>) {
        self.0.resolve(Box::new(move |env| {
            outcome.map_err(|failure| failure.into_error(&env))
        }));
    }

    /// Runs `work` and settles with what it returns; a panic becomes a rejection. Tells whether it
    /// panicked.
    pub fn run(self, work: impl FnOnce() -> std::result::Result<T, Failure>) -> bool {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(outcome) => {
                self.with(outcome);
                false
            }
            Err(panic) => {
                self.with(Err(Failure::of_panic(panic.as_ref())));
                true
            }
        }
    }
}

/// A promise that `start` hands to the thread that will settle it. When `start` fails, the promise
/// is rejected with that.
pub fn promise<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    start: impl FnOnce(Settle<T>) -> std::result::Result<(), Failure>,
) -> Result<PromiseRaw<'env, T>> {
    let (deferred, promise): (JsDeferred<T, Resolver<T>>, Object<'env>) = env.create_deferred()?;
    let spare = Settle(deferred.clone());
    if let Err(failure) = start(Settle(deferred)) {
        spare.with(Err(failure));
    }
    Ok(PromiseRaw::new(env.raw(), promise.raw()))
}
