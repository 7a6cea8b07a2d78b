import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { Wakeup } from '../../src/base/wakeup.ts'

const { signal } = new AbortController()

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const mark = () => {
    settled = true
  }
  promise.then(mark, mark)
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

test('many wake-ups before a wait count once', async () => {
  const wakeup = new Wakeup()
  wakeup.wake()
  wakeup.wake()
  await wakeup.wait({ signal })
  expect(await isSettled(wakeup.wait({ signal }))).toBe(false)
})

test('a waiter is woken, and the wake-up is used up', async () => {
  const wakeup = new Wakeup()
  const waiting = wakeup.wait({ signal })
  expect(await isSettled(waiting)).toBe(false)
  wakeup.wake()
  await waiting
  expect(await isSettled(wakeup.wait({ signal }))).toBe(false)
})

test('a wait ends with its time, and does not count as a wake-up', async () => {
  const clock = new VirtualClock()
  const wakeup = new Wakeup()
  const limit = { clock, timeoutMs: 100 }
  const waiting = wakeup.wait({ signal, limit })
  await clock.advance(99)
  expect(await isSettled(waiting)).toBe(false)
  await clock.advance(1)
  await waiting
  expect(await isSettled(wakeup.wait({ signal }))).toBe(false)
})

test('a wait that a wake-up ended leaves no timer', async () => {
  const clock = new VirtualClock()
  const wakeup = new Wakeup()
  const waiting = wakeup.wait({ signal, limit: { clock, timeoutMs: 100 } })
  expect(clock.sleeperCount).toBe(1)
  wakeup.wake()
  await waiting
  expect(clock.sleeperCount).toBe(0)
})

test('an aborted wait rejects with the reason and loses no wake-up', async () => {
  const wakeup = new Wakeup()
  const abort = new AbortController()
  const waiting = wakeup.wait({ signal: abort.signal })
  abort.abort(new Error('stop'))
  await expect(waiting).rejects.toThrow('stop')
  await expect(wakeup.wait({ signal: abort.signal })).rejects.toThrow('stop')
  wakeup.wake()
  await wakeup.wait({ signal })
})
