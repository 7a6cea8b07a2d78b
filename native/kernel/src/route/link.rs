//! Network devices.
//!
//! **Source:** `include/uapi/linux/if_link.h`

use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, InfoVxlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use super::Mac;

/// A link as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index in this namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// `veth`, `bridge`, `vxlan`, …; absent for hardware and lo.
    pub kind: Option<String>,
    /// Administratively up.
    pub is_up: bool,
    /// lo.
    pub is_loopback: bool,
    /// Bytes.
    pub mtu: u32,
    /// Absent for links without Ethernet addresses.
    pub mac: Option<Mac>,
    /// Index of the bridge it is a port of.
    pub master_index: Option<u32>,
    /// Number this namespace has for that of its peer, when that is another one.
    pub peer_namespace_id: Option<i32>,
    /// For kind `vxlan`.
    pub vxlan: Option<Vxlan>,
}

/// What makes a VXLAN device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vxlan {
    /// Network identifier.
    pub vni: u32,
    /// UDP destination port.
    pub port: u16,
    /// Tunnel source address.
    pub local: Option<IpAddr>,
    /// Index of the underlying link.
    pub underlay_index: Option<u32>,
    /// Learns from received packets.
    pub is_learning: bool,
}

/// A link to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewLink {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// `veth`, `bridge`, `vxlan`, `ifb`, …
    pub kind: String,
    /// Bytes; the kernel's default otherwise.
    pub mtu: Option<u32>,
    /// Random otherwise.
    pub mac: Option<Mac>,
    /// Made up.
    pub is_up: bool,
    /// For kind `veth`: the other end's name.
    pub peer_name: Option<String>,
    /// For kind `veth`: the namespace of the other end, e.g. `/run/netns/blue`.
    pub peer_namespace_path: Option<PathBuf>,
    /// For kind `vxlan`.
    pub vxlan: Option<Vxlan>,
}

/// A change of a link; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// Which link.
    pub index: u32,
    /// Up or down.
    pub is_up: Option<bool>,
    /// Bytes.
    pub mtu: Option<u32>,
    /// Its new link-layer address.
    pub mac: Option<Mac>,
    /// Makes it a port of this bridge; 0 takes it out.
    pub master_index: Option<u32>,
    /// Renames it; it must be down.
    pub name: Option<String>,
    /// Moves it to this namespace, e.g. `/run/netns/blue`.
    pub namespace_path: Option<PathBuf>,
}

impl Link {
    pub(crate) fn decode(message: &LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            name: String::new(),
            kind: None,
            is_up: flags.contains(LinkFlags::Up),
            is_loopback: flags.contains(LinkFlags::Loopback),
            mtu: 0,
            mac: None,
            master_index: None,
            peer_namespace_id: None,
            vxlan: None,
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Address(bytes) => link.mac = Mac::from_slice(bytes),
                LinkAttribute::Controller(index) => link.master_index = Some(*index),
                LinkAttribute::LinkNetNsId(id) => link.peer_namespace_id = Some(*id),
                LinkAttribute::LinkInfo(infos) => link.read_kind(infos),
                _ => {}
            }
        }
        link
    }

    fn read_kind(&mut self, infos: &[LinkInfo]) {
        for info in infos {
            match info {
                LinkInfo::Kind(kind) => self.kind = Some(kind.to_string()),
                LinkInfo::Data(InfoData::Vxlan(options)) => self.vxlan = Some(Vxlan::of(options)),
                _ => {}
            }
        }
    }
}

impl Vxlan {
    fn of(options: &[InfoVxlan]) -> Self {
        let mut vxlan = Self::default();
        for option in options {
            match option {
                InfoVxlan::Id(vni) => vxlan.vni = *vni,
                InfoVxlan::Port(port) => vxlan.port = *port,
                InfoVxlan::Local(ip) => vxlan.local = Some((*ip).into()),
                InfoVxlan::Local6(ip) => vxlan.local = Some((*ip).into()),
                InfoVxlan::Link(index) => vxlan.underlay_index = Some(*index),
                InfoVxlan::Learning(is_learning) => vxlan.is_learning = *is_learning,
                _ => {}
            }
        }
        vxlan
    }

    fn options(&self) -> Vec<InfoVxlan> {
        let mut options = vec![
            InfoVxlan::Id(self.vni),
            InfoVxlan::Port(self.port),
            InfoVxlan::Learning(self.is_learning),
        ];
        options.extend(self.local.map(|ip| match ip {
            IpAddr::V4(ip) => InfoVxlan::Local(ip),
            IpAddr::V6(ip) => InfoVxlan::Local6(ip),
        }));
        options.extend(self.underlay_index.map(InfoVxlan::Link));
        options
    }
}

impl NewLink {
    /// `peer_namespace` is [`NewLink::peer_namespace_path`], opened.
    pub(super) fn addition(&self, peer_namespace: Option<BorrowedFd<'_>>) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        if self.is_up {
            message.header.flags = LinkFlags::Up;
            message.header.change_mask = LinkFlags::Up;
        }
        let attributes = &mut message.attributes;
        attributes.push(LinkAttribute::IfName(self.name.clone()));
        attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        let mut infos = vec![LinkInfo::Kind(kind_of(&self.kind))];
        infos.extend(self.peer(peer_namespace).map(LinkInfo::Data));
        infos.extend(
            self.vxlan
                .as_ref()
                .map(|vxlan| LinkInfo::Data(InfoData::Vxlan(vxlan.options()))),
        );
        attributes.push(LinkAttribute::LinkInfo(infos));
        RouteNetlinkMessage::NewLink(message)
    }

    fn peer(&self, namespace: Option<BorrowedFd<'_>>) -> Option<InfoData> {
        let name = self.peer_name.as_ref()?;
        let mut peer = LinkMessage::default();
        peer.attributes.push(LinkAttribute::IfName(name.clone()));
        peer.attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        peer.attributes
            .extend(namespace.map(|fd| LinkAttribute::NetNsFd(fd.as_raw_fd())));
        Some(InfoData::Veth(InfoVeth::Peer(peer)))
    }
}

impl LinkChange {
    /// `namespace` is [`LinkChange::namespace_path`], opened.
    pub(super) fn change(&self, namespace: Option<BorrowedFd<'_>>) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        message.header.index = self.index;
        if let Some(is_up) = self.is_up {
            message.header.flags.set(LinkFlags::Up, is_up);
            message.header.change_mask = LinkFlags::Up;
        }
        let attributes = &mut message.attributes;
        attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        attributes.extend(self.master_index.map(LinkAttribute::Controller));
        attributes.extend(self.name.clone().map(LinkAttribute::IfName));
        attributes.extend(namespace.map(|fd| LinkAttribute::NetNsFd(fd.as_raw_fd())));
        RouteNetlinkMessage::SetLink(message)
    }
}

/// Deletes a link by index.
pub(super) fn deletion(index: u32) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    RouteNetlinkMessage::DelLink(message)
}

/// The codec decides by kind how it writes the options; other kinds have none here.
fn kind_of(kind: &str) -> InfoKind {
    match kind {
        "veth" => InfoKind::Veth,
        "vxlan" => InfoKind::Vxlan,
        "bridge" => InfoKind::Bridge,
        other => InfoKind::Other(other.to_owned()),
    }
}
