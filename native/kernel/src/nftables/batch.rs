//! Operations as one batch of messages: the kernel applies all of it or nothing.
//!
//! **Source:** `include/uapi/linux/netfilter/nfnetlink.h` (`NFNL_MSG_BATCH_BEGIN`)

use super::codes::{FAMILY_INET, SUBSYSTEM, message, set};
use super::elements;
use super::encode::put_expressions;
use super::error::{Contradiction, NftablesError};
use super::operation::{Action, Hook, Operation, SetSpec};
use crate::netlink::message::{ACK, APPEND, CREATE};
use crate::netlink::{Attributes, NetlinkError, Request};

const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
/// `NFNL_BATCH_GENID`
const BATCH_GENERATION: u16 = 1;
/// `NFT_USERDATA_MAXLEN` without type, length and zero.
const COMMENT_BYTES: usize = 253;
/// `NFTNL_UDATA_RULE_COMMENT`
const USERDATA_COMMENT: u8 = 0;

/// `NFTNL_UDATA_SET_KEYBYTEORDER`; 1 is host order, 0 is whatever the type has.
const USERDATA_KEY_ORDER: u8 = 0;
/// `NFTNL_UDATA_SET_DATABYTEORDER`
const USERDATA_VALUE_ORDER: u8 = 1;
/// Types of `nft` that are numbers in host order: mark and interface index.
const HOST_ORDER_TYPES: [u32; 2] = [19, 20];

/// A transaction as messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Begin, one or more messages per operation, end.
    pub messages: Vec<Request>,
    /// The operation of each message; `None` for begin and end.
    pub owners: Vec<Option<usize>>,
}

/// Turns operations into messages. With a generation, the kernel refuses the batch (`ERESTART`)
/// unless that is still the current one.
///
/// # Errors
/// [`NftablesError::Invalid`] for an operation that contradicts itself.
pub fn batch(operations: &[Operation], generation: Option<u32>) -> Result<Batch, NftablesError> {
    let mut begin = Attributes::new();
    if let Some(generation) = generation {
        begin.put_u32_be(BATCH_GENERATION, generation);
    }
    let mut batch = Batch {
        messages: Vec::new(),
        owners: Vec::new(),
    };
    batch.push(boundary(BATCH_BEGIN, begin), None);
    for (index, operation) in operations.iter().enumerate() {
        let invalid = |reason| NftablesError::Invalid {
            index,
            operation: operation.name(),
            object: operation.object(),
            reason,
        };
        let (kind, flags) = kind(&operation.action);
        for attributes in bodies(operation, index).map_err(invalid)? {
            let message = request(kind, flags, attributes)
                .map_err(|_| invalid(Contradiction::TooLong("an attribute")))?;
            batch.push(Ok(message), Some(index));
        }
    }
    if let Some(last) = batch.messages.last_mut() {
        last.flags |= ACK;
    }
    batch.push(boundary(BATCH_END, Attributes::new()), None);
    Ok(batch)
}

impl Batch {
    fn push(&mut self, message: Result<Request, NetlinkError>, owner: Option<usize>) {
        if let Ok(message) = message {
            self.messages.push(message);
            self.owners.push(owner);
        }
    }

    /// The framed bytes; message i carries sequence `first + i`.
    #[must_use]
    pub fn bytes(&self, first: u32, port: u32) -> Vec<u8> {
        let length = self
            .messages
            .iter()
            .map(|message| message.payload.len() + 20)
            .sum();
        let mut bytes = Vec::with_capacity(length);
        for (sequence, message) in (first..).zip(&self.messages) {
            message.write(&mut bytes, sequence, port);
        }
        bytes
    }
}

/// A message about family inet.
///
/// # Errors
/// [`NetlinkError::Malformed`] when an attribute is longer than 65535 bytes.
pub fn request(kind: u16, flags: u16, attributes: Attributes) -> Result<Request, NetlinkError> {
    Request::new(
        SUBSYSTEM << 8 | kind,
        flags,
        &[FAMILY_INET, 0, 0, 0],
        attributes,
    )
}

fn boundary(kind: u16, attributes: Attributes) -> Result<Request, NetlinkError> {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Request::new(kind, 0, &[0, 0, high, low], attributes)
}

const fn kind(action: &Action) -> (u16, u16) {
    match action {
        Action::AddTable => (message::NEWTABLE, CREATE),
        Action::DeleteTable => (message::DELTABLE, 0),
        Action::AddChain { .. } => (message::NEWCHAIN, CREATE),
        Action::DeleteChain { .. } => (message::DELCHAIN, 0),
        Action::AddRule { .. } => (message::NEWRULE, CREATE | APPEND),
        Action::FlushChain { .. } | Action::DeleteRule { .. } => (message::DELRULE, 0),
        Action::AddSet { .. } => (message::NEWSET, CREATE),
        Action::DeleteSet { .. } => (message::DELSET, 0),
        Action::AddElements(_) => (message::NEWSETELEM, CREATE),
        Action::FlushSet { .. } | Action::DeleteElements(_) => (message::DELSETELEM, 0),
    }
}

