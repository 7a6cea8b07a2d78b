import { describe, expect, test } from 'vitest'
import { isAgreed, type LifeOptions, recordsOf, type Three, three, viewOf } from './harness.ts'
import { endpointOf } from './nodes.ts'

describe('a cluster in which a node restarts', () => {
  const restart = ({ cluster, c }: Three, options: LifeOptions) => {
    cluster.publish(c, { x: '1', y: '2' })
    cluster.pass(1000)
    const { version, incarnation } = c.engine
    const life = cluster.start('c', options)
    return { life, version, incarnation }
  }

  test('lets it find its records and go on from there', () => {
    const at = three()
    const { life } = restart(at, { incarnation: 50, firstVersion: 50 })
    at.cluster.publish(life, { x: '1', y: 'new' })
    at.cluster.pass(2000)
    expect(recordsOf(at.a)).toEqual({ x: '1', y: 'new' })
    expect(life.engine.version).toBe(50)
    const versions = [...at.a.engine.records()].map(({ key, version }) => [key, version])
    expect(new Map(versions as [string, number][])).toEqual(
      new Map([
        ['x', 1],
        ['y', 50],
      ]),
    )
  })

  test('goes with it above what it had, should it have forgotten how far it was', () => {
    const at = three()
    for (let number = 0; number < 5; number++) at.cluster.publish(at.c, { x: `${number}` })
    const { life, version } = restart(at, { incarnation: 1, firstVersion: 1 })
    at.cluster.publish(life, { z: '3' })
    at.cluster.pass(10_000)
    expect(life.engine.version).toBeGreaterThan(version)
    for (const each of [at.a, at.b, life]) expect(recordsOf(each)).toEqual({ z: '3' })
    expect(isAgreed(at.cluster)).toBe(true)
  })

  test('goes with it above what it had, when it spoke before it met anybody', () => {
    const at = three()
    for (let number = 0; number < 5; number++) {
      at.cluster.publish(at.c, { x: `${number}` })
      at.cluster.pass(100)
    }
    const { life, version } = restart(at, { incarnation: 1, firstVersion: 1 })
    at.cluster.isOpen = (from, to) => from !== life && to !== life
    at.cluster.publish(life, { z: '3' })
    at.cluster.pass(5000)
    expect(life.completions).toBe(1)
    expect(life.engine.version).toBeLessThan(version)
    at.cluster.isOpen = () => true
    expect(at.cluster.passUntil(() => isAgreed(at.cluster), 20_000)).toBe(true)
    expect(life.engine.version).toBeGreaterThan(version)
    for (const each of [at.a, at.b, life]) expect(recordsOf(each)).toEqual({ z: '3' })
  })

  test('learns that its address is another, although its incarnation is not', () => {
    const at = three()
    at.cluster.kill('c')
    const life = at.cluster.start('c', { incarnation: 1, number: 9 })
    expect(at.cluster.passUntil(() => life.engine.incarnation > 1, 5000)).toBe(true)
    at.cluster.pass(5000)
    expect(at.a.engine.member(life.node)?.endpoint).toEqual(endpointOf(9))
    expect(viewOf(at.cluster, 'a')).toBe('alive alive')
    expect(isAgreed(at.cluster)).toBe(true)
  })

  test('goes above the incarnation that it had in one step', () => {
    const at = three()
    at.cluster.kill('c')
    at.cluster.start('c', { incarnation: 40, number: 3 })
    at.cluster.pass(3000)
    at.cluster.kill('c')
    const life = at.cluster.start('c', { incarnation: 7, number: 3 })
    at.cluster.pass(3000)
    expect(life.engine.incarnation).toBe(41)
    expect(at.a.engine.member(life.node)).toMatchObject({ state: 'alive', incarnation: 41 })
  })

  test('tries the members that it knew when its seeds are gone', () => {
    const at = three()
    const members = at.c.engine.announcements()
    at.cluster.kill('a')
    at.cluster.kill('c')
    const life = at.cluster.start('c', { incarnation: 50, members, number: 3 })
    at.cluster.pass(1000)
    expect(at.b.engine.member(life.node)).toMatchObject({ state: 'alive', incarnation: 50 })
    expect(life.engine.member(at.b.node)?.state).toBe('alive')
  })
})
