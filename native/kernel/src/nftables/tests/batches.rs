use super::{TABLE, add, add_set, number_map, operation, remove};
use crate::netlink::message::messages;
use crate::nftables::batch::{batch, comment_of};
use crate::nftables::body::Body;
use crate::nftables::error::{Contradiction, NftablesError};
use crate::nftables::operation::{Action, Elements, SetSpec};
use crate::nftables::{Operation, elements};

fn bytes(operations: &[Operation]) -> Vec<u8> {
    batch(operations, None).expect("batch").bytes(1, 7)
}

#[test]
fn frames_a_table_as_nft_does() {
    // nft --debug=mnl: add table inet navstar
    let table = Operation {
        table: "navstar".to_owned(),
        action: Action::AddTable,
    };
    let expected = [
        20, 0, 0, 0, 16, 0, 1, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 10, // begin
        40, 0, 0, 0, 0, 10, 5, 4, 2, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0,
        0, // NEWTABLE, asks for an ack
        12, 0, 1, 0, b'n', b'a', b'v', b's', b't', b'a', b'r', 0, 8, 0, 2, 0, 0, 0, 0, 0, //
        20, 0, 0, 0, 17, 0, 1, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 10, // end
    ];
    assert_eq!(bytes(&[table]), expected);
}

#[test]
fn carries_the_generation_in_the_first_message() {
    let begin = &batch(&[operation(Action::AddTable)], Some(0x0102))
        .expect("batch")
        .messages[0];
    assert_eq!(begin.payload, [0, 0, 0, 10, 8, 0, 1, 0, 0, 0, 1, 2]);
}

#[test]
fn writes_elements_as_nft_does() {
    // nft --debug=mnl: add element inet navstar vips4 { 11.0.0.1 . tcp . 80 : 3 }
    let spec = SetSpec {
        key_length: 12,
        ..number_map()
    };
    let key = [11, 0, 0, 1, 6, 0, 0, 0, 0, 80, 0, 0];
    let bytes = bytes(&[add("m", &spec, &key, &[3, 0, 0, 0])]);
    let expected = [
        40, 0, 3, 128, 36, 0, 1, 128, 20, 0, 1, 128, 16, 0, 1, 0, 11, 0, 0, 1, 6, 0, 0, 0, 0, 80,
        0, 0, 12, 0, 2, 128, 8, 0, 1, 0, 3, 0, 0, 0,
    ];
    assert!(
        bytes
            .windows(expected.len())
            .any(|window| window == expected)
    );
}

#[test]
fn cuts_many_elements_into_messages_that_fit_and_remembers_their_operation() {
    let keys: Vec<u8> = (0u32..20_000).flat_map(u32::to_ne_bytes).collect();
    let operations = [
        add_set("numbers", &number_map()),
        add("numbers", &number_map(), &keys, &keys),
        remove("numbers", &number_map(), &keys[..4]),
    ];
    let batch = batch(&operations, None).expect("batch");
    let large = batch
        .owners
        .iter()
        .filter(|owner| **owner == Some(1))
        .count();
    assert!((10..30).contains(&large), "{large} messages");
    assert_eq!(batch.owners.first(), Some(&None));
    assert_eq!(batch.owners[batch.owners.len() - 2..], [Some(2), None]);
    let framed = batch.bytes(100, 1);
    let read: Vec<_> = messages(&framed)
        .collect::<Result<_, _>>()
        .expect("well formed");
    assert!(read.iter().all(|message| message.payload.len() < 65_536));
    assert_eq!(
        read.iter().filter(|message| message.flags & 4 != 0).count(),
        1
    );
    let payloads = read[2..2 + large]
        .iter()
        .map(|message| message.payload.as_slice());
    let dump = elements::read(payloads, &number_map()).expect("elements");
    assert_eq!((dump.keys, dump.values), (keys.clone(), keys));
}

