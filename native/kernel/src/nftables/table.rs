//! Reads one table: chains, rules in order, and sets.

use std::collections::HashSet;

use serde::Serialize;

use super::batch::{comment_of, request};
use super::body::Body;
use super::codes::{ChainType, HookPoint, Policy, message, set};
use super::decode;
use super::elements::{self, ElementDump};
use super::error::NftablesError;
use super::expression::Expression;
use super::generation::generation;
use super::operation::{Hook, SetSpec};
use crate::errno::Errno;
use crate::netlink::{Attributes, NetlinkError, NetlinkSocket};

/// How often a read that a change overtook is started again.
const ATTEMPTS: u32 = 64;

/// A table as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedTable {
    /// The generation it was read at.
    pub generation: u32,
    /// Its chains.
    pub chains: Vec<ObservedChain>,
    /// All rules; those of one chain are in its order.
    pub rules: Vec<ObservedRule>,
    /// Its sets and maps, without elements.
    pub sets: Vec<ObservedSet>,
}

/// A chain as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedChain {
    /// Its name.
    pub name: String,
    /// The kernel's number.
    pub handle: u64,
    /// Where it hangs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
}

/// A rule as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedRule {
    /// Its chain.
    pub chain: String,
    /// The kernel's number.
    pub handle: u64,
    /// Its steps.
    pub expressions: Vec<Expression>,
    /// Its comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A set as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedSet {
    /// Its name.
    pub name: String,
    /// The kernel's number.
    pub handle: u64,
    /// Its shape.
    #[serde(flatten)]
    pub spec: SetSpec,
}

/// Reads a table; `None` when there is none of this name in family inet.
///
/// # Errors
/// [`NftablesError::Restless`] when it changed during every attempt.
pub fn table(
    socket: &mut NetlinkSocket,
    table: &str,
) -> Result<Option<ObservedTable>, NftablesError> {
    consistently(socket, &format!("inet {table}"), |socket, generation| {
        if !exists(socket, table)? {
            return Ok(None);
        }
        let chains = dump(socket, message::GETCHAIN, table, chain)?;
        let rules = dump(socket, message::GETRULE, table, rule)?;
        let sets = dump(socket, message::GETSET, table, set_of)?;
        Ok(Some(ObservedTable {
            generation,
            chains,
            rules,
            sets,
        }))
    })
}

/// Reads all elements of a set, as they are at one moment.
///
/// # Errors
/// [`NftablesError::OtherLengths`] when the set has other lengths than these; value length 0 is
/// that of a plain set and of a verdict map.
pub fn elements(
    socket: &mut NetlinkSocket,
    table: &str,
    set: &str,
    lengths: (u32, u32),
) -> Result<ElementDump, NftablesError> {
    let object = format!("inet {table} {set}");
    let target = || {
        let mut attributes = Attributes::new();
        attributes.put_text(1, table).put_text(2, set);
        attributes
    };
    let (spec, dump) = consistently(socket, &object, |socket, _| {
        let answers = socket.request(&request(message::GETSET, 0, target())?)?;
        let spec = answers
            .first()
            .and_then(|answer| set_of(Body::of_message(&answer.payload)))
            .ok_or(NetlinkError::Malformed { what: "set" })?
            .spec;
        if (spec.key_length, spec.value_length.unwrap_or(0)) != lengths {
            return Ok((spec, None));
        }
        let messages = socket.dump(&request(message::GETSETELEM, 0, target())?)?;
        let payloads = messages.iter().map(|message| message.payload.as_slice());
        let dump = elements::read(payloads, &spec).ok_or(NetlinkError::Malformed {
            what: "set element",
        })?;
        if has_duplicates(&dump, &spec) {
            return Err(NetlinkError::Interrupted { attempts: 1 });
        }
        Ok((spec, Some(dump)))
    })?;
    dump.ok_or_else(|| NftablesError::OtherLengths {
        object,
        key_length: spec.key_length,
        value_length: spec.value_length.unwrap_or(0),
    })
}

/// The kernel finds the next part of a dump by counting, in a hash table that it may be enlarging
/// for a while after many additions. The order changes then: as many elements come twice as are
/// left out, and neither the generation nor the dump's flags tell.
fn has_duplicates(dump: &ElementDump, spec: &SetSpec) -> bool {
    let mut seen = HashSet::with_capacity(dump.keys.len() / spec.record_length().max(1));
    !dump
        .keys
        .chunks_exact(spec.record_length().max(1))
        .all(|key| seen.insert(key))
}

