//! The 4-byte registers of the nf_tables virtual machine.

use serde::{Deserialize, Serialize};

/// A register, `NFT_REG32_00` (8) to `NFT_REG32_15` (23). A value of n bytes takes the registers
/// from this one on, 4 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Register(u32);

/// A number that is not a register.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a register: expected 8 to 23")]
pub struct NotARegister(u32);

/// `NFT_REG32_00`.
const FIRST: u32 = 8;
/// `NFT_REG32_15`.
const LAST: u32 = 23;
/// `NFT_REG_1` to `NFT_REG_4`, 16 bytes each, are other names of every fourth 4-byte register.
const WIDE: std::ops::RangeInclusive<u32> = 1..=4;

impl TryFrom<u32> for Register {
    type Error = NotARegister;

    fn try_from(number: u32) -> Result<Self, NotARegister> {
        if (FIRST..=LAST).contains(&number) {
            Ok(Self(number))
        } else {
            Err(NotARegister(number))
        }
    }
}

impl From<Register> for u32 {
    fn from(register: Register) -> Self {
        register.0
    }
}

impl Register {
    /// The number that the kernel itself uses in dumps: the 16-byte name where there is one.
    #[must_use]
    pub const fn wire(self) -> u32 {
        if self.0.is_multiple_of(4) {
            (self.0 - FIRST) / 4 + 1
        } else {
            self.0
        }
    }

    /// The register of a number in a dump.
    #[must_use]
    pub fn from_wire(number: u32) -> Option<Self> {
        if WIDE.contains(&number) {
            Some(Self(FIRST + (number - 1) * 4))
        } else {
            Self::try_from(number).ok()
        }
    }
}
