//! Tests of this module; those named after the kernel talk to it in a fresh network namespace.

mod batches;
mod expressions;
mod listing;
mod refusals;
mod round_trip;
mod ruleset;
mod topology;
mod traffic;
mod volume;

use super::operation::{Action, Elements, Hook, Operation, SetSpec};
use super::transaction::{OperationResult, commit};
use crate::netlink::{NetlinkSocket, Protocol};

const TABLE: &str = "nsv-test";

fn operation(action: Action) -> Operation {
    Operation {
        table: TABLE.to_owned(),
        action,
    }
}

fn add_chain(chain: &str, hook: Option<Hook>) -> Operation {
    operation(Action::AddChain {
        chain: chain.to_owned(),
        hook,
    })
}

/// A rule from what TypeScript would send.
fn add_rule(chain: &str, expressions: &serde_json::Value, comment: Option<&str>) -> Operation {
    operation(Action::AddRule {
        chain: chain.to_owned(),
        expressions: serde_json::from_value(expressions.clone()).expect("expressions"),
        comment: comment.map(str::to_owned),
    })
}

fn add_set(set: &str, spec: &SetSpec) -> Operation {
    operation(Action::AddSet {
        set: set.to_owned(),
        spec: spec.clone(),
    })
}

fn elements(set: &str, spec: &SetSpec, keys: &[u8], values: &[u8]) -> Elements {
    Elements {
        set: set.to_owned(),
        spec: spec.clone(),
        keys: keys.to_vec(),
        values: values.to_vec(),
        chains: Vec::new(),
    }
}

fn add(set: &str, spec: &SetSpec, keys: &[u8], values: &[u8]) -> Operation {
    operation(Action::AddElements(elements(set, spec, keys, values)))
}

fn remove(set: &str, spec: &SetSpec, keys: &[u8]) -> Operation {
    operation(Action::DeleteElements(elements(set, spec, keys, &[])))
}

/// A map of one 4-byte number to another.
fn number_map() -> SetSpec {
    SetSpec {
        key_length: 4,
        key_type: 19,
        value_length: Some(4),
        value_type: Some(19),
        is_map: true,
        ..SetSpec::default()
    }
}

fn socket() -> NetlinkSocket {
    NetlinkSocket::open(Protocol::Netfilter).expect("netfilter socket")
}

fn names(results: &[OperationResult]) -> Vec<&'static str> {
    results
        .iter()
        .map(|result| {
            if result.errno.0 == 0 {
                "OK"
            } else {
                result.errno.name()
            }
        })
        .collect()
}

/// Commits and expects every operation to be applied.
fn apply(socket: &mut NetlinkSocket, operations: &[Operation]) {
    let results = commit(socket, operations, None).expect("transaction");
    for (result, operation) in results.iter().zip(operations) {
        let (name, object) = (operation.name(), operation.object());
        assert_eq!(
            result.errno.0, 0,
            "{name} {object}: {} {:?}",
            result.errno, result.message
        );
    }
    assert!(results.iter().all(|result| result.is_applied));
}

/// Runs a command in the calling thread's namespace; panics with its words when it fails.
fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = std::process::Command::new(words.next().expect("command"))
        .args(words)
        .output()
        .expect(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
