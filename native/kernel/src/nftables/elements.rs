//! Set elements between packed buffers and netlink.

use super::body::Body;
use super::codes::set::ELEMENT_INTERVAL_END;
use super::decode;
use super::encode::{put_value, put_verdict};
use super::error::Contradiction;
use super::expression::VerdictCode;
use super::operation::{Elements, SetSpec};
use crate::netlink::Attributes;

/// The element list of one message stays below what a nested attribute can hold (65535 bytes).
const LIST_BYTES: usize = 60 << 10;
const LIST: u16 = 3;
const ELEMENT: u16 = 1;
const KEY: u16 = 1;
const DATA: u16 = 2;
const FLAGS: u16 = 3;
const KEY_END: u16 = 10;
/// Longest chain name the kernel takes, with its zero: `NFT_NAME_MAXLEN`.
const NAME_BYTES: usize = 256;

/// The attributes of the messages that add (or delete) these elements, without table and set.
///
/// # Errors
/// [`Contradiction`] unless keys and values are whole and of one number.
pub fn messages(
    elements: &Elements,
    is_addition: bool,
    target: impl Fn(&mut Attributes),
) -> Result<Vec<Attributes>, Contradiction> {
    let spec = &elements.spec;
    let count = count(elements, is_addition)?;
    let value_length = if is_addition { value_length(spec) } else { 0 };
    let mut keys = elements.keys.chunks_exact(spec.record_length());
    let mut values = elements.values.chunks_exact(value_length.max(1));
    let mut chains = elements.chains.iter();
    let per_message = (LIST_BYTES / largest_element(spec, is_addition, &elements.chains)).max(1);
    let mut messages = Vec::with_capacity(count / per_message + 1);
    while keys.len() > 0 {
        let mut message = Attributes::new();
        target(&mut message);
        message.nest(LIST, |list| {
            for key in keys.by_ref().take(per_message) {
                put_element(list, spec, key, |element| {
                    if is_addition && spec.is_verdict_map {
                        let chain = chains.next().map(String::as_str);
                        element.nest(DATA, |data| put_verdict(data, VerdictCode::Goto, chain));
                    } else if value_length > 0
                        && let Some(value) = values.next()
                    {
                        put_value(element, DATA, value);
                    }
                });
            }
        });
        messages.push(message);
    }
    Ok(messages)
}

fn value_length(spec: &SetSpec) -> usize {
    if spec.is_map {
        spec.value_length.unwrap_or(0) as usize
    } else {
        0
    }
}

fn count(elements: &Elements, is_addition: bool) -> Result<usize, Contradiction> {
    let spec = &elements.spec;
    let length = spec.record_length();
    let bytes = elements.keys.len();
    if length == 0 || !bytes.is_multiple_of(length) {
        return Err(Contradiction::Keys { bytes, length });
    }
    let keys = bytes / length;
    if is_addition && elements.values.len() != keys * value_length(spec) {
        return Err(Contradiction::Values {
            given: elements.values.len(),
            keys,
        });
    }
    if is_addition && spec.is_verdict_map && elements.chains.len() != keys {
        return Err(Contradiction::Values {
            given: elements.chains.len(),
            keys,
        });
    }
    if elements
        .chains
        .iter()
        .any(|chain| chain.len() >= NAME_BYTES)
    {
        return Err(Contradiction::TooLong("a chain name"));
    }
    Ok(keys)
}

/// Room for headers, the key (or both ends), and the value or verdict.
fn largest_element(spec: &SetSpec, is_addition: bool, chains: &[String]) -> usize {
    let key = (spec.key_length as usize).next_multiple_of(4) + 8;
    let name = chains
        .iter()
        .map(String::len)
        .max()
        .unwrap_or(0)
        .next_multiple_of(4);
    let value = match (is_addition, spec.is_verdict_map) {
        (false, _) => 0,
        (true, true) => 24 + name,
        (true, false) => 8 + value_length(spec).next_multiple_of(4),
    };
    4 + key * if spec.is_interval { 2 } else { 1 } + value + 16
}

