//! `address/length`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address block, e.g. `11.0.0.0/8`; the default route's is `0.0.0.0/0` or `::/0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The address, e.g. `11.0.0.0`.
    pub address: IpAddr,
    /// Leading bits that count.
    pub length: u8,
}

impl Prefix {
    /// The block; `None` when it is longer than its family's addresses.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        (length <= bits(address)).then_some(Self { address, length })
    }

    /// All IPv4 or all IPv6 addresses.
    #[must_use]
    pub fn everything(is_v6: bool) -> Self {
        let address = if is_v6 {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        };
        Self { address, length: 0 }
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv6() { 128 } else { 32 }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Prefix {
    type Err = String;

    /// Without a length the block is the one address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refusal = || format!("not an address block: {text}");
        let (address, length) = text
            .split_once('/')
            .map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| refusal())?;
        let length = length
            .map_or(Ok(bits(address)), str::parse::<u8>)
            .map_err(|_| refusal())?;
        Self::new(address, length).ok_or_else(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_both_families_and_refuses_too_long_lengths() {
        for text in [
            "11.0.0.0/8",
            "0.0.0.0/0",
            "fd01:c::/64",
            "::/0",
            "10.0.0.1/32",
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), text);
        }
        assert_eq!(
            "10.0.0.1".parse::<Prefix>().unwrap().to_string(),
            "10.0.0.1/32"
        );
        for text in [
            "11.0.0.0/33",
            "::/129",
            "11.0.0/8",
            "11.0.0.0/",
            "/8",
            "11.0.0.0/-1",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
