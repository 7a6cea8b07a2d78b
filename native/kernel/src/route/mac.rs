//! Link-layer addresses.

use std::fmt;
use std::str::FromStr;

/// An Ethernet address, e.g. `70:b3:d5:0f:ff:01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address in these bytes; `None` for links whose addresses are not 6 bytes long.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ":" };
            write!(formatter, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: Option<Vec<u8>> = text
            .split(':')
            .map(|part| {
                (part.len() == 2)
                    .then(|| u8::from_str_radix(part, 16).ok())
                    .flatten()
            })
            .collect();
        bytes
            .and_then(|bytes| Self::from_slice(&bytes))
            .ok_or_else(|| format!("not a MAC address: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints_and_nothing_else() {
        let mac = Mac([0x70, 0xb3, 0xd5, 0x0f, 0xff, 0x01]);
        assert_eq!(mac.to_string(), "70:b3:d5:0f:ff:01");
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for text in [
            "",
            "70:b3:d5:0f:ff",
            "70:b3:d5:0f:ff:1",
            "70:b3:d5:0f:ff:01:02",
            "xx:b3:d5:0f:ff:01",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
