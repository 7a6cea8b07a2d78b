import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { EventQueue } from './event-queue.ts'

describe('event queue', () => {
  it('gives events by time, and those of one time in the order they came', () => {
    const random = seededRandom(1)
    const queue = new EventQueue<{ timeMs: number; order: number }>()
    const taken: { timeMs: number; order: number }[] = []
    for (let order = 0; order < 20_000; order++) {
      const timeMs = Math.floor(random.next() * 500) + (taken.at(-1)?.timeMs ?? 0)
      queue.push(timeMs, { timeMs, order })
      if (random.next() < 0.4) taken.push(queue.pop() ?? { timeMs: -1, order: -1 })
    }
    while (queue.size > 0) {
      const { nextMs } = queue
      const event = queue.pop()
      expect(event?.timeMs).toBe(nextMs)
      if (event !== undefined) taken.push(event)
    }
    expect(taken).toHaveLength(20_000)
    const isInOrder = taken.every((event, index) => {
      const before = taken[index - 1]
      if (before === undefined || before.timeMs < event.timeMs) return true
      return before.timeMs === event.timeMs && before.order < event.order
    })
    expect(isInOrder).toBe(true)
  })

  it('has nothing to give when empty', () => {
    const queue = new EventQueue<number>()
    expect(queue.pop()).toBeUndefined()
    expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY)
    queue.push(5, 1)
    expect(queue.pop()).toBe(1)
    expect(queue.pop()).toBeUndefined()
  })
})
