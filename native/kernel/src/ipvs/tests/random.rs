//! Random values from a seed.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

/// xorshift64*
pub struct Dice(pub u64);

impl Dice {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap() % limit
    }

    pub fn u32(&mut self) -> u32 {
        u32::try_from(self.number() >> 32).unwrap()
    }

    fn address(&mut self, family: Family) -> IpAddr {
        let (a, b) = (u128::from(self.number()), u128::from(self.number()));
        match family {
            Family::V4 => Ipv4Addr::from(self.u32()).into(),
            Family::V6 => Ipv6Addr::from(a << 64 | b).into(),
        }
    }

    fn port(&mut self) -> u16 {
        u16::try_from(self.below(0x1_0000)).unwrap()
    }

    fn family(&mut self) -> Family {
        [Family::V4, Family::V6][self.below(2)]
    }

    pub fn key(&mut self) -> ServiceKey {
        let family = self.family();
        if self.below(4) == 0 {
            return ServiceKey::Mark {
                family,
                mark: self.u32(),
            };
        }
        ServiceKey::Address {
            transport: [Transport::TCP, Transport::UDP, Transport::SCTP][self.below(3)],
            address: self.address(family),
            port: self.port(),
        }
    }

    pub fn service(&mut self) -> Service {
        let key = self.key();
        let bits = usize::from(key.family().bits());
        Service {
            key,
            scheduler: ["rr", "wlc", "mh", "a-name-of-15-by"][self.below(4)].to_owned(),
            flags: Flags(self.u32()).without_hashed(),
            persistence_seconds: self.u32(),
            persistence_prefix: u8::try_from(self.below(bits + 1)).unwrap(),
        }
    }

    pub fn destination(&mut self) -> Destination {
        let family = self.family();
        Destination {
            endpoint: Endpoint {
                address: self.address(family),
                port: self.port(),
            },
            forwarding: Forwarding::from_code(u32::try_from(self.below(8)).unwrap()),
            weight: self.u32(),
            upper_threshold: self.u32(),
            lower_threshold: self.u32(),
        }
    }

    pub fn operation(&mut self) -> Operation {
        match self.below(6) {
            0 => Operation::NewService(self.service()),
            1 => Operation::SetService(self.service()),
            2 => Operation::DeleteService(self.key()),
            3 => Operation::NewDestination(self.key(), self.destination()),
            4 => Operation::SetDestination(self.key(), self.destination()),
            _ => Operation::DeleteDestination(self.key(), self.destination().endpoint),
        }
    }

    pub fn statistics(&mut self) -> Statistics {
        Statistics::from_numbers([(); Statistics::COUNT].map(|()| self.number()))
    }
}
