import { describe, expect, onTestFinished, test } from 'vitest'
import { recordOf } from '../../../src/demo/mesos/encoding.ts'
import type { ServedClusterOptions } from '../../sim/mesos/served-cluster.ts'
import { ServedStage } from './served-stage.ts'

async function open(options?: ServedClusterOptions): Promise<ServedStage> {
  const stage = await ServedStage.open(options)
  onTestFinished(() => stage.close())
  return stage
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

describe('a stream', () => {
  test.for([
    [PROTOBUF, 'as it is', {}],
    [PROTOBUF, 'a byte per write', { writeBytes: 1 }],
    [PROTOBUF, 'a byte per chunk, with extensions', { chunkBytes: 1, extension: ';q="1"' }],
    [PROTOBUF, 'coalesced', { isCoalesced: true, chunkBytes: 100_000 }],
    [JSON_TYPE, 'as it is', {}],
    [JSON_TYPE, 'in chunks of seven', { chunkBytes: 7, writeBytes: 3 }],
    [JSON_TYPE, 'coalesced', { isCoalesced: true }],
  ] as const)('of %s, %s, says the truth', async ([type, , cut]) => {
    const stage = await open()
    stage.served.server().cut = cut
    if (type === JSON_TYPE) stage.served.server().manners = { refusedTypes: [PROTOBUF] }
    const first = stage.served.launch('ä – before')
    await stage.pass(1000)
    stage.follow()
    await stage.current()
    expect(stage.followed.stream.contentType).toBe(type)
    stage.served.launch('web-1', 1)
    await stage.pass(2000)
    stage.served.cluster.kill(first)
    await stage.pass(5000)
    await stage.expectTruth()
  })

  test.for([
    ['within a length', 2, 'fin'],
    ['within a record', 700, 'fin'],
    ['within a record, by a reset', 700, 'reset'],
    ['within a record, by its last chunk', 700, 'last-chunk'],
    ['within a later record', 6000, 'reset'],
  ] as const)('that breaks %s is followed anew', async ([, breakAfterBytes, breakBy]) => {
    const stage = await open()
    stage.served.launch('web')
    stage.served.server().cut = { breakAfterBytes, breakBy }
    stage.follow()
    await stage.until(() => stage.served.server().streams.length > 0)
    stage.served.server().cut = {}
    for (let count = 0; count < 10; count++) stage.served.launch(`web-${count}`, count % 2)
    await stage.until(() => stage.served.server().streams.length > 1)
    await stage.expectTruth()
  })

  test('that its master ends by the last chunk, as the oldest of too many, is followed anew', async () => {
    const stage = await open()
    stage.follow()
    await stage.current()
    stage.stream().end('last-chunk')
    stage.served.launch('web')
    await stage.until(() => stage.served.server().streams.length > 1)
    await stage.expectTruth()
  })

  test.for([
    ['-1', '-1\n'],
    ['+5', '+5\n{"a":'],
    ['hexadecimal', '0x10\n'],
    ['21 digits', '111111111111111111111\n'],
    ['more than the cap', '18446744073709551615\n'],
    ['no digits', '\n'],
    ['words', 'HTTP/1.1 502 Bad Gateway\n'],
  ])('with the length %s is given up and followed anew', async ([, text]) => {
    const stage = await open()
    stage.follow()
    await stage.current()
    stage.stream().write(Buffer.from(text ?? ''))
    stage.served.launch('web')
    await stage.until(() => stage.served.server().streams.length > 1, 5000)
    await stage.expectTruth()
  })

  test.for([
    ['an empty record', ''],
    ['nothing in it', '{}'],
    ['an unknown type', '{"type":"AGENT_DRAINED"}'],
    ['junk', '{"type":]'],
    ['a task without an id', '{"type":"TASK_ADDED","task_added":{"task":{"name":1}}}'],
  ])('with a record of %s goes on', async ([, text = '']) => {
    const stage = await open()
    stage.served.server().manners = { refusedTypes: [PROTOBUF] }
    stage.follow()
    await stage.current()
    stage.stream().write(recordOf(Buffer.from(text)))
    stage.served.launch('web')
    await stage.expectTruth()
    expect(stage.served.server().streams).toHaveLength(1)
  })
})

test.for([PROTOBUF, JSON_TYPE])(
  'a state of 10,000 tasks in %s arrives whole',
  { timeout: 60_000 },
  async (type) => {
    const stage = await open({ agents: 20 })
    for (let count = 0; count < 10_000; count++) stage.served.launch(`web-${count}`, count % 20)
    await stage.pass(2000)
    if (type === JSON_TYPE) stage.served.server().manners = { refusedTypes: [PROTOBUF] }
    stage.follow()
    await stage.current()
    expect(stage.followed.tasks).toHaveLength(10_000)
    stage.served.launch('young')
    await stage.expectTruth()
    expect(stage.served.server().streams).toHaveLength(1)
  },
)

describe('silence', () => {
  test.for([
    [2.9, 1],
    [3.1, 2],
    [5.1, 2],
  ] as const)('of %d heartbeats leads to %i stream(s)', async ([beats, streams]) => {
    const stage = await open()
    stage.follow()
    await stage.current()
    // Half a second at most has passed since the first HEARTBEAT.
    await stage.silence(beats * 15_000 - 500)
    stage.served.runFor(15_000)
    await stage.pass(100)
    await stage.until(() => stage.followed.stream.state === 'current')
    expect(stage.served.server().streams).toHaveLength(streams)
  })

  test('of a master of 1.4, which has no heartbeats, is no reason', async () => {
    const stage = await open({ version: '1.4' })
    stage.follow()
    await stage.current()
    for (let minute = 0; minute < 10; minute++) await stage.silence(60_000)
    stage.served.launch('web')
    await stage.expectTruth()
    expect(stage.served.server().streams).toHaveLength(1)
  })

  test('with a byte now and then that makes no record is silence', async () => {
    const stage = await open()
    stage.follow()
    await stage.current()
    stage.stream().write(Buffer.from('100000\n'))
    for (let count = 0; count < 11; count++) {
      stage.stream().write(Buffer.from(' '))
      await stage.silence(5000)
    }
    await stage.pass(2000)
    await stage.current()
    expect(stage.served.server().streams.length).toBeGreaterThan(1)
  })
})

describe('masters', () => {
  test.for(['reset', 'fin'] as const)(
    'fail over by %s; the next one recovers first',
    async (how) => {
      const stage = await open()
      const key = stage.served.launch('web')
      stage.follow()
      await stage.current()
      await stage.pass(1000)
      stage.served.cluster.failLeader(how)
      await stage.until(() => stage.followed.stream.lastError !== undefined)
      expect(stage.followed.tasks).toContain(key)
      stage.served.cluster.elect(1, { recoveryMs: 20_000, returnWithinMs: 60_000 })
      stage.followed.leader.name(stage.addressOf(1))
      await stage.until(() => stage.served.server(1).log.includes('503 /api/v1'))
      await stage.current()
      expect(stage.followed.tasks).toContain(key)
      await stage.pass(70_000)
      await stage.expectTruth()
      expect(stage.followed.gone).toEqual([])
    },
  )

  test('that do not lead send us to who does', async () => {
    const stage = await open()
    stage.served.launch('web')
    stage.follow(2)
    await stage.expectTruth()
    expect(stage.served.server(2).log).toContain('307 /api/v1')
  })

  test('that send us to each other are given up until they know better', async () => {
    const stage = await open()
    const [first, second] = [stage.served.server(0), stage.served.server(1)]
    first.manners = { redirectTo: `//${second.address}` }
    second.manners = { redirectTo: `//${first.address}` }
    stage.follow()
    await stage.lost('MESOS_REDIRECT_LOOP')
    expect(first.log.length + second.log.length).toBeLessThan(20)
    first.manners = {}
    await stage.expectTruth()
  })

  test('that send us to a dead one are asked again', async () => {
    const stage = await open()
    stage.served.server().manners = { redirectTo: '//127.0.0.1:1' }
    stage.follow()
    await stage.lost('MESOS_UNREACHABLE')
    stage.served.server().manners = {}
    await stage.expectTruth()
  })

  test.for([
    ['want a secret', { authorization: 'Basic YTpi', scheme: 'Basic' }],
    ['want a token', { authorization: 'token=abc', scheme: 'Bearer' }],
    ['refuse', { isForbidden: true }],
  ] as const)('that %s are asked again', async ([, manners]) => {
    const stage = await open()
    stage.served.server().manners = manners
    stage.follow()
    await stage.lost('MESOS_FORBIDDEN')
    stage.served.server().manners = {}
    await stage.expectTruth()
  })

  test('that show us nothing are followed: it is no error', async () => {
    const stage = await open()
    stage.served.launch('web')
    stage.served.server().manners = { isBlind: true }
    stage.follow()
    await stage.current()
    expect(stage.followed.tasks).toEqual([])
  })

  test('whose answers to an audit are out of date mislead us until the next audit', async () => {
    const stage = await open()
    stage.served.launch('web')
    await stage.pass(1000)
    stage.follow()
    await stage.current()
    const old = stage.served.cluster.master?.snapshot
    const young = stage.served.launch('young')
    await stage.pass(2000)
    expect(stage.followed.tasks).toContain(young)
    stage.served.server().manners = old === undefined ? {} : { staleSnapshot: old }
    await stage.until(() => stage.followed.stream.lastAuditWallMs !== undefined)
    stage.served.server().manners = {}
    const { lastAuditWallMs } = stage.followed.stream
    await stage.until(() => stage.followed.stream.lastAuditWallMs !== lastAuditWallMs)
    await stage.expectTruth()
  })
})
