import { describe, expect, test } from 'vitest'
import type { Delta } from '../../../../src/gossip/engine/messages.ts'
import type { Head } from '../../../../src/gossip/engine/statements.ts'
import { notaryOf } from '../nodes.ts'
import { statedBy } from '../own-node.ts'
import { ownerOf, Receiver, SMALL_PARTS, VALUES } from '../receiver.ts'
import { hexOf, recordOf } from './record-sets.ts'

describe('records', () => {
  describe('are refused, and nothing changes,', () => {
    const resign = (head: Head, fields: Partial<Head>) =>
      notaryOf('owner').sign<Head>({ ...head, ...fields })
    const lies: readonly {
      readonly when: string
      readonly alter: (delta: Delta) => Delta
      readonly reason: string
    }[] = [
      {
        when: 'the head was signed by another node',
        alter: (delta) => ({ ...delta, head: notaryOf('liar').sign<Head>(delta.head) }),
        reason: 'bad-signature',
      },
      {
        when: 'the version was raised',
        alter: (delta) => ({ ...delta, head: { ...delta.head, version: delta.head.version + 1 } }),
        reason: 'bad-signature',
      },
      {
        when: 'the floor was raised',
        alter: (delta) => ({ ...delta, head: { ...delta.head, floor: delta.head.version } }),
        reason: 'bad-signature',
      },
      {
        when: 'a value was altered',
        alter: (delta) => ({
          ...delta,
          records: delta.records.map((record) => ({ ...record, value: new Uint8Array([6]) })),
        }),
        reason: 'wrong-digest',
      },
      {
        when: 'a record was left out',
        alter: (delta) => ({ ...delta, records: delta.records.slice(1) }),
        reason: 'wrong-digest',
      },
      {
        when: 'a record was added',
        alter: (delta) => ({
          ...delta,
          records: [...delta.records, recordOf('more', delta.head.version + 1, 'x')],
        }),
        reason: 'wrong-digest',
      },
      {
        when: 'a record was deleted on the way',
        alter: (delta) => ({
          ...delta,
          records: delta.records.map(({ key, version }) => recordOf(key, version)),
        }),
        reason: 'wrong-digest',
      },
      {
        when: 'the number of buckets is not that of the digest',
        alter: (delta) => ({ ...delta, head: resign(delta.head, { bucketBits: 2 }) }),
        reason: 'wrong-digest',
      },
      {
        when: 'they are out of order',
        alter: (delta) => ({ ...delta, records: [...delta.records].reverse() }),
        reason: 'wrong-digest',
      },
      {
        when: 'they pretend to be whole',
        alter: (delta) => ({ ...delta, from: 0 }),
        reason: 'wrong-digest',
      },
    ]
    test.each(lies)('when $when', ({ alter, reason }) => {
      const owner = ownerOf(VALUES)
      const receiver = new Receiver(owner)
      receiver.receive(owner.deltaFrom(0))
      receiver.takeRows()
      const before = statedBy(receiver.records, owner.node)
      const held = owner.own.version
      owner.publish({ a: 'new', b: undefined })
      const delta = owner.deltaFrom(held)
      expect(receiver.receive(alter(delta))).toEqual({ kind: 'rejected', reason })
      expect(receiver.takeRows()).toEqual({})
      expect(statedBy(receiver.records, owner.node)).toEqual(before)
      // the honest copy still fits
      expect(receiver.receive(delta).kind).toBe('applied')
      expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
    })

    test('when their node is a stranger', () => {
      const owner = ownerOf(VALUES)
      const reason = 'unknown-node'
      expect(new Receiver().receive(owner.deltaFrom(0))).toEqual({ kind: 'rejected', reason })
    })
  })

  test('that do not fit what is held are asked for whole, until they did not fit so either', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive(owner.deltaFrom(0))
    const held = owner.own.version
    owner.publish({ a: 'new', b: undefined })
    const lie = { records: [recordOf('a', held + 1, 'lie')] }
    const heldWanted = () => receiver.records.wantOf(owner.node).held
    receiver.receive({ ...owner.deltaFrom(held), ...lie })
    expect(heldWanted()).toBe(0)
    receiver.receive({ ...owner.deltaFrom(0), ...lie })
    expect(heldWanted()).toBe(held)
    receiver.receive({ ...owner.deltaFrom(held), ...lie })
    expect(receiver.receive(owner.deltaFrom(0)).kind).toBe('applied')
    expect(heldWanted()).toBe(owner.own.version)
  })

  test('in parts that were altered are refused at the end, and can be asked for anew', () => {
    const owner = ownerOf(VALUES, SMALL_PARTS)
    const receiver = new Receiver(owner)
    const parts = owner.partsFrom(0)
    const altered = parts.map((part, index) =>
      index > 0 ? part : { ...part, records: [recordOf('a', part.through, 'lie')] },
    )
    const receipts = altered.map((part) => receiver.receive(part))
    expect(receipts.at(-1)).toEqual({ kind: 'rejected', reason: 'wrong-digest' })
    expect(receiver.records.wantOf(owner.node)).toMatchObject({ held: 0, isStaged: false })
    const again = parts.map((part) => receiver.receive(part))
    expect(again.at(-1)).toEqual({ kind: 'applied', isWhole: true })
    const { digest } = owner.records.of(owner.node)?.head ?? { digest: new Uint8Array() }
    const set = receiver.records.of(owner.node)?.set
    expect(hexOf(set?.digest() ?? new Uint8Array())).toBe(hexOf(digest))
  })
})
