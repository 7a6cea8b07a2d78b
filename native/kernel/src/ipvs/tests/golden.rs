//! Bytes of `strace -xx ipvsadm …` on 6.1, from the command of generic netlink on.

use super::super::{decode, encode};
use super::*;
use crate::netlink::Attributes;

const FAMILY: u16 = 0x1c;

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn payload(operation: &Operation) -> Vec<u8> {
    let request = encode::operation(FAMILY, operation).unwrap();
    assert_eq!(request.kind, FAMILY);
    request.payload
}

fn persistent() -> Service {
    Service {
        flags: Flags::PERSISTENT,
        persistence_seconds: 300,
        persistence_prefix: 24,
        ..service(web(), "wlc")
    }
}

fn dns() -> Service {
    Service {
        flags: Flags::ONE_PACKET,
        ..service(key(Transport::UDP, "fd01:c::5", 53), "rr")
    }
}

fn marked() -> Service {
    let key = ServiceKey::Mark {
        family: Family::V4,
        mark: 7,
    };
    Service {
        flags: Flags::SCHEDULER_1,
        ..service(key, "sh")
    }
}

#[test]
fn makes_services_with_the_bytes_of_ipvsadm() {
    // ipvsadm -A -t 11.0.0.1:80 -s wlc -p 300 -M 255.255.255.0
    let tcp = "010100005400018006000100020000000600020006000000140003000b000001000000000000000000\
               000000060004000050000008000600776c63000c00070001000000ffffffff080008002c010000080009\
               00ffffff00";
    assert_eq!(payload(&Operation::NewService(persistent())), bytes_of(tcp));
    // ipvsadm -A -u [fd01:c::5]:53 -s rr -o
    let udp = "0101000054000180060001000a000000060002001100000014000300fd01000c000000000000000000\
               000005060004000035000007000600727200000c00070004000000ffffffff0800080000000000080009\
               0080000000";
    assert_eq!(payload(&Operation::NewService(dns())), bytes_of(udp));
    // ipvsadm -A -f 7 -s sh -b sh-fallback
    let mark = "01010000380001800600010002000000080005000700000007000600736800000c00070008000000ff\
                ffffff080008000000000008000900ffffffff";
    assert_eq!(payload(&Operation::NewService(marked())), bytes_of(mark));
    // ipvsadm -E -t 11.0.0.1:80 -s rr
    let edited = "020100005400018006000100020000000600020006000000140003000b0000010000000000000000\
                  00000000060004000050000007000600727200000c00070000000000ffffffff0800080000000000\
                  08000900ffffffff";
    let edit = Operation::SetService(service(web(), "rr"));
    assert_eq!(payload(&edit), bytes_of(edited));
}

#[test]
fn names_services_and_destinations_as_ipvsadm_does() {
    // what `ipvsadm -Ln` asks for 11.0.0.1:80, here with the command that deletes
    let named = "030100003000018006000100020000000600020006000000140003000b0000010000000000000000\
                 000000000600040000500000";
    assert_eq!(payload(&Operation::DeleteService(web())), bytes_of(named));
    let asked = encode::destinations_request(FAMILY, &web()).unwrap();
    assert_eq!(asked.payload, [&[8], &bytes_of(named)[1..]].concat());
    // ipvsadm -a -t 11.0.0.1:80 -r 10.0.0.1:8080 -m -w 3 -x 100 -y 50: the destination without its
    // tunnel (0d, 0e, 0f), which masquerading has none of
    let made = "5002800600\
                0b0002000000140001000a000001000000000000000000000000060002001f9000000800030000000000\
                08000400030000000800050064000000\
                0800060032000000";
    let mut body = Attributes::new();
    encode::put_destination(
        &mut body,
        &Destination {
            weight: 3,
            upper_threshold: 100,
            lower_threshold: 50,
            ..destination("10.0.0.1", 8080)
        },
    );
    let written = body.into_bytes().unwrap();
    let expected = bytes_of(made);
    assert_eq!(written.get(4..), expected.get(3..));
    assert_eq!(written.get(..4), Some(&[0x48, 0, 2, 0x80][..]));
}

