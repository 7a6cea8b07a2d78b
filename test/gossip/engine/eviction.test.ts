/** Evictions between whole engines. */
import { expect, test } from 'vitest'
import { type Cluster, isAgreed, type Life, three, viewOf } from './harness.ts'

/** Long enough for a lone accuser's suspicion. */
const DEAD_MS = 40_000

function forget({ cluster, by, node }: { cluster: Cluster; by: Life; node: Life }): void {
  cluster.input(by, { kind: 'forget', node: node.node })
}

test('one that died is forgotten by all when one of them says so', () => {
  const { cluster, a, c } = three()
  cluster.publish(c, { web: 'x' })
  cluster.pass(1000)
  cluster.kill('c')
  cluster.pass(DEAD_MS)
  expect(a.engine.member(c.node)?.state).toBe('dead')
  forget({ cluster, by: a, node: c })
  cluster.pass(100)
  for (const life of cluster.lives.values()) {
    expect(life.engine.member(c.node)).toBeUndefined()
    expect([...life.engine.records()]).toEqual([])
  }
})

test('one that is doubted has its time, and is forgotten then', () => {
  const { cluster, a, b, c } = three()
  cluster.kill('c')
  expect(cluster.passUntil(() => a.engine.member(c.node)?.state === 'doubted', 5000)).toBe(true)
  cluster.pass(100)
  forget({ cluster, by: a, node: c })
  cluster.pass(100)
  for (const { engine } of [a, b]) {
    expect(engine.member(c.node)).toMatchObject({ state: 'doubted', isEvicted: true })
  }
  cluster.pass(DEAD_MS)
  expect([a, b].map(({ engine }) => engine.member(c.node))).toEqual([undefined, undefined])
  expect(a.events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['dead', 'forgotten']))
})

test('one that was only cut off is back soon after the cut', () => {
  const { cluster, a, c } = three()
  cluster.isOpen = (from, to) => from !== c && to !== c
  cluster.pass(DEAD_MS)
  forget({ cluster, by: a, node: c })
  cluster.pass(100)
  expect(a.engine.member(c.node)).toBeUndefined()
  cluster.isOpen = () => true
  const isBack = () => viewOf(cluster, 'a') === 'alive alive' && isAgreed(cluster)
  expect(cluster.passUntil(isBack, 10_000)).toBe(true)
})

test('one that heard nothing of it forgets when it offers the node', () => {
  const { cluster, a, b, c } = three()
  cluster.kill('c')
  cluster.pass(DEAD_MS)
  cluster.isOpen = () => false
  forget({ cluster, by: a, node: c })
  cluster.pass(100)
  expect(b.engine.member(c.node)?.state).toBe('dead')
  cluster.isOpen = () => true
  const isForgotten = () => b.engine.member(c.node) === undefined && isAgreed(cluster)
  expect(cluster.passUntil(isForgotten, 15_000)).toBe(true)
})

test('one that returns in a new life is believed', () => {
  const { cluster, a, b, c } = three()
  cluster.kill('c')
  cluster.pass(DEAD_MS)
  forget({ cluster, by: a, node: c })
  cluster.pass(100)
  const again = cluster.start('c', { incarnation: 2, number: c.number })
  cluster.pass(3000)
  for (const { engine } of [a, b]) {
    const member = engine.member(again.node)
    expect(member).toMatchObject({ state: 'alive', incarnation: 2 })
    expect(member?.isEvicted).toBeUndefined()
  }
})

test('one that left and runs on stays forgotten', () => {
  const { cluster, a, b, c } = three()
  cluster.input(c, { kind: 'leave' })
  cluster.pass(100)
  forget({ cluster, by: a, node: c })
  cluster.pass(60_000)
  expect([a, b].map(({ engine }) => engine.member(c.node))).toEqual([undefined, undefined])
})
