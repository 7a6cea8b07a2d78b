//! The attributes of one object, looked up by type.

use crate::netlink::{Attribute, attributes};

/// Attributes of an nf_tables object. Numbers in it are big-endian. Reading ends at an attribute
/// whose length does not fit.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a>(&'a [u8]);

/// Length of `struct nfgenmsg`, which precedes the attributes of a message.
const FAMILY_HEADER: usize = 4;

impl<'a> Body<'a> {
    /// No attributes.
    pub const EMPTY: Body<'static> = Body(&[]);

    /// The attributes inside an attribute.
    #[must_use]
    pub const fn of(attribute: &Attribute<'a>) -> Self {
        Self(attribute.payload)
    }

    /// The attributes of a netfilter message's payload.
    #[must_use]
    pub fn of_message(payload: &'a [u8]) -> Self {
        Self(payload.get(FAMILY_HEADER..).unwrap_or_default())
    }

    /// There is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every attribute in order.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        attributes(self.0).map_while(Result::ok)
    }

    /// The first attribute of this type.
    #[must_use]
    pub fn find(&self, kind: u16) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.kind == kind)
    }

    /// The attributes inside the first attribute of this type.
    #[must_use]
    pub fn inside(&self, kind: u16) -> Option<Self> {
        self.find(kind).map(|attribute| Self::of(&attribute))
    }

    /// The first attribute of this type as a number.
    #[must_use]
    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.find(kind)?.u32_be().ok()
    }

    /// The first attribute of this type as a number.
    #[must_use]
    pub fn u64(&self, kind: u16) -> Option<u64> {
        self.find(kind)?.u64_be().ok()
    }

    /// The first attribute of this type as a name.
    #[must_use]
    pub fn text(&self, kind: u16) -> Option<String> {
        self.find(kind)?.text().ok().map(str::to_owned)
    }
}
