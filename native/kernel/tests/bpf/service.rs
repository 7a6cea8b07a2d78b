//! Services in the maps, written in the order that keeps a swap atomic.

use std::net::{IpAddr, SocketAddr};

use navstar_kernel::bpf::map::Map;
use navstar_kernel::bpf::object::Object;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// 16 bytes, IPv4 as `::ffff:a.b.c.d`.
pub fn address(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

pub fn vip_key(vip: SocketAddr, protocol: u8) -> Vec<u8> {
    let mut key = address(vip.ip()).to_vec();
    key.extend(vip.port().to_be_bytes());
    key.extend([protocol, 0]);
    key
}

pub fn endpoint(endpoint: SocketAddr) -> Vec<u8> {
    let mut bytes = address(endpoint.ip()).to_vec();
    bytes.extend(endpoint.port().to_be_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The writer of the maps.
pub struct Services {
    vips: Map,
    slots: Map,
    members: Map,
    ranges: Map,
    last_set: u32,
    /// What another version of the programs has at the end of a value of `vips`.
    pub tail: Vec<u8>,
}

/// What a service has in the maps.
#[derive(Debug, Clone, Default)]
pub struct Written {
    set: u32,
    slots: u32,
    members: Vec<Vec<u8>>,
}

fn fine(errnos: Result<Vec<i32>, navstar_kernel::bpf::BpfError>) {
    assert_eq!(errnos.unwrap(), Vec::<i32>::new());
}

impl Services {
    pub fn of(object: &Object) -> Self {
        let open = |name| object.map(name).unwrap().try_clone().unwrap();
        Self {
            vips: open("vips"),
            slots: open("slots"),
            members: open("members"),
            ranges: open("ranges"),
            last_set: 0,
            tail: Vec::new(),
        }
    }

    /// Makes the backends of a VIP these; one with weight 0 drains.
    pub fn write(
        &mut self,
        vip: SocketAddr,
        protocol: u8,
        backends: &[(SocketAddr, u32)],
        old: &Written,
    ) -> Written {
        let key = vip_key(vip, protocol);
        let member = |backend| [key.clone(), endpoint(backend)].concat();
        let members: Vec<Vec<u8>> = backends.iter().map(|(to, _)| member(*to)).collect();
        let weights: Vec<u32> = backends.iter().map(|(_, weight)| *weight).collect();
        fine(self.members.update(&members.concat(), &words(&weights)));
        self.last_set += 1;
        let set = self.last_set;
        let filled: Vec<Vec<u8>> = backends
            .iter()
            .flat_map(|(to, weight)| vec![endpoint(*to); *weight as usize])
            .collect();
        let count = u32::try_from(filled.len()).unwrap();
        let slot_keys: Vec<u8> = (0..count).flat_map(|slot| words(&[set, slot])).collect();
        fine(self.slots.update(&slot_keys, &filled.concat()));
        let mut value = words(&[set, count, 0, 0, count, 0, 0, 0]);
        value.extend(&self.tail);
        fine(self.vips.update(&key, &value));
        self.forget(old, &members);
        Written {
            set,
            slots: count,
            members,
        }
    }

    fn forget(&mut self, old: &Written, kept: &[Vec<u8>]) {
        let slots: Vec<u8> = (0..old.slots)
            .flat_map(|slot| words(&[old.set, slot]))
            .collect();
        fine(self.slots.delete(&slots));
        let removed = old.members.iter().filter(|member| !kept.contains(member));
        fine(
            self.members
                .delete(&removed.cloned().collect::<Vec<_>>().concat()),
        );
    }

    /// Reserves `base` with the first `bits` bits fixed.
    pub fn reserve(&mut self, index: u32, base: IpAddr, bits: u32) {
        let bits = if base.is_ipv4() { bits + 96 } else { bits };
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0).to_be_bytes();
        let value = [address(base).to_vec(), mask.to_vec(), words(&[1, 0])].concat();
        fine(self.ranges.update(&words(&[index]), &value));
    }
}

/// A counter of `stats`, over all CPUs.
pub fn counter(object: &Object, index: usize) -> u64 {
    let mut map = object.map("stats").unwrap().try_clone().unwrap();
    let size = map.shape().value_size;
    let values = map.dump().unwrap().values;
    values[index * size..(index + 1) * size]
        .chunks_exact(8)
        .map(|value| u64::from_ne_bytes(value.try_into().unwrap()))
        .sum()
}
