//! What a namespace can do over rtnetlink.

use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::netlink::NetlinkSocket;
use navstar_kernel::route::{self as kernel, Operation, RouteError};

use crate::namespace::NetworkNamespace;
use crate::operation::{Failure, OperationResult, promise};
use crate::route_object::{Address, Link, Neighbour, Route, Rule};
use crate::route_operation::RouteOperation;

/// Rejects with a code `NETLINK_…`, `ROUTE_UNREADABLE` or `NAMESPACE_…`; so for all reads.
#[napi]
impl NetworkNamespace {
    /// All links.
    #[napi(catch_unwind)]
    pub fn links<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Vec<Link>>> {
        self.read(env, kernel::links)
    }

    /// All IPv4 and IPv6 addresses.
    #[napi(catch_unwind)]
    pub fn addresses<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Vec<Address>>> {
        self.read(env, kernel::addresses)
    }

    /// All IPv4 and IPv6 routes of all tables.
    #[napi(catch_unwind)]
    pub fn routes<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Vec<Route>>> {
        self.read(env, kernel::routes)
    }

    /// All IPv4 and IPv6 rules.
    #[napi(catch_unwind)]
    pub fn rules<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Vec<Rule>>> {
        self.read(env, kernel::rules)
    }

    /// All neighbours and forwarding entries.
    #[napi(catch_unwind)]
    pub fn neighbours<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Vec<Neighbour>>> {
        self.read(env, kernel::neighbours)
    }

    /// Makes changes in order and tells the result of each; later ones are made after a failure
    /// too. Deleting what is missing is a result (`ESRCH`, `ENOENT`, `EADDRNOTAVAIL`, `ENODEV`).
    ///
    /// Rejects, with nothing done, with code `INVALID_ARGUMENT`, `NETLINK_…` or `NAMESPACE_…`.
    #[napi(catch_unwind)]
    pub fn apply_routes<'env>(
        &self,
        env: &'env Env,
        operations: Vec<RouteOperation>,
    ) -> Result<PromiseRaw<'env, Vec<OperationResult>>> {
        let operations: std::result::Result<Vec<Operation>, Failure> =
            operations.into_iter().map(TryInto::try_into).collect();
        match operations {
            Err(failure) => promise(env, |_| Err(failure)),
            Ok(operations) => self.run(env, move |sockets| {
                let results = kernel::apply(sockets.route()?, &operations);
                Ok::<_, Failure>(results.into_iter().map(result_of).collect())
            }),
        }
    }

    fn read<'env, T, U>(
        &self,
        env: &'env Env,
        read: fn(&mut NetlinkSocket) -> std::result::Result<Vec<T>, RouteError>,
    ) -> Result<PromiseRaw<'env, Vec<U>>>
    where
        T: 'static,
        U: From<T> + ToNapiValue + Send + 'static,
    {
        self.run(env, move |sockets| {
            let all = read(sockets.route()?)?;
            Ok::<_, Failure>(all.into_iter().map(U::from).collect())
        })
    }
}

fn result_of(result: std::result::Result<(), RouteError>) -> OperationResult {
    match result {
        Ok(()) => OperationResult::done(),
        Err(error) => {
            OperationResult::refused(error.errno(), error.kernel_words().map(str::to_owned))
        }
    }
}
