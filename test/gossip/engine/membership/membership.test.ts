import { describe, expect, test } from 'vitest'
import { Membership } from '../../../../src/gossip/engine/membership/membership.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, nodeOf, notaryOf } from '../nodes.ts'

function open(onChange: (node: NodeId) => void = () => undefined): Membership {
  return new Membership(onChange, 4)
}

const STEPS = {
  announce: (membership: Membership) =>
    membership.announce(announce(notaryOf('a'), { incarnation: 3 })),
  forget: (membership: Membership) => membership.forget(nodeOf('a'), 1000),
  lose: (membership: Membership) => membership.forget(nodeOf('a'), undefined),
  expire: (membership: Membership) => membership.expireForgotten(1000),
  wait: (membership: Membership) => membership.expireForgotten(999),
}

describe('membership', () => {
  describe('on an announcement', () => {
    const cases = [
      { of: 'a stranger', before: [], incarnation: 1, verdict: 'new' },
      { of: 'the same incarnation', before: ['announce'], incarnation: 3, verdict: 'known' },
      { of: 'a lower incarnation', before: ['announce'], incarnation: 2, verdict: 'known' },
      { of: 'a higher incarnation', before: ['announce'], incarnation: 4, verdict: 'new' },
      {
        of: 'a forgotten one',
        before: ['announce', 'forget'],
        incarnation: 3,
        verdict: 'forgotten-node',
      },
      {
        of: 'a forgotten one, below',
        before: ['announce', 'forget'],
        incarnation: 2,
        verdict: 'forgotten-node',
      },
      {
        of: 'a forgotten one, risen',
        before: ['announce', 'forget'],
        incarnation: 4,
        verdict: 'new',
      },
      { of: 'a lost one', before: ['announce', 'lose'], incarnation: 3, verdict: 'new' },
      {
        of: 'one forgotten long ago',
        before: ['announce', 'forget', 'expire'],
        incarnation: 3,
        verdict: 'new',
      },
      {
        of: 'one forgotten for a while',
        before: ['announce', 'forget', 'wait'],
        incarnation: 3,
        verdict: 'forgotten-node',
      },
    ] as const
    test.each(cases)('of $of says $verdict', ({ before, incarnation, verdict }) => {
      const membership = open()
      for (const step of before) STEPS[step](membership)
      const announcement = announce(notaryOf('a'), { incarnation })
      expect(membership.verdictOnAnnouncement(announcement)).toBe(verdict)
    })
  })

  describe('on an accusation', () => {
    const cases = [
      { of: 'a stranger', subject: 'z', accuser: 'b', incarnation: 3, verdict: 'unknown-node' },
      { of: 'the present incarnation', subject: 'a', accuser: 'c', incarnation: 3, verdict: 'new' },
      {
        of: 'an earlier incarnation',
        subject: 'a',
        accuser: 'c',
        incarnation: 2,
        verdict: 'known',
      },
      { of: 'a later incarnation', subject: 'a', accuser: 'c', incarnation: 4, verdict: 'known' },
      { of: 'the same accuser', subject: 'a', accuser: 'b', incarnation: 3, verdict: 'known' },
      { of: 'one that left', subject: 'l', accuser: 'b', incarnation: 3, verdict: 'known' },
    ] as const
    test.each(cases)('of $of says $verdict', ({ subject, accuser, incarnation, verdict }) => {
      const membership = open()
      membership.announce(announce(notaryOf('a'), { incarnation: 3 }))
      membership.announce(announce(notaryOf('l'), { incarnation: 3, isLeaving: true }))
      membership.accuse(accuse(notaryOf('b'), nodeOf('a'), 3), 5)
      const accusation = accuse(notaryOf(accuser), nodeOf(subject), incarnation)
      expect(membership.verdictOnAccusation(accusation)).toBe(verdict)
    })

    test('takes four accusers of one incarnation and no fifth', () => {
      const membership = open()
      membership.announce(announce(notaryOf('a')))
      for (const [index, name] of ['b', 'c', 'd', 'e'].entries()) {
        const accusation = accuse(notaryOf(name), nodeOf('a'))
        expect(membership.verdictOnAccusation(accusation)).toBe('new')
        expect(membership.accuse(accusation, 10 * index).sinceMs).toBe(0)
      }
      const fifth = accuse(notaryOf('f'), nodeOf('a'))
      expect(membership.verdictOnAccusation(fifth)).toBe('known')
    })
  })

  test('tells how members stand', () => {
    const membership = open()
    const a = nodeOf('a')
    const states = [membership.stateOf(a)]
    membership.announce(announce(notaryOf('a')))
    states.push(membership.stateOf(a))
    membership.accuse(accuse(notaryOf('b'), a), 0)
    states.push(membership.stateOf(a))
    membership.declareDead(a)
    states.push(membership.stateOf(a))
    membership.announce(announce(notaryOf('a'), { incarnation: 2 }))
    states.push(membership.stateOf(a))
    membership.declareDead(a)
    states.push(membership.stateOf(a))
    membership.announce(announce(notaryOf('a'), { incarnation: 3, isLeaving: true }))
    states.push(membership.stateOf(a))
    membership.forget(a, 1)
    states.push(membership.stateOf(a))
    expect(states).toEqual([
      undefined,
      'alive',
      'doubted',
      'dead',
      'alive',
      'alive',
      'left',
      undefined,
    ])
  })

  test('keeps a dead node dead when another accuses it', () => {
    const membership = open()
    membership.announce(announce(notaryOf('a')))
    membership.accuse(accuse(notaryOf('b'), nodeOf('a')), 0)
    membership.declareDead(nodeOf('a'))
    membership.accuse(accuse(notaryOf('c'), nodeOf('a')), 9)
    expect(membership.stateOf(nodeOf('a'))).toBe('dead')
  })

  test('tells of each change of a row', () => {
    const changed: NodeId[] = []
    const membership = open((node) => changed.push(node))
    const a = nodeOf('a')
    const steps = [
      () => membership.announce(announce(notaryOf('a'))),
      () => membership.hold(a, 3),
      () => membership.accuse(accuse(notaryOf('b'), a), 0),
      () => membership.declareDead(a),
      () => membership.forget(a, 1),
    ]
    for (const [index, step] of steps.entries()) {
      step()
      expect(changed).toEqual(Array.from({ length: index + 1 }, () => a))
    }
  })

  test('holds nothing of a node that came back after it was forgotten', () => {
    const membership = open()
    membership.announce(announce(notaryOf('a')))
    membership.hold(nodeOf('a'), 7)
    membership.forget(nodeOf('a'), undefined)
    membership.announce(announce(notaryOf('a')))
    expect(membership.heldOf(nodeOf('a'))).toBe(0)
  })
})
