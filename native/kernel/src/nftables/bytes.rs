//! Bytes that are written as hexadecimal text.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Bytes whose serialised form is lower-case hexadecimal, e.g. `0b000001`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexBytes(pub Vec<u8>);

/// Text that is not an even number of hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not hexadecimal bytes: {0:?}")]
pub struct NotHexadecimal(String);

impl TryFrom<String> for HexBytes {
    type Error = NotHexadecimal;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits: Option<Vec<u8>> = text.chars().map(nibble).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => Ok(Self(
                digits
                    .chunks_exact(2)
                    .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
                    .collect(),
            )),
            _ => Err(NotHexadecimal(text)),
        }
    }
}

impl From<HexBytes> for String {
    fn from(bytes: HexBytes) -> Self {
        bytes
            .0
            .iter()
            .fold(Self::with_capacity(bytes.0.len() * 2), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

fn nibble(character: char) -> Option<u8> {
    character
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
