//! What a namespace can do with nf_tables.

use napi::bindgen_prelude::{PromiseRaw, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::errno::Errno;
use navstar_kernel::netlink::NetlinkSocket;
use navstar_kernel::nftables::{self as kernel, Action, Elements, NftablesError, Operation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::namespace::NetworkNamespace;
use crate::operation::{Failure, OperationResult, promise};

/// One step of a transaction, in family inet. Which fields a step needs depends on its kind.
#[napi(object, object_to_js = false)]
pub struct NftOperation {
    /// What to do. Adding what exists in the same shape succeeds; deleting what is missing is
    /// `ENOENT` and undoes the transaction.
    #[napi(
        ts_type = "'addTable' | 'deleteTable' | 'addChain' | 'deleteChain' | 'flushChain' | 'addRule' | 'deleteRule' | 'addSet' | 'deleteSet' | 'flushSet' | 'addElements' | 'deleteElements'"
    )]
    pub kind: String,
    /// E.g. `navstar`.
    pub table: String,
    /// For chains and rules.
    pub chain: Option<String>,
    /// For sets and elements.
    pub set: Option<String>,
    /// `addChain`: where a base chain hangs.
    #[napi(
        ts_type = "{ readonly type: 'nat' | 'filter'; readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'; readonly priority: number; readonly policy: 'accept' | 'drop' }"
    )]
    pub hook: Option<Value>,
    /// `addRule`: its steps, e.g. `[{ expr: 'meta', key: 'nfproto', dreg: 8 }]`.
    #[napi(ts_type = "ReadonlyArray<{ readonly expr: string }>")]
    pub expressions: Option<Vec<Value>>,
    /// `addRule`: up to 253 bytes that the `nft` command shows.
    pub comment: Option<String>,
    /// `deleteRule`: as observed.
    pub handle: Option<i64>,
    /// `addSet`, and `addElements` and `deleteElements`: lengths cut the packed buffers. An
    /// interval set's keys are pairs, first and last, both included.
    #[napi(
        ts_type = "{ readonly keyLength: number; readonly keyType?: number; readonly keyFieldLengths?: readonly number[]; readonly valueLength?: number; readonly valueType?: number; readonly isVerdictMap?: boolean; readonly isMap?: boolean; readonly isInterval?: boolean; readonly sizeHint?: number }"
    )]
    pub set_spec: Option<Value>,
    /// Elements: n keys.
    pub keys: Option<Uint8Array>,
    /// `addElements` to a map: n values.
    pub values: Option<Uint8Array>,
    /// `addElements` to a verdict map: n chains to go to.
    #[napi(ts_type = "readonly string[]")]
    pub chains: Option<Vec<String>>,
}

/// The elements of a set, packed, in no order.
#[napi(object, object_from_js = false)]
pub struct NftElements {
    /// n keys; of an interval set n pairs.
    pub keys: Uint8Array,
    /// n values of a map, else empty.
    pub values: Uint8Array,
    /// n chains of a verdict map that has elements.
    pub chains: Option<Vec<String>>,
}

/// Rejects with a code `NETLINK_…`, `NFT_…` or `NAMESPACE_…`; so for all methods.
#[napi]
impl NetworkNamespace {
    /// The number that grows with every transaction of anybody in this namespace.
    #[napi(catch_unwind)]
    pub fn nft_generation<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, u32>> {
        self.run(env, |sockets| {
            let generation = kernel::generation(sockets.netfilter()?)?;
            Ok::<_, Failure>(generation)
        })
    }

    /// A table of family inet without the elements of its sets, or null.
    ///
    /// Rejects with code `NFT_RESTLESS` when it changed during every attempt to read it.
    #[napi(
        catch_unwind,
        ts_return_type = "Promise<{ generation: number; chains: { name: string; handle: number; hook?: { type: 'nat' | 'filter'; hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'; priority: number; policy: 'accept' | 'drop' } }[]; rules: { chain: string; handle: number; expressions: { expr: string }[]; comment?: string }[]; sets: { name: string; handle: number; keyLength: number; keyType: number; keyFieldLengths?: number[]; valueLength?: number; valueType?: number; isVerdictMap: boolean; isMap: boolean; isInterval: boolean; sizeHint?: number }[] } | null>"
    )]
    pub fn nft_table<'env>(
        &self,
        env: &'env Env,
        table: String,
    ) -> Result<PromiseRaw<'env, Option<Value>>> {
        self.run(env, move |sockets| {
            let observed = kernel::read_table(sockets.netfilter()?, &table)?;
            observed
                .map(serde_json::to_value)
                .transpose()
                .map_err(|error| unfit(&error))
        })
    }

    /// All elements of a set as they are at one moment. A value length of 0 is that of a plain set
    /// and of a verdict map.
    ///
    /// Rejects with code `NFT_OTHER_LENGTHS` when the set has other lengths.
    #[napi(catch_unwind)]
    pub fn nft_elements<'env>(
        &self,
        env: &'env Env,
        table: String,
        set: String,
        key_length: u32,
        value_length: u32,
    ) -> Result<PromiseRaw<'env, NftElements>> {
        self.run(env, move |sockets| {
            let lengths = (key_length, value_length);
            let dump = kernel::read_elements(sockets.netfilter()?, &table, &set, lengths)?;
            Ok::<_, Failure>(NftElements {
                keys: dump.keys.into(),
                values: dump.values.into(),
                chains: (!dump.chains.is_empty()).then_some(dump.chains),
            })
        })
    }

    /// Applies all operations or none, in one kernel transaction. Those that the kernel refused
    /// carry their errno; then none is applied. With `generation`, all carry `ERESTART` when that
    /// is no longer the current one.
    ///
    /// Rejects, with nothing sent, with code `INVALID_ARGUMENT`. After `NETLINK_OVERRUN` or
    /// `NETLINK_TIMED_OUT` it is unknown what the kernel did.
    #[napi(
        catch_unwind,
        ts_args_type = "operations: readonly NftOperation[], generation?: number"
    )]
    pub fn nft_transaction<'env>(
        &self,
        env: &'env Env,
        operations: Vec<NftOperation>,
        generation: Option<u32>,
    ) -> Result<PromiseRaw<'env, Vec<OperationResult>>> {
        let operations: std::result::Result<Vec<Operation>, Failure> =
            operations.into_iter().map(TryInto::try_into).collect();
        match operations {
            Err(failure) => promise(env, |_| Err(failure)),
            Ok(operations) => self.run(env, move |sockets| {
                transaction(sockets.netfilter()?, &operations, generation)
            }),
        }
    }
}

