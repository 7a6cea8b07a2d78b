//! Reads whole tables, each consistent: an interrupted dump is read again.

use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::codec::{decode, encode};
use super::{Address, Link, Neighbour, Route, RouteError, Rule};
use crate::netlink::NetlinkSocket;

const INTERNET: [AddressFamily; 2] = [AddressFamily::Inet, AddressFamily::Inet6];

/// All links.
///
/// # Errors
/// [`RouteError::Netlink`] or [`RouteError::Decode`]; so for every reader here.
pub fn links(socket: &mut NetlinkSocket) -> Result<Vec<Link>, RouteError> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    dump(socket, "link", &request, |message| match message {
        RouteNetlinkMessage::NewLink(link) => Some(Link::decode(&link)),
        _ => None,
    })
}

/// All IPv4 and IPv6 addresses.
///
/// # Errors
/// As [`links`].
pub fn addresses(socket: &mut NetlinkSocket) -> Result<Vec<Address>, RouteError> {
    for_each_family(&INTERNET, |family| {
        let mut request = AddressMessage::default();
        request.header.family = family;
        let request = RouteNetlinkMessage::GetAddress(request);
        dump(socket, "address", &request, |message| match message {
            RouteNetlinkMessage::NewAddress(address) if address.header.family == family => {
                Address::decode(&address)
            }
            _ => None,
        })
    })
}

/// All IPv4 and IPv6 routes of all tables.
///
/// # Errors
/// As [`links`].
pub fn routes(socket: &mut NetlinkSocket) -> Result<Vec<Route>, RouteError> {
    for_each_family(&INTERNET, |family| {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        let request = RouteNetlinkMessage::GetRoute(request);
        dump(socket, "route", &request, |message| match message {
            RouteNetlinkMessage::NewRoute(route) if route.header.address_family == family => {
                Route::decode(&route)
            }
            _ => None,
        })
    })
}

/// All IPv4 and IPv6 rules.
///
/// # Errors
/// As [`links`].
pub fn rules(socket: &mut NetlinkSocket) -> Result<Vec<Rule>, RouteError> {
    for_each_family(&INTERNET, |family| {
        let mut request = RuleMessage::default();
        request.header.family = family;
        let request = RouteNetlinkMessage::GetRule(request);
        dump(socket, "rule", &request, |message| match message {
            RouteNetlinkMessage::NewRule(rule) if rule.header.family == family => {
                Rule::decode(&rule)
            }
            _ => None,
        })
    })
}

/// All neighbours and forwarding entries.
///
/// # Errors
/// As [`links`].
pub fn neighbours(socket: &mut NetlinkSocket) -> Result<Vec<Neighbour>, RouteError> {
    let families = [
        AddressFamily::Inet,
        AddressFamily::Inet6,
        AddressFamily::Bridge,
    ];
    for_each_family(&families, |family| {
        let mut request = NeighbourMessage::default();
        request.header.family = family;
        let request = RouteNetlinkMessage::GetNeighbour(request);
        dump(socket, "neighbour", &request, |message| match message {
            RouteNetlinkMessage::NewNeighbour(entry) if entry.header.family == family => {
                Neighbour::decode(&entry)
            }
            _ => None,
        })
    })
}

/// A family that the kernel lacks is answered for all families; `read` skips those of others.
fn for_each_family<T>(
    families: &[AddressFamily],
    mut read: impl FnMut(AddressFamily) -> Result<Vec<T>, RouteError>,
) -> Result<Vec<T>, RouteError> {
    let mut all = Vec::new();
    for family in families {
        all.append(&mut read(*family)?);
    }
    Ok(all)
}

fn dump<T>(
    socket: &mut NetlinkSocket,
    object: &'static str,
    request: &RouteNetlinkMessage,
    select: impl Fn(RouteNetlinkMessage) -> Option<T>,
) -> Result<Vec<T>, RouteError> {
    let answers = socket
        .dump(&encode(request, 0))
        .map_err(|source| RouteError::Netlink {
            operation: "dump all of",
            object: object.to_owned(),
            source,
        })?;
    let decoded = answers
        .iter()
        .map(|answer| decode(object, answer).map(&select));
    decoded.filter_map(Result::transpose).collect()
}
