//! What a namespace can do with IPVS.

use napi::bindgen_prelude::{PromiseRaw, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::ipvs::{self as kernel, Client, IpvsError, record};

use crate::namespace::NetworkNamespace;
use crate::operation::{Failure, netlink_code, promise};

/// How long idle connections of all services are kept, in seconds. In a change, 0 keeps a value.
#[napi(object)]
pub struct IpvsTimeouts {
    /// Established TCP connections, e.g. 900.
    pub tcp: u32,
    /// TCP connections after a FIN, e.g. 120.
    pub tcp_fin: u32,
    /// UDP, e.g. 300.
    pub udp: u32,
}

/// What the kernel says of its IPVS.
#[napi(object, object_from_js = false)]
pub struct IpvsInformation {
    /// E.g. `1.2.1`.
    pub version: String,
    /// Buckets of the connection table, e.g. 4096.
    pub connection_table_size: u32,
}

/// Services and destinations as records; `native/kernel/src/ipvs/record.rs` tells their layout.
#[napi(object, object_from_js = false)]
pub struct IpvsRecords {
    /// n × 120 bytes.
    pub services: Uint8Array,
    /// Those of the first service, then those of the second, …: n × 128 bytes.
    pub destinations: Uint8Array,
    /// Names of the schedulers that services have the number of.
    pub schedulers: Vec<String>,
}

/// One operation that the kernel refused.
#[napi(object, object_from_js = false)]
pub struct IpvsRefusal {
    /// Position in the list.
    pub index: u32,
    /// E.g. 17.
    pub errno: i32,
    /// E.g. `EEXIST`.
    pub name: String,
    /// E.g. `service tcp 11.0.0.1:80 exists already`.
    pub message: String,
}

/// Rejects with code `IPVS_NOT_SUPPORTED`, `NETLINK_…` or `NAMESPACE_…`; so for all methods.
#[napi]
impl NetworkNamespace {
    /// Version and size. The module `ip_vs` is loaded where the kernel can.
    #[napi(catch_unwind)]
    pub fn ipvs_information<'env>(
        &self,
        env: &'env Env,
    ) -> Result<PromiseRaw<'env, IpvsInformation>> {
        self.ipvs(env, |client| {
            let information = client.information()?;
            let (major, minor, patch) = information.version;
            Ok(IpvsInformation {
                version: format!("{major}.{minor}.{patch}"),
                connection_table_size: information.connection_table_size,
            })
        })
    }

    /// All services with their destinations and statistics.
    ///
    /// Rejects with code `IPVS_RESTLESS` when they changed during every attempt to read them.
    #[napi(catch_unwind)]
    pub fn ipvs_observe<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, IpvsRecords>> {
        self.ipvs(env, |client| {
            let records = record::records(&client.observe()?);
            Ok(IpvsRecords {
                services: records.services.into(),
                destinations: records.destinations.into(),
                schedulers: records.schedulers,
            })
        })
    }

    /// Applies operations in order, n × 68 bytes; resolves with those that the kernel refused.
    /// Later ones are applied after a refusal too.
    ///
    /// Rejects, with nothing sent, with code `INVALID_ARGUMENT`. After `NETLINK_…` it is unknown
    /// what the kernel did.
    #[napi(catch_unwind)]
    pub fn ipvs_apply<'env>(
        &self,
        env: &'env Env,
        operations: Uint8Array,
        schedulers: Vec<String>,
    ) -> Result<PromiseRaw<'env, Vec<IpvsRefusal>>> {
        match record::operations(&operations, &schedulers) {
            Some(operations) => self.ipvs(env, move |client| {
                let results = client.apply(&operations)?;
                let indexed = (0..).zip(results);
                Ok(indexed
                    .filter_map(|(index, result)| refusal(index, &result))
                    .collect())
            }),
            None => promise(env, |_| {
                Err(Failure::invalid(
                    "operations of IPVS: not such records".to_owned(),
                ))
            }),
        }
    }

    /// How long idle connections are kept.
    #[napi(catch_unwind)]
    pub fn ipvs_timeouts<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, IpvsTimeouts>> {
        self.ipvs(env, |client| {
            let timeouts = client.timeouts()?;
            Ok(IpvsTimeouts {
                tcp: timeouts.tcp_seconds,
                tcp_fin: timeouts.tcp_fin_seconds,
                udp: timeouts.udp_seconds,
            })
        })
    }

    /// Changes how long idle connections are kept.
    ///
    /// Rejects with code `NETLINK_REFUSED` and `EINVAL` for more than the kernel can count.
    #[napi(catch_unwind)]
    pub fn ipvs_set_timeouts<'env>(
        &self,
        env: &'env Env,
        timeouts: IpvsTimeouts,
    ) -> Result<PromiseRaw<'env, ()>> {
        self.ipvs(env, move |client| {
            client.set_timeouts(&kernel::Timeouts {
                tcp_seconds: timeouts.tcp,
                tcp_fin_seconds: timeouts.tcp_fin,
                udp_seconds: timeouts.udp,
            })
        })
    }

    fn ipvs<'env, T: napi::bindgen_prelude::ToNapiValue + Send + 'static>(
        &self,
        env: &'env Env,
        work: impl FnOnce(&mut Client) -> std::result::Result<T, IpvsError> + Send + 'static,
    ) -> Result<PromiseRaw<'env, T>> {
        self.run(env, |sockets| work(sockets.ipvs()?))
    }
}

fn refusal(index: u32, result: &kernel::OperationResult) -> Option<IpvsRefusal> {
    let refusal = result.refusal.as_ref()?;
    Some(IpvsRefusal {
        index,
        errno: result.errno.0,
        name: result.errno.name().to_owned(),
        message: refusal.to_string(),
    })
}

impl From<IpvsError> for Failure {
    fn from(error: IpvsError) -> Self {
        let (code, errno) = match &error {
            IpvsError::NotSupported { source } => ("IPVS_NOT_SUPPORTED", Some(source.errno())),
            IpvsError::Netlink { source, .. } => (netlink_code(source), Some(source.errno())),
            IpvsError::Restless { .. } => ("IPVS_RESTLESS", None),
        };
        Self::of(code, errno, &error)
    }
}