/// Statistics as `ipvsadm -Ln` receives them, all zero.
const ZEROES: &str = "60000a000800010000000000080002000000000008000300000000000c0004000000000000000000\
    04000b000c0005000000000000000000080006000000000008000700000000000800080000000000080009000000\
    000008000a0000000000";

#[test]
fn reads_services_as_the_kernel_tells_them() {
    let golden = "010100005401010006000100020000000600020006000000140003000b000001000000000000000000\
        000000060004000050000008000600776c63000c00070003000000ffffffff080008002c01000008000900ffff\
        ff00";
    let statistics = "a0000c000c000100000000000000000004000b000c000200000000000000000004000b000c0003\
        00000000000000000004000b000c000400000000000000000004000b000c000500000000000000000004000b00\
        0c000600000000000000000004000b000c000700000000000000000004000b000c00080000000000000000000400\
        0b000c000900000000000000000004000b000c000a000000000000000000";
    let whole = bytes_of(&[golden, ZEROES, statistics].concat());
    let (read, counted) = decode::service(&whole).unwrap();
    assert_eq!(read, persistent());
    assert_eq!(counted, Statistics::default());
    // the first 64-bit number, which is followed by padding
    let at = whole.len() - 0xa0 + 8;
    let mut busy = whole.clone();
    busy[at..at + 8].copy_from_slice(&0x1_0000_0002u64.to_ne_bytes());
    let (_, counted) = decode::service(&busy).unwrap();
    assert_eq!(counted.connections, 0x1_0000_0002);
    // without the 64-bit numbers those of 32 bits count
    let mut old = bytes_of(&[golden, ZEROES].concat());
    let at = bytes_of(golden).len() + 8;
    old[at..at + 4].copy_from_slice(&9u32.to_ne_bytes());
    let length = u16::try_from(old.len() - 4).unwrap();
    old[4..6].copy_from_slice(&length.to_ne_bytes());
    assert_eq!(decode::service(&old).unwrap().1.connections, 9);
    for length in 0..whole.len() - 1 {
        assert!(decode::service(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn reads_ipv6_and_marks_as_the_kernel_tells_them() {
    let udp = "0101000054010100060001000a000000060002001100000014000300fd01000c00000000000000000000\
        0005060004000035000007000600727200000c00070006000000ffffffff08000800000000000800090080000000";
    let mark = "010100003c0101000600010002000000080005000700000007000600736800000c0007000a000000ffff\
        ffff080008000000000008000900ffffffff";
    for (golden, expected) in [(udp, dns()), (mark, marked())] {
        let mut bytes = bytes_of(golden);
        let length = u16::try_from(bytes.len() - 4).unwrap();
        bytes[4..6].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(decode::service(&bytes).unwrap().0, expected);
    }
}

#[test]
fn reads_destinations_as_the_kernel_tells_them() {
    let golden = "050100007c000200140001000a000001000000000000000000000000060002001f9000000800030000\
        000000080004000300000005000d000000000006000e000000000006000f000000000008000500640000000800\
        060032000000080007000100000008000800020000000800090003000000";
    let told = "06000b0002000000";
    for bytes in [golden.to_owned(), [golden, told].concat()] {
        let mut bytes = bytes_of(&bytes);
        let length = u16::try_from(bytes.len() - 4).unwrap();
        bytes[4..6].copy_from_slice(&length.to_ne_bytes());
        let read = decode::destination(&bytes, Family::V4).unwrap();
        let expected = Destination {
            weight: 3,
            upper_threshold: 100,
            lower_threshold: 50,
            ..destination("10.0.0.1", 8080)
        };
        assert_eq!(read.destination, expected);
        assert_eq!(
            (
                read.active_connections,
                read.inactive_connections,
                read.persistent_connections
            ),
            (1, 2, 3)
        );
    }
}

#[test]
fn reads_timeouts_and_version() {
    let timeouts = "0c01000008000400840300000800050078000000080006002c010000";
    assert_eq!(
        decode::timeouts(&bytes_of(timeouts)),
        Ok(Timeouts {
            tcp_seconds: 900,
            tcp_fin_seconds: 120,
            udp_seconds: 300
        })
    );
    let version = "0e01000008000100010201000800020000100000";
    assert_eq!(
        decode::information(&bytes_of(version)),
        Ok(Information {
            version: (1, 2, 1),
            connection_table_size: 4096
        })
    );
}