/// Reads until the generation is the same before and after.
fn consistently<T>(
    socket: &mut NetlinkSocket,
    object: &str,
    mut read: impl FnMut(&mut NetlinkSocket, u32) -> Result<T, NetlinkError>,
) -> Result<T, NftablesError> {
    let failed = |source| NftablesError::Netlink {
        operation: "read",
        object: object.to_owned(),
        source,
    };
    let mut before = generation(socket).map_err(failed)?;
    for _ in 0..ATTEMPTS {
        let outcome = read(socket, before);
        let after = generation(socket).map_err(failed)?;
        let is_interrupted = matches!(outcome, Err(NetlinkError::Interrupted { .. }));
        if before == after && !is_interrupted {
            return outcome.map_err(failed);
        }
        before = after;
    }
    Err(NftablesError::Restless {
        object: object.to_owned(),
        attempts: ATTEMPTS,
    })
}

fn exists(socket: &mut NetlinkSocket, table: &str) -> Result<bool, NetlinkError> {
    let mut name = Attributes::new();
    name.put_text(1, table);
    match socket.request(&request(message::GETTABLE, 0, name)?) {
        Ok(_) => Ok(true),
        Err(NetlinkError::Refused {
            errno: Errno(libc::ENOENT),
            ..
        }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The kernel may answer with other tables' objects too; those are left out.
fn dump<T>(
    socket: &mut NetlinkSocket,
    kind: u16,
    table: &str,
    read: impl Fn(Body<'_>) -> Option<T>,
) -> Result<Vec<T>, NetlinkError> {
    let mut filter = Attributes::new();
    filter.put_text(1, table);
    let answers = socket.dump(&request(kind, 0, filter)?)?;
    answers
        .iter()
        .map(|answer| Body::of_message(&answer.payload))
        .filter(|body| body.text(1).as_deref() == Some(table))
        .map(|body| {
            read(body).ok_or(NetlinkError::Malformed {
                what: "nf_tables object",
            })
        })
        .collect()
}

fn chain(body: Body<'_>) -> Option<ObservedChain> {
    Some(ObservedChain {
        name: body.text(3)?,
        handle: body.u64(2)?,
        hook: body.inside(4).and_then(|nested| hook(&body, &nested)),
    })
}

fn hook(body: &Body<'_>, nested: &Body<'_>) -> Option<Hook> {
    let r#type = match body.text(7)?.as_str() {
        "nat" => ChainType::Nat,
        "filter" => ChainType::Filter,
        _ => return None,
    };
    Some(Hook {
        r#type,
        hook: HookPoint::of(nested.u32(1)?)?,
        priority: nested.u32(2)?.cast_signed(),
        policy: Policy::of(body.u32(5)?)?,
    })
}

fn rule(body: Body<'_>) -> Option<ObservedRule> {
    Some(ObservedRule {
        chain: body.text(2)?,
        handle: body.u64(3)?,
        expressions: decode::expressions(body.inside(4).unwrap_or(Body::EMPTY)),
        comment: body
            .find(7)
            .and_then(|userdata| comment_of(userdata.payload)),
    })
}

fn set_of(body: Body<'_>) -> Option<ObservedSet> {
    let flags = body.u32(3).unwrap_or(0);
    let is_map = flags & set::MAP != 0;
    let is_verdict_map = is_map && body.u32(6) == Some(set::DATA_VERDICT);
    let has_value = is_map && !is_verdict_map;
    let description = body.inside(9).unwrap_or(Body::EMPTY);
    let fields = description.inside(2).unwrap_or(Body::EMPTY);
    Some(ObservedSet {
        name: body.text(2)?,
        handle: body.u64(16)?,
        spec: SetSpec {
            key_length: body.u32(5)?,
            key_type: body.u32(4).unwrap_or(0),
            key_field_lengths: fields
                .attributes()
                .filter_map(|field| Body::of(&field).u32(1))
                .collect(),
            value_length: has_value.then(|| body.u32(7)).flatten(),
            value_type: has_value.then(|| body.u32(6)).flatten(),
            is_verdict_map,
            is_map: has_value,
            is_interval: flags & set::INTERVAL != 0,
            size_hint: description.u32(1),
        },
    })
}
