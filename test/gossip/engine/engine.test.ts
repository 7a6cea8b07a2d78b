import { describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../../src/gossip/engine/effects.ts'
import { generateIdentity, openNotary } from '../../../src/gossip/wire/notary.ts'
import { Cluster, isAgreed, recordsOf, three, viewOf } from './harness.ts'

function kindsOf(
  events: readonly EngineEvent[],
  ...kinds: readonly EngineEvent['kind'][]
): string[] {
  return events.map(({ kind }) => kind).filter((kind) => kinds.includes(kind))
}

describe('three engines', () => {
  test('find each other and agree, each complete once', () => {
    const { cluster, a, b, c } = three()
    for (const name of ['a', 'b', 'c']) expect(viewOf(cluster, name)).toBe('alive alive')
    expect(isAgreed(cluster)).toBe(true)
    cluster.pass(60_000)
    expect([a, b, c].map(({ completions }) => completions)).toEqual([1, 1, 1])
  })

  test('in peace doubt nobody, open no sync and send no statement', () => {
    const { cluster, a, b, c } = three()
    cluster.pass(20_000)
    cluster.sent.splice(0)
    for (const life of [a, b, c]) life.events.splice(0)
    cluster.pass(60_000)
    const kinds = new Set(cluster.sent.map(({ message }) => message.kind))
    expect(kinds).toEqual(new Set(['ping', 'ack']))
    for (const { events } of [a, b, c]) {
      const said = new Set(events.map(({ kind }) => kind))
      expect(said).toEqual(new Set(['probe-sent', 'probe-answered']))
    }
    for (const { engine } of [a, b, c]) expect(engine.openProbes).toBeLessThan(10)
  })

  test('know a first change of one of them within 20 ms, any later one within a second', () => {
    const { cluster, a, b, c } = three()
    cluster.publish(a, { x: '1', y: '2' })
    cluster.publish(b, { z: '3' })
    cluster.pass(20)
    for (const life of [a, b, c]) expect(recordsOf(life)).toEqual({ x: '1', y: '2', z: '3' })
    cluster.publish(a, { x: undefined, y: 'new' })
    cluster.pass(1000)
    for (const life of [a, b, c]) expect(recordsOf(life)).toEqual({ y: 'new', z: '3' })
    expect(isAgreed(cluster)).toBe(true)
    expect(c.engine.member(a.node)).toMatchObject({ recordCount: 1, heldVersion: a.engine.version })
  })

  test('give a newcomer all records before it is complete', () => {
    const { cluster, a, b } = three()
    cluster.publish(a, { x: '1' })
    cluster.publish(b, { z: 'large'.repeat(1000) })
    cluster.pass(100)
    const d = cluster.start('d')
    expect(cluster.passUntil(() => d.completions === 1, 3000)).toBe(true)
    expect(recordsOf(d)).toEqual({ x: '1', z: 'large'.repeat(1000) })
  })

  test('find one that is dead within a second, and forget it after the retention', () => {
    const { cluster, a, b, c } = three({ retentionMs: 100_000 })
    cluster.publish(c, { x: '1' })
    cluster.pass(1000)
    cluster.kill('c')
    const isDoubted = () => [a, b].every(({ engine }) => engine.member(c.node)?.state === 'doubted')
    expect(cluster.passUntil(isDoubted, 1500)).toBe(true)
    expect(recordsOf(a)).toEqual({ x: '1' })
    cluster.pass(31_000)
    expect(a.engine.member(c.node)?.state).toBe('dead')
    expect(a.engine.announcements().map(({ node }) => node)).toEqual([b.node])
    cluster.pass(100_000)
    for (const { engine } of [a, b]) expect(engine.member(c.node)).toBeUndefined()
    expect(recordsOf(a)).toEqual({})
    expect(isAgreed(cluster)).toBe(true)
  })

  test('probe at once what the data path reports', () => {
    const { cluster, a, c } = three()
    cluster.kill('c')
    cluster.sent.splice(0)
    cluster.input(a, { kind: 'report', node: c.node })
    expect(cluster.sent.map(({ message }) => message.kind)).toEqual(['ping'])
  })

  test('take back a doubt: the doubted one refutes with a higher incarnation', () => {
    const { cluster, a, b, c } = three()
    cluster.isOpen = (from, to) => from !== c && to !== c
    cluster.pass(2000)
    expect(viewOf(cluster, 'a')).toBe('alive doubted')
    expect(viewOf(cluster, 'c')).toBe('doubted doubted')
    expect([a, b, c].map(({ engine }) => engine.isIsolated)).toEqual([false, false, true])
    cluster.isOpen = () => true
    cluster.pass(3000)
    for (const name of ['a', 'b', 'c']) expect(viewOf(cluster, name)).toBe('alive alive')
    expect(c.engine.incarnation).toBeGreaterThan(1)
    expect(kindsOf(c.events, 'isolated')).toEqual(['isolated', 'isolated'])
    expect(kindsOf(a.events, 'doubted', 'refuted')).toEqual(['doubted', 'refuted'])
    cluster.pass(10_000)
    expect(isAgreed(cluster)).toBe(true)
  })

  test('find together again after a cut longer than suspicion, with what changed meanwhile', () => {
    const { cluster, a, b, c } = three()
    cluster.isOpen = (from, to) => (from === c) === (to === c)
    cluster.pass(60_000)
    expect(viewOf(cluster, 'a')).toBe('alive dead')
    cluster.publish(c, { x: '1' })
    cluster.publish(a, { y: '2' })
    cluster.pass(1000)
    cluster.isOpen = () => true
    expect(cluster.passUntil(() => isAgreed(cluster), 15_000)).toBe(true)
    for (const life of [a, b, c]) expect(recordsOf(life)).toEqual({ x: '1', y: '2' })
    for (const name of ['a', 'b', 'c']) expect(viewOf(cluster, name)).toBe('alive alive')
  })

  test('find together again after a cut so long that both sides forgot each other', () => {
    const { cluster, c } = three({ retentionMs: 100_000 })
    cluster.isOpen = (from, to) => (from === c) === (to === c)
    cluster.pass(200_000)
    expect(viewOf(cluster, 'a')).toBe('alive unknown')
    cluster.isOpen = () => true
    expect(cluster.passUntil(() => isAgreed(cluster), 120_000)).toBe(true)
    for (const name of ['a', 'b', 'c']) expect(viewOf(cluster, name)).toBe('alive alive')
  })

  test('hide one that leaves at once, and never bring it back', () => {
    const { cluster, a, b, c } = three({ retentionMs: 100_000 })
    cluster.input(c, { kind: 'leave' })
    cluster.pass(20)
    for (const { engine } of [a, b]) expect(engine.member(c.node)?.state).toBe('left')
    cluster.kill('c')
    cluster.pass(50_000)
    expect(kindsOf(a.events, 'doubted', 'dead', 'left')).toEqual(['left'])
    cluster.pass(60_000)
    expect(a.engine.member(c.node)).toBeUndefined()
  })

  test('do not take one that left for company: who is left without any other is isolated', () => {
    const { cluster, a } = three()
    cluster.input(cluster.lives.get('c') ?? a, { kind: 'leave' })
    cluster.pass(20)
    cluster.kill('c')
    cluster.pass(2000)
    expect(a.engine.isIsolated).toBe(false)
    cluster.kill('b')
    cluster.pass(3000)
    expect(a.engine.isIsolated).toBe(true)
  })

  test('repair what was lost on the way', () => {
    const { cluster, a, b, c } = three()
    let count = 0
    cluster.isOpen = () => ++count % 3 !== 0
    for (let number = 0; number < 20; number++) {
      cluster.publish(a, { [`k${number % 4}`]: `${number}` })
      cluster.publish(b, { [`m${number % 4}`]: `${number}` })
      cluster.pass(50)
    }
    cluster.isOpen = () => true
    expect(cluster.passUntil(() => isAgreed(cluster), 10_000)).toBe(true)
    expect(recordsOf(c)).toEqual(recordsOf(a))
    expect(Object.keys(recordsOf(c))).toHaveLength(8)
  })

  test('after a standstill of one judge nobody for what it missed', () => {
    const { cluster, a } = three()
    const asleep = cluster.lives.get('a')
    cluster.lives.delete('a')
    cluster.pass(300)
    if (asleep !== undefined) cluster.lives.set('a', asleep)
    cluster.pass(5000)
    expect(kindsOf(a.events, 'stalled').length).toBeGreaterThan(0)
    expect(kindsOf(a.events, 'doubted')).toEqual([])
  })

  test('after a sleep longer than the retention forget all others first and join anew', () => {
    const { cluster, a, b, c } = three({ retentionMs: 100_000 })
    cluster.publish(c, { x: '1' })
    cluster.pass(100)
    cluster.lives.delete('c')
    cluster.pass(250_000)
    cluster.lives.set('c', c)
    cluster.input(c, { kind: 'tick' })
    expect([...c.engine.members()].map(({ id }) => id)).toEqual([c.node])
    expect(cluster.passUntil(() => isAgreed(cluster), 60_000)).toBe(true)
    expect(recordsOf(a)).toEqual({ x: '1' })
    expect(viewOf(cluster, 'b')).toBe('alive alive')
    expect(b.engine.member(c.node)?.incarnation).toBeGreaterThan(1)
  })

  test('of other keys are strangers to each other', () => {
    const { cluster, a } = three()
    const liar = cluster.start('liar')
    cluster.pass(100)
    // it says in another's name what it likes, but signs with its own key
    const forged = [...liar.engine.announcements()].map((announcement) => ({
      ...announcement,
      incarnation: announcement.incarnation + 5,
      isLeaving: true,
    }))
    const endpoint = { address: '10.0.0.4' as never, port: 1 }
    cluster.input(a, { kind: 'received', from: liar.node, endpoint, messages: forged })
    cluster.pass(100)
    expect(viewOf(cluster, 'a')).toBe('alive alive alive')
    expect(
      a.events.some((event) => event.kind === 'rejected' && event.reason === 'bad-signature'),
    ).toBe(true)
  })
})

describe('an engine', () => {
  test('alone is complete at once, states its records and is not isolated', () => {
    const cluster = new Cluster()
    const a = cluster.start('a')
    cluster.publish(a, { x: '1' })
    cluster.pass(10_000)
    expect(a.completions).toBe(1)
    expect(recordsOf(a)).toEqual({ x: '1' })
    expect(a.engine.isIsolated).toBe(false)
    expect(cluster.sent).toEqual([])
  })

  test('does the same again for the same inputs', () => {
    const play = () => {
      const { cluster, a, b } = three()
      cluster.publish(a, { x: '1' })
      cluster.isOpen = (from, to) => from !== b && to !== b
      cluster.pass(3000)
      return JSON.stringify(cluster.sent)
    }
    expect(play()).toBe(play())
  })

  test('signs and checks with Ed25519 as with the notary of the tests', () => {
    const cluster = new Cluster()
    const lives = ['a', 'b', 'c'].map((name) => {
      const { privateKeyPem } = generateIdentity()
      const notary = openNotary({ privateKey: privateKeyPem, clusterId: 'test' })
      return cluster.start(name, { notary })
    })
    cluster.pass(300)
    const [first] = lives
    if (first === undefined) throw new Error('lives')
    cluster.publish(first, { x: '1' })
    cluster.pass(20)
    expect(isAgreed(cluster)).toBe(true)
    for (const life of lives) expect(recordsOf(life)).toEqual({ x: '1' })
    cluster.kill('c')
    expect(cluster.passUntil(() => viewOf(cluster, 'a') === 'alive', 1500)).toBe(true)
  })
})