fn put_element(
    target: &mut Attributes,
    spec: &SetSpec,
    record: &[u8],
    put_data: impl FnOnce(&mut Attributes),
) {
    let (first, last) = record.split_at(record.len().min(spec.key_length as usize));
    target.nest(ELEMENT, |element| {
        put_value(element, KEY, first);
        if spec.is_interval_concatenation() {
            put_value(element, KEY_END, last);
        }
        put_data(element);
    });
    if spec.is_interval
        && !spec.is_interval_concatenation()
        && let Some(behind) = successor(last)
    {
        target.nest(ELEMENT, |element| {
            element.put_u32_be(FLAGS, ELEMENT_INTERVAL_END);
            put_value(element, KEY, &behind);
        });
    }
}

/// The key behind this one; `None` behind the last of all.
fn successor(key: &[u8]) -> Option<Vec<u8>> {
    let mut next = key.to_vec();
    for byte in next.iter_mut().rev() {
        let (sum, is_carry) = byte.overflowing_add(1);
        *byte = sum;
        if !is_carry {
            return Some(next);
        }
    }
    None
}

fn predecessor(key: &[u8]) -> Vec<u8> {
    let mut previous = key.to_vec();
    for byte in previous.iter_mut().rev() {
        let (difference, is_borrow) = byte.overflowing_sub(1);
        *byte = difference;
        if !is_borrow {
            break;
        }
    }
    previous
}

/// The elements of a set as read, packed as in [`Elements`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElementDump {
    /// n × [`SetSpec::record_length`] bytes.
    pub keys: Vec<u8>,
    /// n × `value_length` bytes for a map, else empty.
    pub values: Vec<u8>,
    /// n chains for a verdict map, else empty; an empty name for a verdict without a chain.
    pub chains: Vec<String>,
}

struct Bound<'a> {
    key: &'a [u8],
    is_end: bool,
    element: Body<'a>,
}

/// Reads the payloads of a dump; `None` when an element does not have the set's lengths.
#[must_use]
pub fn read<'a>(payloads: impl Iterator<Item = &'a [u8]>, spec: &SetSpec) -> Option<ElementDump> {
    let mut dump = ElementDump::default();
    let mut bounds = Vec::new();
    let is_range = spec.is_interval && !spec.is_interval_concatenation();
    for payload in payloads {
        let Some(content) = Body::of_message(payload).inside(LIST) else {
            continue;
        };
        for attribute in content.attributes() {
            let element = Body::of(&attribute);
            let key = bytes(&element, KEY, spec.key_length as usize)?;
            if is_range {
                let is_end = element.u32(FLAGS).unwrap_or(0) & ELEMENT_INTERVAL_END != 0;
                bounds.push(Bound {
                    key,
                    is_end,
                    element,
                });
                continue;
            }
            dump.keys.extend_from_slice(key);
            if spec.is_interval {
                let last = bytes(&element, KEY_END, key.len()).unwrap_or(key);
                dump.keys.extend_from_slice(last);
            }
            read_data(&mut dump, &element, spec)?;
        }
    }
    pair(&mut dump, bounds, spec)?;
    Some(dump)
}

/// Joins the bounds of a tree of intervals: an interval ends before the next end bound.
fn pair(dump: &mut ElementDump, mut bounds: Vec<Bound<'_>>, spec: &SetSpec) -> Option<()> {
    bounds.sort_by(|a, b| a.key.cmp(b.key).then(b.is_end.cmp(&a.is_end)));
    let mut bounds = bounds.into_iter().peekable();
    while let Some(bound) = bounds.next() {
        if bound.is_end {
            continue;
        }
        dump.keys.extend_from_slice(bound.key);
        match bounds.peek() {
            Some(next) => dump.keys.extend_from_slice(&predecessor(next.key)),
            None => dump.keys.resize(dump.keys.len() + bound.key.len(), 0xff),
        }
        read_data(dump, &bound.element, spec)?;
    }
    Some(())
}

fn read_data(dump: &mut ElementDump, element: &Body<'_>, spec: &SetSpec) -> Option<()> {
    if spec.is_verdict_map {
        let (_, chain) = decode::verdict(&element.find(DATA)?)?;
        dump.chains.push(chain.unwrap_or_default());
    } else if spec.is_map {
        let value = bytes(element, DATA, spec.value_length? as usize)?;
        dump.values.extend_from_slice(value);
    }
    Some(())
}

fn bytes<'a>(element: &Body<'a>, kind: u16, length: usize) -> Option<&'a [u8]> {
    let value = element.inside(kind)?.find(1)?.payload;
    (value.len() == length).then_some(value)
}
