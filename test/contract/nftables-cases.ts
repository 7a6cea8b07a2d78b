/** Transactions and what the kernel answers to each step. */
import type { NftOperation } from '../../src/kernel/nftables.ts'
import * as nft from './nftables-steps.ts'

const { addTable, deleteTable, addChain, deleteChain, flushChain, addRule, goto } = nft
const { addSet, deleteSet, flushSet, addPairs, addKeys, addVerdict, deleteKeys } = nft
const { MAP, SET, VERDICTS, HOOK } = nft

/** One transaction on the table that {@link PREPARATION} made. */
export interface TransactionCase {
  readonly name: string
  readonly steps: readonly NftOperation[]
  /** A name for each step: `OK` or the symbol of the errno. */
  readonly answers: string
}

/** Chains a → b, `base` and `nat` with hooks; map m in use by a, set s, verdict map v → t. */
export const PREPARATION: readonly NftOperation[] = [
  addTable,
  ...['a', 'b', 't', 'free'].map((chain) => addChain(chain)),
  addChain('base', HOOK),
  addChain('nat', { type: 'nat', hook: 'prerouting', priority: -110, policy: 'accept' }),
  addSet('m', MAP),
  addSet('s', SET),
  addSet('v', VERDICTS),
  addRule('a', ...nft.lookup('m'), goto('b')),
  addPairs('m', [1, 10], [2, 20]),
  addKeys('s', 1),
  addVerdict('v', 1, 't'),
]

const earlier = { ...HOOK, priority: -5 }

