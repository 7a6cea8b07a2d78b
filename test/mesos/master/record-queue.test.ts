import { expect, test } from 'vitest'
import { RecordQueue } from '../../../src/mesos/master/record-queue.ts'

const { signal } = new AbortController()
const record = (length: number, fill = 0) => new Uint8Array(length).fill(fill)

test('gives records in order, at most so many', async () => {
  const queue = new RecordQueue(100)
  for (const fill of [1, 2, 3]) queue.push(record(1, fill))
  expect(await queue.take(2, signal)).toEqual([record(1, 1), record(1, 2)])
  expect(await queue.take(2, signal)).toEqual([record(1, 3)])
})

test('waits for records', async () => {
  const queue = new RecordQueue(100)
  const taken = queue.take(2, signal)
  queue.push(record(1))
  expect(await taken).toHaveLength(1)
})

test('refuses more bytes than may wait, but takes any single record', async () => {
  const queue = new RecordQueue(100)
  queue.push(record(1000))
  expect(() => queue.push(record(1))).toThrow(
    expect.objectContaining({ code: 'MESOS_RESPONSE_TOO_LARGE' }),
  )
})

test('counts only what waits', async () => {
  const queue = new RecordQueue(100)
  for (let round = 0; round < 10; round++) {
    queue.push(record(60))
    queue.push(record(40))
    await queue.take(2, signal)
  }
})

test('ends with the signal', async () => {
  const abort = new AbortController()
  const taken = new RecordQueue(100).take(1, abort.signal)
  abort.abort(new Error('over'))
  await expect(taken).rejects.toThrow('over')
})
