//! From notifications to events: pure.
//!
//! **Source:** `include/uapi/linux/netfilter/nf_tables.h` (`enum nf_tables_msg_types`),
//! `include/uapi/linux/rtnetlink.h`

use netlink_packet_route::route::RouteFlags;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::netlink::{Message, attributes};
use crate::route::codec::decode;
use crate::route::{Address, Link, Route};

const SUBSYSTEM_NFTABLES: u16 = 10;
const DELETE_TABLE: u16 = 2;
const NEW_GENERATION: u16 = 15;
const FAMILY_INET: u8 = 1;
/// In every message of `nf_tables` that is about a table or what is in it.
const ATTRIBUTE_TABLE: u16 = 1;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A link; the subject is its name.
    Link,
    /// An address; the subject is `address/length`.
    Address,
    /// A route; the subject is its destination, e.g. `11.0.0.0/8`.
    Route,
    /// A table of family inet; the subject is its name.
    Nftables,
    /// Events were lost; the subject is the name of their kind. Read everything again.
    Overflow,
}

impl Kind {
    /// The name, e.g. `route`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Address => "address",
            Self::Route => "route",
            Self::Nftables => "nftables",
            Self::Overflow => "overflow",
        }
    }
}

/// A change that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// Which one.
    pub subject: String,
    /// It is gone.
    pub is_removal: bool,
}

impl Event {
    /// Events of this kind were lost.
    #[must_use]
    pub fn overflow(kind: Kind) -> Self {
        Self {
            kind: Kind::Overflow,
            subject: kind.name().to_owned(),
            is_removal: false,
        }
    }
}

/// The event of an rtnetlink notification; `None` when it is of no interest.
///
/// # Errors
/// When it cannot be read: something changed, but not known what.
pub fn route_event(message: &Message) -> Result<Option<Event>, crate::route::RouteError> {
    use RouteNetlinkMessage as Rtnetlink;
    let (kind, subject, is_removal) = match decode("notification", message)? {
        // A bridge tells that a port left it by deleting the link in its own family.
        Rtnetlink::DelLink(link) if link.header.interface_family == AddressFamily::Bridge => {
            (Kind::Link, Some(Link::decode(&link).name), false)
        }
        Rtnetlink::NewLink(link) => (Kind::Link, Some(Link::decode(&link).name), false),
        Rtnetlink::DelLink(link) => (Kind::Link, Some(Link::decode(&link).name), true),
        Rtnetlink::NewAddress(address) => {
            (Kind::Address, subject_of(Address::decode(&address)), false)
        }
        Rtnetlink::DelAddress(address) => {
            (Kind::Address, subject_of(Address::decode(&address)), true)
        }
        Rtnetlink::NewRoute(route) | Rtnetlink::DelRoute(route)
            if route.header.flags.contains(RouteFlags::Cloned) =>
        {
            return Ok(None);
        }
        Rtnetlink::NewRoute(route) => (Kind::Route, destination_of(Route::decode(&route)), false),
        Rtnetlink::DelRoute(route) => (Kind::Route, destination_of(Route::decode(&route)), true),
        _ => return Ok(None),
    };
    Ok(subject.map(|subject| Event {
        kind,
        subject,
        is_removal,
    }))
}

fn subject_of(address: Option<Address>) -> Option<String> {
    address.map(|address| format!("{}/{}", address.address, address.prefix_length))
}

fn destination_of(route: Option<Route>) -> Option<String> {
    route.map(|route| route.destination.to_string())
}

/// Collects what a transaction touches until the message that ends it.
#[derive(Debug, Default)]
pub struct Transaction {
    touched: Vec<Event>,
}

impl Transaction {
    /// Takes a notification. Returns the events of the transaction, one per table of `watched`,
    /// when this message ends it.
    pub fn take(&mut self, message: &Message, watched: &[String]) -> Vec<Event> {
        if message.kind >> 8 != SUBSYSTEM_NFTABLES {
            return Vec::new();
        }
        let kind = message.kind & 0xff;
        if kind == NEW_GENERATION {
            return std::mem::take(&mut self.touched);
        }
        if let Some(table) = table_of(message).filter(|table| watched.contains(table)) {
            let is_removal = kind == DELETE_TABLE;
            merge(
                &mut self.touched,
                Event {
                    kind: Kind::Nftables,
                    subject: table,
                    is_removal,
                },
            );
        }
        Vec::new()
    }
}

fn table_of(message: &Message) -> Option<String> {
    let (header, rest) = message.payload.split_first_chunk::<4>()?;
    let [FAMILY_INET, ..] = header else {
        return None;
    };
    let first = attributes(rest)
        .filter_map(Result::ok)
        .find(|it| it.kind == ATTRIBUTE_TABLE)?;
    first.text().ok().map(str::to_owned)
}

/// Adds an event, or lets it speak for an earlier one with the same subject.
pub fn merge(events: &mut Vec<Event>, event: Event) {
    let same =
        |earlier: &&mut Event| earlier.kind == event.kind && earlier.subject == event.subject;
    match events.iter_mut().find(same) {
        Some(earlier) => earlier.is_removal = event.is_removal,
        None => events.push(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Attributes;

    fn table_message(kind: u16, family: u8, table: &str) -> Message {
        let mut attributes = Attributes::new();
        attributes.put_text(ATTRIBUTE_TABLE, table);
        let mut payload = vec![family, 0, 0, 0];
        payload.extend(attributes.into_bytes().unwrap());
        Message {
            kind: 0x0a00 | kind,
            flags: 0,
            sequence: 1,
            port: 9,
            payload,
        }
    }

    fn nftables(subject: &str, is_removal: bool) -> Event {
        Event {
            kind: Kind::Nftables,
            subject: subject.to_owned(),
            is_removal,
        }
    }

    #[test]
    fn makes_one_event_per_watched_table_at_the_end_of_a_transaction() {
        let watched = ["ours".to_owned(), "other".to_owned()];
        let mut transaction = Transaction::default();
        let messages = [
            table_message(3, FAMILY_INET, "ours"),
            table_message(12, FAMILY_INET, "ours"),
            table_message(0, FAMILY_INET, "foreign"),
            table_message(0, 2, "other"),
            table_message(DELETE_TABLE, FAMILY_INET, "other"),
        ];
        for message in &messages {
            assert!(transaction.take(message, &watched).is_empty());
        }
        let end = table_message(NEW_GENERATION, 0, "");
        let events = transaction.take(&end, &watched);
        assert_eq!(events, [nftables("ours", false), nftables("other", true)]);
        assert!(transaction.take(&end, &watched).is_empty());
    }

    #[test]
    fn lets_the_last_change_of_a_subject_speak() {
        let mut events = Vec::new();
        for is_removal in [false, true, false] {
            merge(&mut events, nftables("ours", is_removal));
        }
        merge(&mut events, nftables("theirs", true));
        assert_eq!(events, [nftables("ours", false), nftables("theirs", true)]);
    }

    #[test]
    fn refuses_a_notification_it_cannot_read() {
        let broken = Message {
            kind: 24,
            flags: 0,
            sequence: 0,
            port: 0,
            payload: vec![1],
        };
        assert!(route_event(&broken).is_err());
    }
}