/** Each runs on a table of its own. */
export const CASES: readonly TransactionCase[] = [
  { name: 'the table is there already', steps: [addTable], answers: 'OK' },
  {
    name: 'the table goes and comes back empty',
    steps: [deleteTable, addTable, addPairs('m', [1, 1])],
    answers: 'OK OK ENOENT',
  },
  {
    name: 'nothing is in a table that is gone',
    steps: [deleteTable, addChain('a'), addSet('m', MAP), deleteTable],
    answers: 'OK ENOENT ENOENT ENOENT',
  },
  {
    name: 'a chain that is there already',
    steps: [addChain('a'), addChain('base', HOOK), addChain('base')],
    answers: 'OK OK OK',
  },
  { name: 'a chain gets no hook later', steps: [addChain('a', HOOK)], answers: 'EOPNOTSUPP' },
  {
    name: 'a chain gets no other priority',
    steps: [addChain('base', earlier)],
    answers: 'EOPNOTSUPP',
  },
  {
    name: 'a chain moves by deletion and addition',
    steps: [flushChain('base'), deleteChain('base'), addChain('base', earlier)],
    answers: 'OK OK OK',
  },
  { name: 'a chain that a rule goes to', steps: [deleteChain('b')], answers: 'EBUSY' },
  {
    name: 'a chain that its own rule goes to',
    steps: [addRule('free', goto('free')), deleteChain('free')],
    answers: 'OK EBUSY',
  },
  { name: 'a chain that an element goes to', steps: [deleteChain('t')], answers: 'EBUSY' },
  { name: 'a chain with its rules', steps: [deleteChain('a'), deleteChain('b')], answers: 'OK OK' },
  {
    name: 'a chain once nothing goes to it',
    steps: [flushChain('a'), deleteChain('b'), deleteKeys('v', 1), deleteChain('t')],
    answers: 'OK OK OK OK',
  },
  {
    name: 'a chain once the map that goes to it is flushed',
    steps: [flushSet('v'), deleteChain('t')],
    answers: 'OK OK',
  },
  {
    name: 'a chain once the map that goes to it is gone',
    steps: [deleteSet('v'), deleteChain('t')],
    answers: 'OK OK',
  },
  {
    name: 'missing chains',
    steps: [deleteChain('x'), flushChain('x'), addRule('x', { expr: 'counter' })],
    answers: 'ENOENT ENOENT ENOENT',
  },
  { name: 'a rule to a missing chain', steps: [addRule('free', goto('x'))], answers: 'ENOENT' },
  {
    name: 'a rule to a chain with a hook',
    steps: [addRule('free', goto('base'))],
    answers: 'EOPNOTSUPP',
  },
  {
    name: 'a rule with a missing set',
    steps: [addRule('free', ...nft.lookup('x'))],
    answers: 'ENOENT',
  },
  {
    name: 'a rule to a chain of the same transaction',
    steps: [addChain('new'), addRule('free', goto('new'))],
    answers: 'OK OK',
  },
  {
    name: 'sets that are there already',
    steps: [addSet('m', MAP), addSet('s', SET), addSet('v', VERDICTS)],
    answers: 'OK OK OK',
  },
  {
    name: 'a set of another length',
    steps: [addSet('m', { ...MAP, valueLength: 8 })],
    answers: 'EEXIST',
  },
  {
    name: 'a set of another type',
    steps: [addSet('m', { ...MAP, keyType: 7 })],
    answers: 'EEXIST',
  },
  {
    name: 'a map as set, a set as map, a verdict map as set',
    steps: [addSet('m', SET), addSet('s', MAP), addSet('v', SET)],
    answers: 'EEXIST EEXIST EEXIST',
  },
  { name: 'a set that a rule looks up', steps: [deleteSet('m')], answers: 'EBUSY' },
  {
    name: 'a set once no rule looks it up',
    steps: [flushChain('a'), deleteSet('m'), addSet('m', { ...MAP, valueLength: 8 })],
    answers: 'OK OK OK',
  },
  {
    name: 'missing sets',
    steps: [deleteSet('x'), flushSet('x'), addPairs('x', [1, 1]), deleteKeys('x', 1)],
    answers: 'ENOENT ENOENT ENOENT ENOENT',
  },
  {
    name: 'elements that are there already',
    steps: [addPairs('m', [1, 10]), addKeys('s', 1), addVerdict('v', 1, 't')],
    answers: 'OK OK OK',
  },
  {
    name: 'an element with another value',
    steps: [addPairs('m', [3, 30], [1, 11])],
    answers: 'EEXIST',
  },
  { name: 'an element with another chain', steps: [addVerdict('v', 1, 'b')], answers: 'EEXIST' },
  {
    name: 'an element that goes and comes with another value',
    steps: [deleteKeys('m', 1), addPairs('m', [1, 11])],
    answers: 'OK OK',
  },
  {
    name: 'an element that comes and goes',
    steps: [addPairs('m', [9, 9]), deleteKeys('m', 9)],
    answers: 'OK OK',
  },
  {
    name: 'an element that goes twice',
    steps: [deleteKeys('m', 1), deleteKeys('m', 1)],
    answers: 'OK ENOENT',
  },
  {
    name: 'an element that goes twice in one step',
    steps: [deleteKeys('m', 1, 1)],
    answers: 'ENOENT',
  },
  {
    name: 'an element twice with one value',
    steps: [addPairs('m', [7, 1], [7, 1])],
    answers: 'OK',
  },
  {
    name: 'an element twice with two values',
    steps: [addPairs('m', [7, 1], [7, 2])],
    answers: 'EEXIST',
  },
  { name: 'a missing element among others', steps: [deleteKeys('m', 1, 9, 2)], answers: 'ENOENT' },
  { name: 'an element to a missing chain', steps: [addVerdict('v', 5, 'x')], answers: 'ENOENT' },
  {
    name: 'an element to a chain with a hook',
    steps: [addVerdict('v', 5, 'base')],
    answers: 'EOPNOTSUPP',
  },
  {
    name: 'elements of another kind',
    steps: [addKeys('m', 5), addPairs('s', [5, 5]), addVerdict('m', 5, 't'), addPairs('v', [5, 5])],
    answers: 'EINVAL EINVAL EINVAL EINVAL',
  },
  {
    name: 'later steps are tried after a refused one',
    steps: [deleteKeys('m', 9), deleteKeys('m', 2), deleteKeys('m', 2)],
    answers: 'ENOENT OK ENOENT',
  },
]
