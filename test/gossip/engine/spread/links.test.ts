import { describe, expect, test } from 'vitest'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { Neighbourhood } from '../neighbourhood.ts'
import { idOf, nodeOf } from '../nodes.ts'

/** Links of a node with three peers, one of them its successor. */
function open(): Pick<Neighbourhood, 'links' | 'rings'> & { successor: NodeId } {
  const { links, rings } = new Neighbourhood('a', 'b', 'c')
  const [successor = idOf('0')] = rings.successors
  return { links, rings, successor }
}

const NEWS_OF = nodeOf('n')

describe('links', () => {
  test('are eager until they are pruned, and again once they are grafted', () => {
    const { links, successor } = open()
    expect(links.isEager(successor)).toBe(true)
    links.setEager(successor, false)
    expect(links.isEager(successor)).toBe(false)
    links.setEager(successor, true)
    expect(links.isEager(successor)).toBe(true)
  })

  test('are to the neighbours on the rings', () => {
    const { links, rings } = open()
    expect(links.peers).toEqual(rings.all)
    expect(links.peers.size).toBe(3)
  })

  test('hand out news once, the latest version of each node', () => {
    const { links, successor } = open()
    links.noteNews(successor, NEWS_OF, 3)
    links.noteNews(successor, NEWS_OF, 5)
    const entries = [{ node: NEWS_OF, version: 5 }]
    expect(links.takeNews(successor)).toEqual([{ kind: 'have', entries }])
    expect(links.takeNews(successor)).toEqual([])
  })

  test('hand out no more news at once than a datagram holds, and the rest after that', () => {
    const { links, successor } = open()
    for (let number = 0; number < 50; number++) {
      links.noteNews(successor, idOf(number.toString(16).padStart(4, '0')), 1)
    }
    const counts = [1, 2, 3].map(() => links.takeNews(successor)[0]?.entries.length)
    expect(counts).toEqual([40, 10, undefined])
  })

  test.each([
    { held: 4, isTold: true },
    { held: 5, isTold: false },
    { held: 6, isTold: false },
  ])('tell a peer that holds $held of version 5: $isTold', ({ held, isTold }) => {
    const { links, successor } = open()
    links.noteNews(successor, NEWS_OF, 5)
    links.noteHeld(successor, NEWS_OF, held)
    expect(links.takeNews(successor).length > 0).toBe(isTold)
  })

  test('keep the news of one peer apart from those of another', () => {
    const { links, successor } = open()
    links.noteNews(successor, NEWS_OF, 5)
    for (const peer of links.peers) {
      if (peer !== successor) expect(links.takeNews(peer)).toEqual([])
    }
    expect(links.takeNews(successor)).toHaveLength(1)
  })

  test('remember when a peer was useful', () => {
    const { links, successor } = open()
    expect(links.usefulMsOf(successor)).toBe(Number.NEGATIVE_INFINITY)
    links.noteUseful(successor, 40)
    expect(links.usefulMsOf(successor)).toBe(40)
  })

  test('of peers that are none any more are dropped in time', () => {
    const { links, successor } = open()
    links.setEager(successor, false)
    for (let number = 0; number < 200; number++) links.setEager(idOf(`ff${number}`), false)
    const lazy = Array.from({ length: 200 }, (_, number) => links.isEager(idOf(`ff${number}`)))
    expect(lazy.filter((isEager) => !isEager).length).toBeLessThan(80)
    expect(links.isEager(successor)).toBe(false)
  })
})
