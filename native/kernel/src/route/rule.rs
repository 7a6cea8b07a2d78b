//! Policy routing rules: which table a packet is looked up in.
//!
//! **Source:** `include/uapi/linux/fib_rules.h`

use std::net::IpAddr;

use netlink_packet_route::route::{RouteHeader, RouteProtocol};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Prefix;

/// A rule that looks a table up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it is for IPv6.
    pub is_v6: bool,
    /// Rules are tried from the lowest.
    pub priority: u32,
    /// The table to look up.
    pub table: u32,
    /// Only packets from there.
    pub source: Option<Prefix>,
    /// Only packets to there.
    pub destination: Option<Prefix>,
    /// Only packets with this firewall mark.
    pub mark: Option<u32>,
    /// `RTPROT_…`: who made it.
    pub protocol: Option<u8>,
}

impl Rule {
    pub(super) fn decode(message: &RuleMessage) -> Option<Self> {
        let header = &message.header;
        let is_v6 = match header.family {
            AddressFamily::Inet => false,
            AddressFamily::Inet6 => true,
            _ => return None,
        };
        let mut rule = Self {
            is_v6,
            priority: 0,
            table: header.table.into(),
            source: None,
            destination: None,
            mark: None,
            protocol: None,
        };
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Priority(priority) => rule.priority = *priority,
                RuleAttribute::Table(table) => rule.table = *table,
                RuleAttribute::Source(ip) => rule.source = Prefix::new(*ip, header.src_len),
                RuleAttribute::Destination(ip) => {
                    rule.destination = Prefix::new(*ip, header.dst_len);
                }
                RuleAttribute::FwMark(mark) => rule.mark = Some(*mark),
                RuleAttribute::Protocol(protocol) => rule.protocol = Some((*protocol).into()),
                _ => {}
            }
        }
        Some(rule)
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        let header = &mut message.header;
        header.family = if self.is_v6 {
            AddressFamily::Inet6
        } else {
            AddressFamily::Inet
        };
        header.table = u8::try_from(self.table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC);
        header.action = RuleAction::ToTable;
        header.src_len = self.source.map_or(0, |block| block.length);
        header.dst_len = self.destination.map_or(0, |block| block.length);
        let attributes = &mut message.attributes;
        attributes.push(RuleAttribute::Table(self.table));
        attributes.push(RuleAttribute::Priority(self.priority));
        attributes.extend(present(self.source).map(RuleAttribute::Source));
        attributes.extend(present(self.destination).map(RuleAttribute::Destination));
        attributes.extend(self.mark.map(RuleAttribute::FwMark));
        attributes.extend(
            self.protocol
                .map(|value| RuleAttribute::Protocol(RouteProtocol::from(value))),
        );
        message
    }

    pub(super) fn addition(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::NewRule(self.message())
    }

    pub(super) fn deletion(&self) -> RouteNetlinkMessage {
        RouteNetlinkMessage::DelRule(self.message())
    }
}

/// The kernel refuses a zero-length block that carries an address.
fn present(block: Option<Prefix>) -> Option<IpAddr> {
    block
        .filter(|block| block.length > 0)
        .map(|block| block.address)
}
