use serde_json::json;

use super::{
    add, add_chain, add_rule, add_set, apply, names, number_map, operation, remove, run, socket,
};
use crate::fresh_namespace::in_fresh_namespace;
use crate::nftables::error::NftablesError;
use crate::nftables::operation::{Action, SetSpec};
use crate::nftables::{commit, generation, read_elements, read_table};

#[test]
fn kernel_errors_are_on_the_operation_that_caused_them() {
    in_fresh_namespace(
        "kernel_errors_are_on_the_operation_that_caused_them",
        || {
            let mut socket = socket();
            let map = number_map();
            apply(
                &mut socket,
                &[
                    operation(Action::AddTable),
                    add_set("m", &map),
                    add("m", &map, &[1; 4], &[1; 4]),
                    add_chain("c", None),
                    add_rule(
                        "c",
                        &json!([
                            {"expr": "meta", "key": "mark", "dreg": 8},
                            {"expr": "lookup", "set": "m", "sreg": 8, "dreg": 9},
                        ]),
                        None,
                    ),
                ],
            );
            let fine = add("m", &map, &[1; 4], &[1; 4]);
            let wider = SetSpec {
                key_length: 8,
                ..number_map()
            };
            let cases = [
                (
                    vec![fine.clone(), remove("m", &map, &[9; 4]), fine.clone()],
                    ["OK", "ENOENT", "OK"],
                ),
                (
                    vec![fine.clone(), add_set("m", &wider), fine.clone()],
                    ["OK", "EEXIST", "OK"],
                ),
                (
                    vec![
                        fine.clone(),
                        fine.clone(),
                        operation(Action::DeleteSet {
                            set: "m".to_owned(),
                        }),
                    ],
                    ["OK", "OK", "EBUSY"],
                ),
                (
                    vec![
                        operation(Action::DeleteChain {
                            chain: "x".to_owned(),
                        }),
                        fine.clone(),
                        operation(Action::DeleteRule {
                            chain: "c".to_owned(),
                            handle: 999,
                        }),
                    ],
                    ["ENOENT", "OK", "ENOENT"],
                ),
            ];
            let before = read_table(&mut socket, super::TABLE).expect("table");
            for (operations, expected) in cases {
                let results = commit(&mut socket, &operations, None).expect("transaction");
                assert_eq!(names(&results), expected);
                assert!(results.iter().all(|result| !result.is_applied));
            }
            assert_eq!(
                read_table(&mut socket, super::TABLE).expect("table"),
                before
            );
        },
    );
}

#[test]
fn a_key_with_another_value_is_refused_and_nothing_is_applied() {
    in_fresh_namespace(
        "a_key_with_another_value_is_refused_and_nothing_is_applied",
        || {
            let mut socket = socket();
            let map = number_map();
            let table = [
                operation(Action::AddTable),
                add_set("m", &map),
                add("m", &map, &[1; 4], &[1; 4]),
            ];
            apply(&mut socket, &table);
            let conflict = [
                add("m", &map, &[2; 4], &[2; 4]),
                add("m", &map, &[1; 4], &[7; 4]),
            ];
            let results = commit(&mut socket, &conflict, None).expect("transaction");
            assert_eq!(names(&results), ["OK", "EEXIST"]);
            let dump = read_elements(&mut socket, super::TABLE, "m", (4, 4)).expect("elements");
            assert_eq!((dump.keys, dump.values), (vec![1; 4], vec![1; 4]));
        },
    );
}

#[test]
fn a_failing_chunk_of_many_elements_is_on_its_operation() {
    in_fresh_namespace(
        "a_failing_chunk_of_many_elements_is_on_its_operation",
        || {
            let mut socket = socket();
            let map = number_map();
            apply(
                &mut socket,
                &[operation(Action::AddTable), add_set("m", &map)],
            );
            let keys: Vec<u8> = (0u32..20_000).flat_map(u32::to_ne_bytes).collect();
            let operations = [
                add("m", &map, &[9, 9, 9, 9], &[0; 4]),
                add("m", &map, &keys, &keys),
                remove("m", &map, &keys),
            ];
            apply(&mut socket, &operations);
            // Every chunk fails: each key is absent.
            let results = commit(
                &mut socket,
                &[operations[0].clone(), operations[2].clone()],
                None,
            );
            assert_eq!(names(&results.expect("transaction")), ["OK", "ENOENT"]);
        },
    );
}

#[test]
fn a_generation_that_moved_on_refuses_the_whole_transaction() {
    in_fresh_namespace(
        "a_generation_that_moved_on_refuses_the_whole_transaction",
        || {
            let mut socket = socket();
            let current = generation(&mut socket).expect("generation");
            run("nft add table inet nsv-foreign");
            let operations = [operation(Action::AddTable), add_chain("c", None)];
            let results = commit(&mut socket, &operations, Some(current)).expect("transaction");
            assert_eq!(names(&results), ["ERESTART", "ERESTART"]);
            assert_eq!(read_table(&mut socket, super::TABLE), Ok(None));
            let current = generation(&mut socket).expect("generation");
            let results = commit(&mut socket, &operations, Some(current)).expect("transaction");
            assert_eq!(names(&results), ["OK", "OK"]);
            assert_eq!(generation(&mut socket).expect("generation"), current + 1);
        },
    );
}

#[test]
fn a_set_of_other_lengths_is_not_read() {
    in_fresh_namespace("a_set_of_other_lengths_is_not_read", || {
        let mut socket = socket();
        apply(
            &mut socket,
            &[operation(Action::AddTable), add_set("m", &number_map())],
        );
        let outcome = read_elements(&mut socket, super::TABLE, "m", (8, 4));
        let expected = NftablesError::OtherLengths {
            object: format!("inet {} m", super::TABLE),
            key_length: 4,
            value_length: 4,
        };
        assert_eq!(outcome, Err(expected));
        assert!(read_elements(&mut socket, super::TABLE, "absent", (8, 4)).is_err());
    });
}

#[test]
fn no_operations_and_no_elements_are_no_transaction() {
    in_fresh_namespace("no_operations_and_no_elements_are_no_transaction", || {
        let mut socket = socket();
        let before = generation(&mut socket).expect("generation");
        assert_eq!(commit(&mut socket, &[], None), Ok(Vec::new()));
        let results = commit(&mut socket, &[add("m", &number_map(), &[], &[])], None);
        assert_eq!(names(&results.expect("results")), ["OK"]);
        assert_eq!(generation(&mut socket).expect("generation"), before);
    });
}
