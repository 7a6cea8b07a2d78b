//! What a transaction consists of.

use serde::{Deserialize, Serialize};

use super::codes::{ChainType, HookPoint, Policy};
use super::expression::Expression;

/// Where a base chain hangs, e.g. `{"type":"nat","hook":"output","priority":-100,"policy":"accept"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hook {
    /// What the chain may do.
    pub r#type: ChainType,
    /// Which hook.
    pub hook: HookPoint,
    /// Lower runs earlier.
    pub priority: i32,
    /// What happens at the end of the chain.
    pub policy: Policy,
}

/// The shape of a set or map.
///
/// Keys and values are packed without gaps; every field of a concatenation is padded with zeroes
/// to 4 bytes. The keys of an interval set are pairs: first key, last key, both included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSpec {
    /// Bytes of a key, padding included.
    pub key_length: u32,
    /// What the `nft` command calls the type: 6 bits per field of a concatenation.
    #[serde(default)]
    pub key_type: u32,
    /// Unpadded bytes of each field; only for a concatenation with intervals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_field_lengths: Vec<u32>,
    /// Bytes of a value, padding included; only with `is_map`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_length: Option<u32>,
    /// As `key_type`; only with `is_map`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<u32>,
    /// Keys lead to a chain. Excludes `is_map`.
    #[serde(default)]
    pub is_verdict_map: bool,
    /// Keys lead to a value.
    #[serde(default)]
    pub is_map: bool,
    /// Keys are intervals.
    #[serde(default)]
    pub is_interval: bool,
    /// The most elements the kernel will take: it then allots a table of fixed size. Without it
    /// the table grows as it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_hint: Option<u32>,
}

impl SetSpec {
    /// The key has several fields and intervals: the kernel keeps it by field.
    #[must_use]
    pub fn is_interval_concatenation(&self) -> bool {
        self.is_interval && self.key_field_lengths.len() > 1
    }

    /// Bytes that one element takes in packed keys.
    #[must_use]
    pub fn record_length(&self) -> usize {
        self.key_length as usize * if self.is_interval { 2 } else { 1 }
    }
}

/// Elements of one set, packed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elements {
    /// The set.
    pub set: String,
    /// Its shape, which tells where one element ends.
    pub spec: SetSpec,
    /// n × [`SetSpec::record_length`] bytes.
    pub keys: Vec<u8>,
    /// n × `value_length` bytes for a map that gets elements; else unused.
    pub values: Vec<u8>,
    /// n chains to go to, for a verdict map that gets elements; else unused.
    pub chains: Vec<String>,
}

/// One step of a transaction, in family inet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The table it is about.
    pub table: String,
    /// What to do in it.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Adds the table; one that exists is fine.
    AddTable,
    /// Deletes the table with all it holds. `ENOENT` without it.
    DeleteTable,
    /// Adds a chain; one that exists with the same hook is fine.
    AddChain {
        /// Its name.
        chain: String,
        /// Where it hangs; `None` for a chain that others go to.
        hook: Option<Hook>,
    },
    /// Deletes an empty chain. `EBUSY` while something refers to it.
    DeleteChain {
        /// Its name.
        chain: String,
    },
    /// Deletes all rules of a chain.
    FlushChain {
        /// Its name.
        chain: String,
    },
    /// Appends a rule.
    AddRule {
        /// To this chain.
        chain: String,
        /// The steps.
        expressions: Vec<Expression>,
        /// Shown by the `nft` command; up to 253 bytes.
        comment: Option<String>,
    },
    /// Deletes a rule.
    DeleteRule {
        /// Of this chain.
        chain: String,
        /// As observed.
        handle: u64,
    },
    /// Adds a set or map; one that exists with the same shape is fine.
    AddSet {
        /// Its name.
        set: String,
        /// Its shape.
        spec: SetSpec,
    },
    /// Deletes a set. `EBUSY` while a rule refers to it.
    DeleteSet {
        /// Its name.
        set: String,
    },
    /// Deletes all elements of a set.
    FlushSet {
        /// Its name.
        set: String,
    },
    /// Adds elements. One that exists with the same value is fine; with another: `EEXIST`.
    AddElements(Elements),
    /// Deletes elements. `ENOENT` when one is absent.
    DeleteElements(Elements),
}

impl Operation {
    /// The operation's name in TypeScript, e.g. `addTable`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.action {
            Action::AddTable => "addTable",
            Action::DeleteTable => "deleteTable",
            Action::AddChain { .. } => "addChain",
            Action::DeleteChain { .. } => "deleteChain",
            Action::FlushChain { .. } => "flushChain",
            Action::AddRule { .. } => "addRule",
            Action::DeleteRule { .. } => "deleteRule",
            Action::AddSet { .. } => "addSet",
            Action::DeleteSet { .. } => "deleteSet",
            Action::FlushSet { .. } => "flushSet",
            Action::AddElements(_) => "addElements",
            Action::DeleteElements(_) => "deleteElements",
        }
    }

    /// The object it is about, e.g. `inet navstar vips4`.
    #[must_use]
    pub fn object(&self) -> String {
        let table = &self.table;
        match &self.action {
            Action::AddTable | Action::DeleteTable => format!("inet {table}"),
            Action::AddChain { chain, .. }
            | Action::DeleteChain { chain }
            | Action::FlushChain { chain }
            | Action::AddRule { chain, .. }
            | Action::DeleteRule { chain, .. } => format!("inet {table} {chain}"),
            Action::AddSet { set, .. } | Action::DeleteSet { set } | Action::FlushSet { set } => {
                format!("inet {table} {set}")
            }
            Action::AddElements(elements) | Action::DeleteElements(elements) => {
                format!("inet {table} {}", elements.set)
            }
        }
    }
}