fn transaction(
    socket: &mut NetlinkSocket,
    operations: &[Operation],
    generation: Option<u32>,
) -> std::result::Result<Vec<OperationResult>, Failure> {
    let results = kernel::commit(socket, operations, generation)?;
    Ok(results.into_iter().map(result_of).collect())
}

fn result_of(result: kernel::OperationResult) -> OperationResult {
    let name = if result.errno == Errno(0) {
        "OK"
    } else {
        result.errno.name()
    };
    OperationResult {
        errno: result.errno.0,
        name: name.to_owned(),
        applied: result.is_applied,
        message: result.message,
    }
}

impl TryFrom<NftOperation> for Operation {
    type Error = Failure;

    fn try_from(operation: NftOperation) -> std::result::Result<Self, Failure> {
        let table = operation.table.clone();
        let kind = operation.kind.clone();
        let action = match kind.as_str() {
            "addTable" => Action::AddTable,
            "deleteTable" => Action::DeleteTable,
            "addSet" => Action::AddSet {
                set: required(&kind, "set", operation.set)?,
                spec: parsed(required(&kind, "setSpec", operation.set_spec)?)?,
            },
            "deleteSet" => Action::DeleteSet {
                set: required(&kind, "set", operation.set)?,
            },
            "flushSet" => Action::FlushSet {
                set: required(&kind, "set", operation.set)?,
            },
            "addElements" => Action::AddElements(elements(operation)?),
            "deleteElements" => Action::DeleteElements(elements(operation)?),
            _ => chain_action(operation)?,
        };
        Ok(Self { table, action })
    }
}

fn chain_action(operation: NftOperation) -> std::result::Result<Action, Failure> {
    let kind = operation.kind;
    let chain = required(&kind, "chain", operation.chain)?;
    match kind.as_str() {
        "addChain" => Ok(Action::AddChain {
            chain,
            hook: operation.hook.map(parsed).transpose()?,
        }),
        "deleteChain" => Ok(Action::DeleteChain { chain }),
        "flushChain" => Ok(Action::FlushChain { chain }),
        "addRule" => Ok(Action::AddRule {
            chain,
            expressions: parsed(Value::Array(required(
                &kind,
                "expressions",
                operation.expressions,
            )?))?,
            comment: operation.comment,
        }),
        "deleteRule" => Ok(Action::DeleteRule {
            chain,
            handle: required(
                &kind,
                "handle",
                operation.handle.and_then(|handle| handle.try_into().ok()),
            )?,
        }),
        _ => Err(invalid(format!("there is no operation {kind}"))),
    }
}

fn elements(operation: NftOperation) -> std::result::Result<Elements, Failure> {
    let kind = &operation.kind;
    Ok(Elements {
        set: required(kind, "set", operation.set)?,
        spec: parsed(required(kind, "setSpec", operation.set_spec)?)?,
        keys: required(kind, "keys", operation.keys)?.to_vec(),
        values: operation
            .values
            .map(|values| values.to_vec())
            .unwrap_or_default(),
        chains: operation.chains.unwrap_or_default(),
    })
}

fn required<T>(kind: &str, field: &str, value: Option<T>) -> std::result::Result<T, Failure> {
    value.ok_or_else(|| invalid(format!("{kind} needs {field}")))
}

fn parsed<T: DeserializeOwned>(value: Value) -> std::result::Result<T, Failure> {
    serde_json::from_value(without_nulls(value)).map_err(|error| unfit(&error))
}

/// An optional field that JavaScript set to undefined arrives as null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, field)| !field.is_null())
                .map(|(name, field)| (name, without_nulls(field)))
                .collect(),
        ),
        other => other,
    }
}

fn unfit(error: &serde_json::Error) -> Failure {
    invalid(error.to_string())
}

fn invalid(message: String) -> Failure {
    Failure {
        code: "INVALID_ARGUMENT",
        errno: None,
        message,
    }
}

impl From<NftablesError> for Failure {
    fn from(error: NftablesError) -> Self {
        match &error {
            NftablesError::Netlink { source, .. } => {
                let Self { code, errno, .. } = source.clone().into();
                Self::of(code, errno, &error)
            }
            NftablesError::Invalid { .. } => Self::of("INVALID_ARGUMENT", None, &error),
            NftablesError::Restless { .. } => Self::of("NFT_RESTLESS", None, &error),
            NftablesError::OtherLengths { .. } => Self::of("NFT_OTHER_LENGTHS", None, &error),
        }
    }
}
