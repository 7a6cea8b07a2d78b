//! Attributes as bytes.

use super::*;

#[test]
fn writes_lengths_padding_and_nesting() {
    let mut list = Attributes::new();
    list.put_text(1, "nsv")
        .put_u16_be(2, 0x1234)
        .nest(3, |inner| {
            inner.put_u8(1, 7).put_u64_be(2, 5);
        });
    let expected = [
        8, 0, 1, 0, b'n', b's', b'v', 0, // text and its zero
        6, 0, 2, 0, 0x12, 0x34, 0, 0, // two bytes of padding that the length leaves out
        24, 0, 3, 0x80, 5, 0, 1, 0, 7, 0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 5,
    ];
    assert_eq!(list.into_bytes().unwrap(), expected);
}

#[test]
fn reads_back_what_it_wrote() {
    let mut list = Attributes::new();
    list.put_u32(9, 77).nest(2, |inner| {
        inner.put_text(1, "deep");
    });
    let bytes = list.into_bytes().unwrap();
    let read: Vec<_> = attributes(&bytes).map(Result::unwrap).collect();
    assert_eq!((read[0].kind, read[0].u32().unwrap()), (9, 77));
    let inner = read[1].nested().next().unwrap().unwrap();
    assert_eq!((read[1].kind, inner.text().unwrap()), (2, "deep"));
}

#[test]
fn says_once_that_a_length_lies_and_stops() {
    for bytes in [
        [3u8, 0, 1, 0, 0, 0, 0, 0],
        [9, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0],
    ] {
        let mut reader = attributes(&bytes);
        assert!(reader.next().unwrap().is_err(), "{bytes:?}");
        assert!(reader.next().is_none());
    }
}

#[test]
fn refuses_an_attribute_that_outgrows_its_length_field() {
    let mut list = Attributes::new();
    list.nest(1, |inner| {
        inner.put(2, &vec![0; 65_528]);
    });
    assert!(list.into_bytes().is_err());
}

#[test]
fn refuses_numbers_that_are_too_short() {
    let attribute = Attribute {
        kind: 1,
        payload: &[1, 2, 3],
    };
    assert!(attribute.u32().is_err() && attribute.u64_be().is_err());
    assert_eq!(attribute.u16_be().unwrap(), 0x0102);
}