#[test]
fn cuts_by_the_longest_chain_name() {
    let spec = SetSpec {
        is_verdict_map: true,
        is_map: false,
        ..number_map()
    };
    let keys: Vec<u8> = (0u32..2_000).flat_map(u32::to_ne_bytes).collect();
    let chains = vec!["c".repeat(255); 2_000];
    let list = Elements {
        set: "m".to_owned(),
        spec,
        keys,
        values: Vec::new(),
        chains,
    };
    let batch = batch(&[operation(Action::AddElements(list))], None).expect("batch");
    assert!(
        batch
            .messages
            .iter()
            .all(|message| message.payload.len() < 65_000)
    );
}

#[test]
fn keeps_both_ends_of_an_interval() {
    let tree = SetSpec {
        key_length: 4,
        is_interval: true,
        ..SetSpec::default()
    };
    let keys = [
        10, 0, 0, 0, 10, 255, 255, 255, 11, 0, 0, 0, 11, 0, 0, 9, 250, 0, 0, 0, 255, 255, 255, 255,
    ];
    let fields = SetSpec {
        key_length: 8,
        key_field_lengths: vec![4, 2],
        ..tree.clone()
    };
    for (spec, keys) in [(tree, &keys[..]), (fields, &keys[..16])] {
        let batch = batch(&[add("m", &spec, keys, &[])], None).expect("batch");
        let payloads = batch.messages[1..2]
            .iter()
            .map(|message| message.payload.as_slice());
        assert_eq!(
            elements::read(payloads, &spec).expect("elements").keys,
            keys
        );
    }
}

#[test]
fn refuses_packed_elements_that_do_not_add_up() {
    let cases = [
        add("m", &number_map(), &[1, 2, 3], &[]),
        add("m", &number_map(), &[1, 2, 3, 4], &[1, 2, 3]),
        add("m", &SetSpec::default(), &[], &[]),
        add(
            "m",
            &SetSpec {
                is_verdict_map: true,
                is_map: false,
                ..number_map()
            },
            &[0; 4],
            &[],
        ),
    ];
    for case in cases {
        let refusal = batch(&[operation(Action::AddTable), case], None);
        assert!(
            matches!(refusal, Err(NftablesError::Invalid { index: 1, .. })),
            "{refusal:?}"
        );
    }
}

#[test]
fn refuses_what_outgrows_a_netlink_attribute() {
    let rule = |expressions, comment: usize| Operation {
        table: TABLE.to_owned(),
        action: Action::AddRule {
            chain: "c".to_owned(),
            expressions: vec![crate::nftables::Expression::Counter {}; expressions],
            comment: Some("x".repeat(comment)),
        },
    };
    for (expressions, comment) in [(4_000, 1), (1, 254)] {
        let refusal = batch(&[rule(expressions, comment)], None);
        let Err(NftablesError::Invalid { reason, .. }) = refusal else {
            panic!("{refusal:?}")
        };
        assert!(matches!(reason, Contradiction::TooLong(_)));
    }
}

#[test]
fn finds_the_comment_among_other_user_data() {
    // nft --debug=netlink: ... comment "hello"
    assert_eq!(comment_of(b"\x00\x06hello\x00").as_deref(), Some("hello"));
    assert_eq!(
        comment_of(b"\x01\x02ab\x00\x03hi\x00").as_deref(),
        Some("hi")
    );
    for broken in [
        &b""[..],
        b"\x00",
        b"\x00\x06hell",
        b"\x01\x02ab",
        b"\x00\x02\xff\x00",
    ] {
        assert_eq!(comment_of(broken), None, "{broken:?}");
    }
}

#[test]
fn survives_element_lists_that_end_anywhere_or_lie() {
    let batch = batch(&[add("m", &number_map(), &[1; 8], &[2; 8])], None).expect("batch");
    let payload = &batch.messages[1].payload;
    for length in 0..payload.len() {
        let _ = elements::read(std::iter::once(&payload[..length]), &number_map());
        let mut flipped = payload.clone();
        flipped[length] ^= 0xff;
        let _ = elements::read(std::iter::once(&flipped[..]), &number_map());
        let _ = Body::of_message(&flipped).u64(3);
    }
}