fn bodies(operation: &Operation, index: usize) -> Result<Vec<Attributes>, Contradiction> {
    let mut body = Attributes::new();
    body.put_text(1, &operation.table);
    match &operation.action {
        Action::AddTable => {
            body.put_u32_be(2, 0);
        }
        Action::DeleteTable => {}
        Action::AddChain { chain, hook } => {
            body.put_text(3, chain);
            if let Some(hook) = hook {
                put_hook(&mut body, hook);
            }
        }
        Action::DeleteChain { chain } => {
            body.put_text(3, chain);
        }
        Action::FlushChain { chain } => {
            body.put_text(2, chain);
        }
        Action::AddRule {
            chain,
            expressions,
            comment,
        } => {
            body.put_text(2, chain);
            let mut outcome = Ok(());
            body.nest(4, |list| outcome = put_expressions(list, expressions));
            outcome?;
            if let Some(comment) = comment {
                body.put(7, &comment_userdata(comment)?);
            }
        }
        Action::DeleteRule { chain, handle } => {
            body.put_text(2, chain).put_u64_be(3, *handle);
        }
        Action::AddSet { set, spec } => {
            body.put_text(2, set);
            put_set(&mut body, spec, index);
        }
        Action::DeleteSet { set } | Action::FlushSet { set } => {
            body.put_text(2, set);
        }
        Action::AddElements(list) | Action::DeleteElements(list) => {
            let is_addition = matches!(operation.action, Action::AddElements(_));
            return elements::messages(list, is_addition, |message| {
                message.put_text(1, &operation.table).put_text(2, &list.set);
            });
        }
    }
    Ok(vec![body])
}

fn put_hook(body: &mut Attributes, hook: &Hook) {
    body.put_text(7, hook.r#type.name());
    body.put_u32_be(5, hook.policy.code());
    body.nest(4, |nested| {
        nested.put_u32_be(1, hook.hook.code());
        nested.put_u32_be(2, hook.priority.cast_unsigned());
    });
}

fn put_set(body: &mut Attributes, spec: &SetSpec, index: usize) {
    let is_concatenation = spec.is_interval_concatenation();
    let flags = [
        (spec.is_interval, set::INTERVAL),
        (spec.is_map || spec.is_verdict_map, set::MAP),
        (is_concatenation, set::CONCAT),
    ];
    let flags = flags.iter().fold(
        0,
        |sum, (is_set, flag)| if *is_set { sum | flag } else { sum },
    );
    body.put_u32_be(3, flags)
        .put_u32_be(4, spec.key_type)
        .put_u32_be(5, spec.key_length);
    if spec.is_verdict_map {
        body.put_u32_be(6, set::DATA_VERDICT).put_u32_be(7, 0);
    } else if spec.is_map {
        body.put_u32_be(6, spec.value_type.unwrap_or(0));
        body.put_u32_be(7, spec.value_length.unwrap_or(0));
    }
    // The kernel wants an id, by which a rule of the same batch may refer to an unnamed set.
    body.put_u32_be(10, u32::try_from(index + 1).unwrap_or(u32::MAX));
    if spec.size_hint.is_some() || is_concatenation {
        put_description(body, spec);
    }
    body.put(13, &byte_orders(spec));
}

fn put_description(body: &mut Attributes, spec: &SetSpec) {
    body.nest(9, |description| {
        if let Some(size) = spec.size_hint {
            description.put_u32_be(1, size);
        }
        if spec.is_interval_concatenation() {
            description.nest(2, |fields| {
                for length in &spec.key_field_lengths {
                    fields.nest(1, |field| {
                        field.put_u32_be(1, *length);
                    });
                }
            });
        }
    });
}

/// What the `nft` command wants to know to print numbers: the byte order of key and value.
fn byte_orders(spec: &SetSpec) -> Vec<u8> {
    let order = |r#type: u32| u32::from(HOST_ORDER_TYPES.contains(&r#type));
    let key = [
        [USERDATA_KEY_ORDER, 4].as_slice(),
        &order(spec.key_type).to_ne_bytes(),
    ]
    .concat();
    match spec.value_type.filter(|_| spec.is_map) {
        None => key,
        Some(value) => [
            &key,
            [USERDATA_VALUE_ORDER, 4].as_slice(),
            &order(value).to_ne_bytes(),
        ]
        .concat(),
    }
}

/// A comment as the `nft` command keeps it: type, length, text, zero.
fn comment_userdata(comment: &str) -> Result<Vec<u8>, Contradiction> {
    let too_long = || Contradiction::TooLong("the comment");
    if comment.len() > COMMENT_BYTES {
        return Err(too_long());
    }
    let length = u8::try_from(comment.len() + 1).map_err(|_| too_long())?;
    Ok([&[USERDATA_COMMENT, length], comment.as_bytes(), &[0]].concat())
}

/// The comment in a rule's user data, if there is one.
#[must_use]
pub fn comment_of(userdata: &[u8]) -> Option<String> {
    let mut rest = userdata;
    while let Some((&[kind, length], tail)) = rest.split_first_chunk::<2>() {
        let value = tail.get(..usize::from(length))?;
        if kind == USERDATA_COMMENT {
            let text = value.strip_suffix(&[0]).unwrap_or(value);
            return std::str::from_utf8(text).ok().map(str::to_owned);
        }
        rest = tail.get(usize::from(length)..)?;
    }
    None
}
