//! Netlink attributes: a 4-byte header (length, kind), the payload, padding to 4 bytes.
//!
//! **Source:** `include/uapi/linux/netlink.h` (`struct nlattr`)

use super::NetlinkError;

const HEADER: usize = 4;
const NESTED: u16 = 0x8000;
const KIND_MASK: u16 = 0x3fff;

/// Rounds up to the 4 bytes that netlink aligns everything to.
#[must_use]
pub const fn aligned(length: usize) -> usize {
    length.div_ceil(4) * 4
}

/// Writes attributes one after the other. Numbers are host order unless the method says `_be`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    bytes: Vec<u8>,
    is_oversized: bool,
}

impl Attributes {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes written so far, with padding.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an attribute with these bytes as payload.
    pub fn put(&mut self, kind: u16, payload: &[u8]) -> &mut Self {
        let start = self.open(kind);
        self.bytes.extend_from_slice(payload);
        self.close(start);
        self
    }

    /// Adds a byte.
    pub fn put_u8(&mut self, kind: u16, value: u8) -> &mut Self {
        self.put(kind, &[value])
    }

    /// Adds a 16-bit number in host order.
    pub fn put_u16(&mut self, kind: u16, value: u16) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds a 16-bit number in network order.
    pub fn put_u16_be(&mut self, kind: u16, value: u16) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// Adds a 32-bit number in host order.
    pub fn put_u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds a 32-bit number in network order.
    pub fn put_u32_be(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// Adds a 64-bit number in network order.
    pub fn put_u64_be(&mut self, kind: u16, value: u64) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// Adds text with the terminating zero the kernel expects.
    pub fn put_text(&mut self, kind: u16, text: &str) -> &mut Self {
        let start = self.open(kind);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.close(start);
        self
    }

    /// Adds an attribute whose payload are attributes.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.open(kind | NESTED);
        fill(self);
        self.close(start);
        self
    }

    /// Adds attributes that were written elsewhere.
    pub fn append(&mut self, others: &Self) {
        self.bytes.extend_from_slice(&others.bytes);
        self.is_oversized |= others.is_oversized;
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`NetlinkError::Malformed`] when an attribute outgrew the 65,535 bytes its length can say.
    pub fn into_bytes(self) -> Result<Vec<u8>, NetlinkError> {
        if self.is_oversized {
            return Err(NetlinkError::Malformed {
                what: "attribute: longer than 65535 bytes",
            });
        }
        Ok(self.bytes)
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        match u16::try_from(self.bytes.len() - start) {
            Ok(length) => {
                if let Some(field) = self.bytes.get_mut(start..start + 2) {
                    field.copy_from_slice(&length.to_ne_bytes());
                }
            }
            Err(_) => self.is_oversized = true,
        }
        self.bytes.resize(aligned(self.bytes.len()), 0);
    }
}

/// One attribute as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its kind, without the nested and byte-order flags.
    pub kind: u16,
    /// Its bytes, without padding.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The payload as a byte.
    ///
    /// # Errors
    /// [`NetlinkError::Malformed`] when it is too short; so for every reader here.
    pub fn u8(&self) -> Result<u8, NetlinkError> {
        self.fixed().map(u8::from_ne_bytes)
    }

    /// The payload as a 16-bit number in host order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u16(&self) -> Result<u16, NetlinkError> {
        self.fixed().map(u16::from_ne_bytes)
    }

    /// The payload as a 16-bit number in network order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u16_be(&self) -> Result<u16, NetlinkError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// The payload as a 32-bit number in host order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u32(&self) -> Result<u32, NetlinkError> {
        self.fixed().map(u32::from_ne_bytes)
    }

    /// The payload as a 32-bit number in network order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u32_be(&self) -> Result<u32, NetlinkError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// The payload as a 64-bit number in host order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u64(&self) -> Result<u64, NetlinkError> {
        self.fixed().map(u64::from_ne_bytes)
    }

    /// The payload as a 64-bit number in network order.
    ///
    /// # Errors
    /// As [`Attribute::u8`].
    pub fn u64_be(&self) -> Result<u64, NetlinkError> {
        self.fixed().map(u64::from_be_bytes)
    }

    /// The payload as text, up to the first zero byte.
    ///
    /// # Errors
    /// [`NetlinkError::Malformed`] when it is not UTF-8.
    pub fn text(&self) -> Result<&'a str, NetlinkError> {
        let end = self
            .payload
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(self.payload.len());
        let bytes = self.payload.get(..end).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| NetlinkError::Malformed {
            what: "attribute text",
        })
    }

    /// The attributes inside this one.
    #[must_use]
    pub fn nested(&self) -> AttributeReader<'a> {
        attributes(self.payload)
    }

    fn fixed<const LENGTH: usize>(&self) -> Result<[u8; LENGTH], NetlinkError> {
        self.payload
            .first_chunk()
            .copied()
            .ok_or(NetlinkError::Malformed {
                what: "attribute: too short",
            })
    }
}

/// Reads attributes until the bytes end; yields one error for a broken length and stops.
#[must_use]
pub fn attributes(bytes: &[u8]) -> AttributeReader<'_> {
    AttributeReader { rest: bytes }
}

/// Iterator of [`attributes`].
#[derive(Debug, Clone)]
pub struct AttributeReader<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for AttributeReader<'a> {
    type Item = Result<Attribute<'a>, NetlinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < HEADER {
            return None;
        }
        let Some((attribute, rest)) = split_first(self.rest) else {
            self.rest = &[];
            return Some(Err(NetlinkError::Malformed {
                what: "attribute length",
            }));
        };
        self.rest = rest;
        Some(Ok(attribute))
    }
}

fn split_first(bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let (&[l0, l1, k0, k1], _) = bytes.split_first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_ne_bytes([l0, l1]));
    let kind = u16::from_ne_bytes([k0, k1]) & KIND_MASK;
    let payload = bytes.get(HEADER..length)?;
    Some((
        Attribute { kind, payload },
        bytes.get(aligned(length)..).unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests;
