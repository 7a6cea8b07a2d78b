//! The BPF programs as bytes, compiled from the C beside this file.
#![forbid(unsafe_code)]

/// An ELF file is read in place; its headers want an aligned start.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static L4LB: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/l4lb.bpf.o")));

/// The object file of that name, e.g. `l4lb`, aligned to 8 bytes.
#[must_use]
pub fn object(name: &str) -> Option<&'static [u8]> {
    match name {
        "l4lb" => Some(&L4LB.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_an_aligned_elf_file() {
        let bytes = object("l4lb").unwrap();
        assert_eq!(bytes.as_ptr().align_offset(8), 0);
        // ELF, 64 bit, little-endian; machine 247 is EM_BPF.
        assert_eq!(&bytes[..6], b"\x7fELF\x02\x01");
        assert_eq!(&bytes[18..20], &247_u16.to_le_bytes());
    }

    #[test]
    fn an_unknown_object_is_none() {
        assert_eq!(object("l7lb"), None);
    }
}
