/** A stream whose bytes stop, trickle, or make no sense; and answers that race with it. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordOf } from '../../../src/demo/mesos/encoding.ts'
import { PROTOBUF_ENCODER } from '../../sim/mesos/protobuf-encoder.ts'
import type { ServedClusterOptions } from '../../sim/mesos/served-cluster.ts'
import { ServedStage } from './served-stage.ts'

async function open(options?: ServedClusterOptions): Promise<ServedStage> {
  const stage = await ServedStage.open(options)
  onTestFinished(() => stage.close())
  return stage
}

/** A protobuf field whose content is bytes. */
function field(number: number, ...bytes: readonly number[]): readonly number[] {
  return [(number << 3) | 2, bytes.length, ...bytes]
}

describe('a connection that stalls', () => {
  test.for([
    [40, 1],
    [60, 2],
  ] as const)(
    'for %i s and goes on leads to %i stream(s), and to the truth',
    async ([seconds, count]) => {
      const stage = await open()
      const first = stage.served.launch('first')
      stage.follow()
      await stage.current()
      await stage.pass(1000)
      const stream = stage.stream()
      stream.stall()
      const young = stage.served.launch('young')
      await stage.pass(2000)
      stage.served.cluster.kill(first)
      await stage.pass((seconds - 2) * 1000)
      if (count === 1) expect(stage.followed.tasks).toEqual([first])
      stream.goOn()
      await stage.expectTruth()
      expect(stage.followed.tasks).toEqual([young])
      expect(stage.served.server().streams).toHaveLength(count)
      expect(stage.followed.gone).toEqual([])
    },
  )

  test('in the middle of SUBSCRIBED goes on, or is given up after half a minute', async () => {
    const stage = await open()
    stage.served.launch('web')
    stage.served.server().cut = { writeBytes: 100, stallAfterBytes: 700 }
    stage.follow()
    await stage.until(() => stage.served.server().streams.length === 1)
    stage.served.server().cut = {}
    await stage.pass(20_000)
    stage.stream().goOn()
    await stage.expectTruth()
    expect(stage.served.server().streams).toHaveLength(1)
  })
})

test('a product that stands still for a minute loses nothing: what came meanwhile is read first', async () => {
  const stage = await open()
  stage.follow()
  await stage.current()
  for (let second = 0; second < 60; second++) {
    stage.served.launch(`web-${second}`)
    stage.served.runFor(1000)
  }
  stage.followed.clock.leap(60_000)
  await stage.expectTruth()
  expect(stage.followed.tasks).toHaveLength(60)
  expect(stage.served.server().streams).toHaveLength(1)
  // The master holds nothing back for a reader that keeps reading.
  expect(stage.stream().waitingBytes).toBe(0)
})

test('a claim of a gibibyte without data is given up', async () => {
  const stage = await open()
  stage.follow()
  await stage.current()
  const before = process.memoryUsage().arrayBuffers
  stage.stream().write(Buffer.from(`${200 * 1024 * 1024}\n`))
  await stage.until(() => stage.served.server().streams.length > 1)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
  stage.stream().write(Buffer.from(`${1024 * 1024 * 1024}\n`))
  stage.served.launch('web')
  await stage.until(() => stage.served.server().streams.length > 2)
  await stage.expectTruth()
})

test('a slow link: SUBSCRIBED takes minutes, byte after byte', async () => {
  const stage = await open()
  stage.served.launch('web')
  await stage.pass(1000)
  const server = stage.served.server()
  server.isSilent = true
  stage.follow()
  await stage.until(() => server.streams.length === 1)
  const get_state = stage.served.cluster.master?.snapshot ?? {}
  const event = { type: 'SUBSCRIBED', subscribed: { get_state, heartbeat_interval_seconds: 15 } }
  const bytes = recordOf(PROTOBUF_ENCODER.encode(event, 'Event'))
  for (let at = 0; at < bytes.length; at += 100) {
    stage.stream().write(bytes.subarray(at, at + 100))
    await stage.silence(20_000)
  }
  await stage.current()
  expect(stage.followed.tasks).toHaveLength(1)
  expect(server.streams).toHaveLength(1)
})

describe('a record in protobuf', () => {
  test.for([
    ['that is cut off', [0x08, 0x02, 0x1a, 0x05, 0x0a]],
    ['of no wire type', [0x0f, 0x0f]],
    ['of an unknown type', [0x08, 99]],
    ['with an unknown field', [0x08, 9, ...field(100 & 15, 1, 2, 3)]],
    ['of a task in an unknown state', [0x08, 3, ...field(4, ...field(2, 0x10, 77), 0x18, 77)]],
    ['of a task without ids', [0x08, 2, ...field(3, ...field(1))]],
    ['that says nothing', []],
  ] as const)('%s is left out, the next ones count', async ([, bytes]) => {
    const stage = await open()
    stage.follow()
    await stage.current()
    stage.stream().write(recordOf(Uint8Array.from(bytes)))
    stage.served.launch('web')
    await stage.expectTruth()
    expect(stage.served.server().streams).toHaveLength(1)
  })
})

test('a HEARTBEAT before SUBSCRIBED, as Mesos 1.5.0 sends it', async () => {
  const stage = await open({ version: '1.5' })
  stage.served.server().beatsFirst = true
  stage.served.launch('web')
  stage.follow()
  await stage.expectTruth()
  expect(stage.followed.stream.events.HEARTBEAT).toBeGreaterThan(1)
})

test('an answer to an audit that is overtaken by events takes nothing back', async () => {
  const stage = await open()
  const old = stage.served.launch('old')
  await stage.pass(1000)
  stage.follow()
  await stage.current()
  const server = stage.served.server()
  server.manners = { answerDelayMs: 30_000 }
  const audits = () => server.log.filter((line) => line === '200 /api/v1').length
  const before = audits()
  await stage.until(() => audits() > before)
  const young = stage.served.launch('young')
  stage.served.cluster.kill(old)
  for (let second = 0; second < 60; second++) {
    await stage.pass(1000)
    if (second >= 5) expect(stage.followed.tasks).toEqual([young])
  }
  // The answer comes over a real socket, which virtual time does not wait for.
  await stage.until(() => stage.followed.stream.lastAuditWallMs !== undefined)
  expect(stage.followed.tasks).toEqual([young])
  await stage.expectTruth()
})
