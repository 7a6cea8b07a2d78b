//! What a namespace can do with connection tracking.

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::conntrack::{self as kernel, ConntrackError};

use crate::namespace::NetworkNamespace;
use crate::operation::{Failure, netlink_code, promise};

/// One end of a connection.
#[napi(object)]
pub struct ConntrackEndpoint {
    /// E.g. `10.0.0.1`.
    pub address: String,
    /// E.g. 53.
    pub port: u16,
}

/// What connections are found by.
#[napi(object, object_to_js = false)]
pub struct ConntrackFlow {
    /// A protocol with ports.
    #[napi(ts_type = "'tcp' | 'udp' | 'sctp'")]
    pub protocol: String,
    /// Where the first packet was sent to.
    pub original_destination: ConntrackEndpoint,
    /// Where it really went; absent: anywhere.
    pub reply_source: Option<ConntrackEndpoint>,
}

/// Packets of one direction.
#[napi(object)]
pub struct ConntrackTuple {
    /// Who sends them.
    pub source: ConntrackEndpoint,
    /// Where they go.
    pub destination: ConntrackEndpoint,
}

/// A tracked connection.
#[napi(object, object_from_js = false)]
pub struct ConntrackEntry {
    /// A protocol with ports.
    #[napi(ts_type = "'tcp' | 'udp' | 'sctp'")]
    pub protocol: String,
    /// The first packet, as its sender made it.
    pub original: ConntrackTuple,
    /// An answer, before it is translated back.
    pub reply: ConntrackTuple,
    /// It ends when nothing comes for this long.
    pub timeout_seconds: u32,
}

/// Rejects with code `INVALID_ARGUMENT`, `NETLINK_…` or `NAMESPACE_…`; so for all methods.
#[napi]
impl NetworkNamespace {
    /// The connections of these flows.
    #[napi(catch_unwind)]
    pub fn conntrack_entries<'env>(
        &self,
        env: &'env Env,
        flows: Vec<ConntrackFlow>,
    ) -> Result<PromiseRaw<'env, Vec<ConntrackEntry>>> {
        match read(flows) {
            Err(failure) => promise(env, |_| Err(failure)),
            Ok(flows) => self.run(env, move |sockets| {
                let entries = kernel::entries(sockets.netfilter()?, &flows)?;
                Ok::<_, Failure>(entries.into_iter().map(ConntrackEntry::from).collect())
            }),
        }
    }

    /// Deletes the connections of these flows, and no others; resolves with how many.
    #[napi(catch_unwind)]
    pub fn conntrack_delete<'env>(
        &self,
        env: &'env Env,
        flows: Vec<ConntrackFlow>,
    ) -> Result<PromiseRaw<'env, u32>> {
        match read(flows) {
            Err(failure) => promise(env, |_| Err(failure)),
            Ok(flows) => self.run(env, move |sockets| {
                let deleted = kernel::delete(sockets.netfilter()?, &flows)?;
                Ok::<_, Failure>(u32::try_from(deleted).unwrap_or(u32::MAX))
            }),
        }
    }
}

#[napi]
impl NetworkNamespace {
    /// Makes entries of connections of TCP that are established and not translated; resolves with
    /// how many were not tracked before.
    #[napi(catch_unwind)]
    pub fn conntrack_track<'env>(
        &self,
        env: &'env Env,
        connections: Vec<ConntrackTuple>,
        timeout_seconds: u32,
    ) -> Result<PromiseRaw<'env, u32>> {
        let read: std::result::Result<Vec<kernel::Tuple>, Failure> =
            connections.into_iter().map(TryInto::try_into).collect();
        match read {
            Err(failure) => promise(env, |_| Err(failure)),
            Ok(connections) => self.run(env, move |sockets| {
                let tracked = kernel::track(sockets.netfilter()?, &connections, timeout_seconds)?;
                Ok::<_, Failure>(u32::try_from(tracked).unwrap_or(u32::MAX))
            }),
        }
    }
}

impl TryFrom<ConntrackTuple> for kernel::Tuple {
    type Error = Failure;

    fn try_from(tuple: ConntrackTuple) -> std::result::Result<Self, Failure> {
        Ok(Self {
            protocol: 6,
            source: tuple.source.try_into()?,
            destination: tuple.destination.try_into()?,
        })
    }
}

const PROTOCOLS: [(&str, u8); 3] = [("tcp", 6), ("udp", 17), ("sctp", 132)];

fn read(flows: Vec<ConntrackFlow>) -> std::result::Result<Vec<kernel::Flow>, Failure> {
    flows.into_iter().map(TryInto::try_into).collect()
}

impl TryFrom<ConntrackFlow> for kernel::Flow {
    type Error = Failure;

    fn try_from(flow: ConntrackFlow) -> std::result::Result<Self, Failure> {
        let known = PROTOCOLS.iter().find(|(name, _)| *name == flow.protocol);
        let (_, protocol) =
            known.ok_or_else(|| Failure::invalid(format!("protocol {:?}", flow.protocol)))?;
        Ok(Self {
            protocol: *protocol,
            original_destination: flow.original_destination.try_into()?,
            reply_source: flow.reply_source.map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<ConntrackEndpoint> for kernel::Endpoint {
    type Error = Failure;

    fn try_from(endpoint: ConntrackEndpoint) -> std::result::Result<Self, Failure> {
        let ConntrackEndpoint { address, port } = endpoint;
        let address = address
            .parse()
            .map_err(|_| Failure::invalid(format!("address {address:?}")))?;
        Ok(Self { address, port })
    }
}

impl From<kernel::Entry> for ConntrackEntry {
    fn from(entry: kernel::Entry) -> Self {
        let number = entry.original.protocol;
        let known = PROTOCOLS.iter().find(|(_, known)| *known == number);
        Self {
            protocol: known.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned()),
            original: entry.original.into(),
            reply: entry.reply.into(),
            timeout_seconds: entry.timeout_seconds,
        }
    }
}

impl From<kernel::Tuple> for ConntrackTuple {
    fn from(tuple: kernel::Tuple) -> Self {
        Self {
            source: tuple.source.into(),
            destination: tuple.destination.into(),
        }
    }
}

impl From<kernel::Endpoint> for ConntrackEndpoint {
    fn from(endpoint: kernel::Endpoint) -> Self {
        Self {
            address: endpoint.address.to_string(),
            port: endpoint.port,
        }
    }
}

impl From<ConntrackError> for Failure {
    fn from(error: ConntrackError) -> Self {
        let code = netlink_code(&error.source);
        Self::of(code, Some(error.source.errno()), &error)
    }
}
