import { expect, test } from 'vitest'
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
