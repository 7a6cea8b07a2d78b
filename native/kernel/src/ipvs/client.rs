//! The socket and what it can read.

use std::collections::HashSet;
use std::hash::Hash;

use super::codes::FAMILY;
use super::destination::ObservedDestination;
use super::error::IpvsError;
use super::service::{Service, ServiceKey};
use super::statistics::{Information, Statistics, Timeouts};
use super::{decode, encode};
use crate::netlink::{Message, NetlinkError, NetlinkSocket, Protocol, Request, generic};

/// How often a table that changes is read again.
const ATTEMPTS: u32 = 16;

/// A service as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedService {
    /// As it was made.
    pub service: Service,
    /// Counters and rates.
    pub statistics: Statistics,
    /// In no order.
    pub destinations: Vec<ObservedDestination>,
}

/// IPVS in the network namespace of the thread that opened it: the one writer there.
#[derive(Debug)]
pub struct Client {
    pub(super) socket: NetlinkSocket,
    pub(super) family: u16,
    /// Kept, so that its memory is used again.
    pub(super) batch: Vec<u8>,
}

impl Client {
    /// Opens a socket and looks the family up, which loads the module `ip_vs` where it may.
    ///
    /// # Errors
    /// [`IpvsError::NotSupported`] without IPVS, else [`IpvsError::Netlink`].
    pub fn open() -> Result<Self, IpvsError> {
        let opening = || {
            let mut socket = NetlinkSocket::open(Protocol::Generic)?;
            let family = generic::family_id(&mut socket, FAMILY)?;
            Ok(Self {
                socket,
                family,
                batch: Vec::new(),
            })
        };
        opening().map_err(|source| match source {
            NetlinkError::NotSupported { .. } => IpvsError::NotSupported { source },
            _ => IpvsError::of("open", "IPVS")(source),
        })
    }

    /// All services with their destinations. A service that is deleted meanwhile has none.
    ///
    /// # Errors
    /// As [`Client::services`].
    pub fn observe(&mut self) -> Result<Vec<ObservedService>, IpvsError> {
        let services = self.services()?;
        let mut observed = Vec::with_capacity(services.len());
        for (service, statistics) in services {
            let destinations = self.destinations(&service.key)?;
            observed.push(ObservedService {
                service,
                statistics,
                destinations,
            });
        }
        Ok(observed)
    }

    /// All services, without destinations.
    ///
    /// # Errors
    /// [`IpvsError::Restless`] when they changed during every attempt, else [`IpvsError::Netlink`].
    pub fn services(&mut self) -> Result<Vec<(Service, Statistics)>, IpvsError> {
        self.services_observed(&mut |_| {})
    }

    /// [`Client::services`] that calls `between` after each datagram, for tests that interrupt.
    pub(super) fn services_observed(
        &mut self,
        between: &mut dyn FnMut(u32),
    ) -> Result<Vec<(Service, Statistics)>, IpvsError> {
        let failed = || IpvsError::of("read", "services");
        let request = encode::services_request(self.family).map_err(failed())?;
        self.steady(&request, between, decode::service, |(service, _)| {
            service.key
        })
        .map_err(failed())?
        .ok_or_else(|| restless("services"))
    }

    /// The destinations of a service; none also when there is no such service, which the kernel
    /// does not tell.
    ///
    /// # Errors
    /// As [`Client::services`].
    pub fn destinations(
        &mut self,
        key: &ServiceKey,
    ) -> Result<Vec<ObservedDestination>, IpvsError> {
        let failed = || IpvsError::of("read destinations of", key.to_string());
        let request = encode::destinations_request(self.family, key).map_err(failed())?;
        let decode = |payload: &[u8]| decode::destination(payload, key.family());
        self.steady(&request, &mut |_| {}, decode, |observed| {
            observed.destination.endpoint
        })
        .map_err(failed())?
        .ok_or_else(|| restless(&format!("destinations of {key}")))
    }

    /// How long idle connections are kept.
    ///
    /// # Errors
    /// [`IpvsError::Netlink`]
    pub fn timeouts(&mut self) -> Result<Timeouts, IpvsError> {
        let request = encode::timeouts_request(self.family);
        self.ask(request, decode::timeouts)
            .map_err(IpvsError::of("read", "timeouts"))
    }

    /// Changes how long idle connections are kept; 0 keeps a value.
    ///
    /// # Errors
    /// [`IpvsError::Netlink`], e.g. with `EINVAL` for more than the kernel can count.
    pub fn set_timeouts(&mut self, timeouts: &Timeouts) -> Result<(), IpvsError> {
        encode::set_timeouts_request(self.family, timeouts)
            .and_then(|request| self.socket.request(&request))
            .map(drop)
            .map_err(IpvsError::of("set", "timeouts"))
    }

    /// Version and size.
    ///
    /// # Errors
    /// [`IpvsError::Netlink`]
    pub fn information(&mut self) -> Result<Information, IpvsError> {
        let request = encode::information_request(self.family);
        self.ask(request, decode::information)
            .map_err(IpvsError::of("read", "version"))
    }

    fn ask<T>(
        &mut self,
        request: Result<Request, NetlinkError>,
        decode: fn(&[u8]) -> Result<T, NetlinkError>,
    ) -> Result<T, NetlinkError> {
        let answers = self.socket.request(&request?)?;
        let answer = answers.first().ok_or(NetlinkError::Malformed {
            what: "IPVS answer",
        })?;
        decode(&answer.payload)
    }

    /// A dump that nothing overtook; `None` when every attempt was overtaken.
    ///
    /// IPVS never sets `NLM_F_DUMP_INTR` and goes on by position: a change between two datagrams
    /// hides an object or tells it twice. A dump of one datagram is of one moment; a longer one is
    /// taken when the next names the same objects.
    fn steady<T, Name: Hash + Eq>(
        &mut self,
        request: &Request,
        between: &mut dyn FnMut(u32),
        decode: impl Fn(&[u8]) -> Result<T, NetlinkError>,
        name: impl Fn(&T) -> Name,
    ) -> Result<Option<Vec<T>>, NetlinkError> {
        let mut before: Option<HashSet<Name>> = None;
        for _ in 0..ATTEMPTS {
            let mut datagrams = 0;
            let messages = self.socket.dump_observed(request, &mut || {
                datagrams += 1;
                between(datagrams);
            })?;
            let objects = messages
                .iter()
                .map(|message: &Message| decode(&message.payload))
                .collect::<Result<Vec<T>, _>>()?;
            let names: HashSet<Name> = objects.iter().map(&name).collect();
            let is_distinct = names.len() == objects.len();
            // The last datagram only ends the dump, and `between` is not called after it.
            if datagrams <= 1 || (is_distinct && before.as_ref() == Some(&names)) {
                return Ok(Some(objects));
            }
            before = is_distinct.then_some(names);
        }
        Ok(None)
    }
}

fn restless(object: &str) -> IpvsError {
    IpvsError::Restless {
        object: object.to_owned(),
        attempts: ATTEMPTS,
    }
}
