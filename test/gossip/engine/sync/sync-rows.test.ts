import { describe, expect, test } from 'vitest'
import { Membership } from '../../../../src/gossip/engine/membership/membership.ts'
import type { SyncRow } from '../../../../src/gossip/engine/messages.ts'
import { compareRows } from '../../../../src/gossip/engine/sync/sync-rows.ts'
import { accuse, announce, nodeOf, notaryOf } from '../nodes.ts'

const A = nodeOf('a')

/** What is said to a peer with this row of `a`, by a node that knows it so. */
function said(own: Partial<SyncRow>, their: Partial<SyncRow> | undefined): Record<string, unknown> {
  const membership = new Membership(() => undefined, 4)
  const { incarnation = 2, isAccused = false, held = 5 } = own
  membership.announce(announce(notaryOf('a'), { incarnation }))
  if (isAccused) membership.accuse(accuse(notaryOf('b'), A, incarnation), 0)
  membership.hold(A, held)
  const row = { node: A, incarnation: 2, isAccused: false, held: 5, ...their }
  const { messages, missing } = compareRows(membership, {
    nodes: [A],
    strangers: [],
    theirs: new Map(their === undefined ? [] : [[A, row]]),
  })
  return {
    kinds: messages.map(({ kind }) => kind).join(' '),
    missing: missing.map((m) => m.version),
  }
}

describe('a comparison of rows', () => {
  test.each([
    { when: 'all is the same', own: {}, their: {}, kinds: '' },
    { when: 'the peer does not know it', own: {}, their: undefined, kinds: 'announcement have' },
    {
      when: 'the peer does not know it and it is doubted',
      own: { isAccused: true },
      their: undefined,
      kinds: 'announcement accusation have',
    },
    { when: 'the peer is behind', own: {}, their: { incarnation: 1 }, kinds: 'announcement' },
    {
      when: 'the peer is behind, and the doubt is of the present',
      own: { isAccused: true },
      their: { incarnation: 1, isAccused: true },
      kinds: 'announcement accusation',
    },
    { when: 'the peer is ahead', own: {}, their: { incarnation: 3 }, kinds: 'want-members' },
    {
      when: 'the peer is ahead of a doubt',
      own: { isAccused: true },
      their: { incarnation: 3 },
      kinds: 'want-members',
    },
    {
      when: 'only this node knows the doubt',
      own: { isAccused: true },
      their: {},
      kinds: 'accusation',
    },
    {
      when: 'only the peer knows the doubt',
      own: {},
      their: { isAccused: true },
      kinds: 'want-members',
    },
    { when: 'both doubt', own: { isAccused: true }, their: { isAccused: true }, kinds: '' },
    { when: 'the peer holds less', own: {}, their: { held: 4 }, kinds: 'have' },
    { when: 'the peer holds more', own: {}, their: { held: 6 }, kinds: '', missing: [6] },
    { when: 'this node holds nothing', own: { held: 0 }, their: {}, kinds: '', missing: [5] },
    { when: 'nobody holds anything', own: { held: 0 }, their: { held: 0 }, kinds: '' },
  ])('says "$kinds" when $when', ({ own, their, kinds, missing = [] }) => {
    expect(said(own, their)).toEqual({ kinds, missing })
  })

  test('asks for strangers, and for their records if they have any', () => {
    const membership = new Membership(() => undefined, 4)
    const row = { incarnation: 1, isAccused: false }
    const [b, c] = [nodeOf('b'), nodeOf('c')]
    const theirs = new Map([
      [b, { ...row, node: b, held: 3 }],
      [c, { ...row, node: c, held: 0 }],
    ])
    expect(compareRows(membership, { nodes: [], strangers: [b, c], theirs })).toEqual({
      messages: [{ kind: 'want-members', nodes: [b, c] }],
      missing: [{ node: b, version: 3 }],
    })
  })
})
