import { expect, test } from 'vitest'
import { Scope } from '../../src/base/scope.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'

test('lifetimes end in reverse order, each even when another fails', async () => {
  const ended: string[] = []
  const errors: unknown[] = []
  const scope = new Scope((error) => errors.push(error))
  scope.defer(() => {
    ended.push('first')
  })
  const failing = {
    close: () => {
      ended.push('second')
      throw new Error('stuck')
    },
  }
  expect(scope.own(failing)).toBe(failing)
  scope.defer(async () => {
    await Promise.resolve()
    ended.push('third')
  })
  await scope.close()
  expect(ended).toEqual(['third', 'second', 'first'])
  expect(errors).toEqual([new Error('stuck')])
})

test('work is aborted and waited for before what it uses ends', async () => {
  const steps: string[] = []
  const scope = new Scope((error) => steps.push(`error ${error}`))
  const clock = new VirtualClock()
  scope.defer(() => {
    steps.push('ended')
  })
  scope.run(async (signal) => {
    await clock.sleep(1000, { signal }).catch(() => steps.push('aborted'))
    await new Promise((resolve) => setImmediate(resolve))
    steps.push('cleaned up')
  })
  await scope.close()
  expect(steps).toEqual(['aborted', 'cleaned up', 'ended'])
})

test('what work throws is reported, an abort is not', async () => {
  const errors: unknown[] = []
  const scope = new Scope((error) => errors.push(error))
  scope.run(() => Promise.reject(new Error('broken')))
  await new Promise((resolve) => setImmediate(resolve))
  expect(errors).toEqual([new Error('broken')])
  scope.run(async (signal) => {
    await new VirtualClock().sleep(1000, { signal })
  })
  await scope.close()
  expect(errors).toHaveLength(1)
  expect(scope.signal.aborted).toBe(true)
})

test('closing twice ends everything once', async () => {
  let endings = 0
  const scope = new Scope(() => undefined)
  scope.defer(() => {
    endings++
  })
  await Promise.all([scope.close(), scope.close()])
  expect(endings).toBe(1)
})
