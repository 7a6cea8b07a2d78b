import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MesosCredential } from '../../../src/mesos/credential.ts'
import { selfSigned } from '../servers.ts'
import { Followed } from './followed.ts'
import {
  type Script,
  type ScriptedMaster,
  stateMessage,
  subscribedEvent,
} from './scripted-master.ts'

let followed: Followed
let master: ScriptedMaster

beforeEach(async () => {
  followed = new Followed()
  master = await followed.master()
})

afterEach(() => followed.close())

/** The stream begins at this master. */
async function begins(at: ScriptedMaster, times = 1): Promise<void> {
  await followed.subscribed(at, times)
  at.stream.send([subscribedEvent()])
  await expect.poll(() => followed.stream.state).toBe('current')
}

function answer(status: number, headers: Record<string, string> = {}, text = ''): Script {
  return (_call, response) => void response.writeHead(status, headers).end(text)
}

function redirectTo(host: string): Script {
  return answer(307, { location: `//${host}/api/v1` })
}

describe('subscribing', () => {
  test('asks in protobuf first, and in JSON where that is refused', async () => {
    followed.start(master.address)
    await begins(master)
    const types = master.calls.map(({ headers }) => [headers['content-type'], headers.accept])
    const [protobuf, json] = ['application/x-protobuf', 'application/json']
    expect(types).toEqual([
      [protobuf, protobuf],
      [json, json],
    ])
  })

  test('asks in JSON where protobuf is not acceptable', async () => {
    const { script } = master
    master.script = (call, response) => {
      if (call.headers.accept === 'application/json') script(call, response)
      else answer(406)(call, response)
    }
    followed.start(master.address)
    await begins(master)
  })

  test('follows redirects, which have no scheme', async () => {
    const leader = await followed.master()
    master.script = redirectTo(leader.host)
    followed.start(master.address)
    await begins(leader)
    expect(followed.stream.leader).toEqual(master.address)
  })

  test.each<[string, MesosCredential, string]>([
    ['basic', { kind: 'basic', user: 'bob', password: 'x' }, 'Basic Ym9iOng='],
    ['bearer', { kind: 'bearer', token: 't' }, 'Bearer t'],
    ['dcos', { kind: 'dcos', token: 't' }, 'token=t'],
  ])('sends a %s credential, also where it is redirected', async (_kind, credential, sent) => {
    const leader = await followed.master()
    master.script = redirectTo(leader.host)
    followed.start(master.address, { credential })
    await begins(leader)
    const sentBy = [...master.calls, ...leader.calls].map(({ headers }) => headers.authorization)
    expect(new Set(sentBy)).toEqual(new Set([sent]))
  })

  test('over TLS trusts the given certificate only, and sends no secret in clear text', async (ctx) => {
    const pem = selfSigned()
    if (pem === undefined) ctx.skip('reason: openssl is not installed')
    const secure = await followed.master(pem)
    followed.start(secure.address, {
      caPem: pem ?? '',
      credential: { kind: 'dcos', token: 'abc' },
    })
    await begins(secure)
    expect(secure.calls[0]?.headers.authorization).toBe('token=abc')
    secure.script = answer(307, { location: `http://${master.host}/api/v1` })
    secure.stream.end('last chunk')
    await followed.until(() => master.streams.length === 1)
    expect(master.calls.map(({ headers }) => headers.authorization)).not.toContain('token=abc')
    const stranger = new Followed()
    stranger.start(secure.address)
    await stranger.lost('MESOS_UNTRUSTED')
    expect(stranger.stream.lastError?.message).toContain('self-signed')
    await stranger.close()
  })

  test.each<[string, Script, string, string]>([
    [
      '401',
      answer(401, { 'www-authenticate': 'Basic realm="m"' }),
      'MESOS_FORBIDDEN',
      'Basic realm',
    ],
    ['403', answer(403), 'MESOS_FORBIDDEN', '403'],
    ['404', answer(404, {}, 'no such page'), 'MESOS_RESPONSE_INVALID', 'no such page'],
    ['503', answer(503, {}, 'No leader elected'), 'MESOS_UNAVAILABLE', 'No leader elected'],
    ['415 to all', answer(415), 'MESOS_UNREACHABLE', 'neither'],
    ['a redirect to nowhere', redirectTo('127.0.0.1:1'), 'MESOS_UNREACHABLE', 'ECONNREFUSED'],
    ['a redirect without a target', answer(307), 'MESOS_RESPONSE_INVALID', '307'],
    [
      'another type',
      answer(200, { 'content-type': 'text/html' }),
      'MESOS_RESPONSE_INVALID',
      'text/html',
    ],
    [
      'no HTTP',
      (_call, response) => void response.socket?.end('hi\n'),
      'MESOS_RESPONSE_INVALID',
      '',
    ],
    [
      'a reset',
      (_call, response) => void response.socket?.resetAndDestroy(),
      'MESOS_UNREACHABLE',
      '',
    ],
  ])('says that it was answered %s, and tries again', async (...[, script, code, said]) => {
    const { script: serve } = master
    master.script = script
    followed.start(master.address)
    await followed.lost(code)
    expect(followed.stream.lastError?.message).toContain(said)
    expect(followed.stream.staleSinceWallMs).toBe(1.7e12)
    master.script = serve
    await followed.clock.advance(600)
    await begins(master)
    expect(followed.stream.lastError).toBeUndefined()
  })

  test('gives up redirects that lead in a circle', async () => {
    const second = await followed.master()
    master.script = redirectTo(second.host)
    second.script = redirectTo(master.host)
    followed.start(master.address)
    await followed.lost('MESOS_REDIRECT_LOOP')
    expect(master.calls.length + second.calls.length).toBe(6)
  })

  test('gives up a master that does not answer', async () => {
    master.script = () => undefined
    followed.start(master.address)
    await expect.poll(() => master.calls.length).toBe(1)
    await followed.clock.advance(10_000)
    await followed.lost('MESOS_UNREACHABLE')
  })

  test('waits longer the more often it fails', async () => {
    master.script = answer(503)
    followed.start(master.address)
    const counts: number[] = []
    for (let minute = 0; minute < 3; minute++) {
      const endMs = followed.clock.nowMs() + 60_000
      await followed.until(() => followed.clock.nowMs() >= endMs)
      counts.push(master.calls.length)
    }
    expect(counts[0]).toBeGreaterThan(5)
    expect((counts[2] ?? 0) - (counts[1] ?? 0)).toBeGreaterThanOrEqual(3)
    expect((counts[2] ?? 0) - (counts[1] ?? 0)).toBeLessThan(10)
    expect(followed.stream.staleSinceWallMs).toBe(1.7e12)
  })
})

test('a stream that lasted is no failure: the next attempt comes soon, and says since when', async () => {
  const { script } = master
  master.script = answer(503)
  followed.start(master.address)
  await followed.until(() => master.calls.length > 8)
  master.script = script
  await followed.until(() => master.streams.length === 1)
  await begins(master)
  for (let minute = 0; minute < 4; minute++) {
    await followed.clock.advance(20_000)
    master.stream.send([{ type: 'HEARTBEAT' }])
    await expect.poll(() => followed.stream.events.HEARTBEAT).toBe(minute + 1)
  }
  const lostWallMs = followed.clock.wallMs()
  master.script = answer(503)
  master.stream.end('RST')
  await followed.lost('MESOS_UNREACHABLE')
  const calls = master.calls.length
  await followed.clock.advance(600)
  await expect.poll(() => master.calls.length).toBe(calls + 1)
  await followed.lost('MESOS_UNAVAILABLE')
  expect(followed.stream.staleSinceWallMs).toBe(lostWallMs)
})

describe('another leader', () => {
  test('is followed instead, and its state compared', async () => {
    const second = await followed.master()
    followed.start(master.address)
    await begins(master)
    followed.leader.name(second.address)
    await expect.poll(() => master.stream.hasEnded).toBe(true)
    await followed.until(() => second.streams.length === 1)
    second.stream.send([subscribedEvent(stateMessage([1]))])
    await expect.poll(() => followed.hints).toEqual(['10.0.0.1'])
    expect(followed.stream).toMatchObject({ state: 'current', leader: second.address })
  })

  test('ends the wait for one that failed', async () => {
    const second = await followed.master()
    master.script = answer(503)
    followed.start(master.address)
    await followed.lost('MESOS_UNAVAILABLE')
    followed.leader.name(second.address)
    await followed.clock.advance(500)
    await begins(second)
  })

  test('is waited for while there is none; a stream that goes on is kept', async () => {
    followed.start(undefined)
    await followed.clock.advance(100_000)
    expect(followed.stream.state).toBe('waiting')
    followed.leader.name(master.address)
    await begins(master)
    followed.leader.name(undefined)
    await followed.clock.advance(1000)
    expect(followed.stream.state).toBe('current')
    master.stream.end('RST')
    await followed.until(() => followed.stream.state === 'waiting')
    expect(followed.tasks).toEqual(['f/web'])
  })
})

describe('an audit', () => {
  async function audited(): Promise<void> {
    const asked = () => master.calls.filter(({ type }) => type === 'GET_STATE').length
    const before = asked()
    await followed.until(() => {
      if (followed.stream.state === 'current') master.stream.send([{ type: 'HEARTBEAT' }])
      return asked() > before
    })
  }

  test('comes every few minutes and tells what no event told', async () => {
    followed.start(master.address)
    await begins(master)
    master.state = stateMessage([1, 2], { web: 1, db: 2 })
    await audited()
    expect(followed.clock.nowMs()).toBeGreaterThan(220_000)
    expect(followed.clock.nowMs()).toBeLessThan(380_000)
    await expect.poll(() => followed.hints).toEqual(['10.0.0.2'])
    expect(followed.tasks).toEqual(['f/db', 'f/web'])
    expect(
      await followed.registry.getSingleMetricAsString('navstar_mesos_master_audits_total'),
    ).toMatch(/result="corrected"} 1$/m)
  })

  test('reads a compressed answer', async () => {
    const { script } = master
    const state = { type: 'GET_STATE', get_state: stateMessage([1]) }
    followed.start(master.address)
    await begins(master)
    master.script = (call, response) => {
      if (call.type !== 'GET_STATE') return script(call, response)
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      response.end(gzipSync(JSON.stringify(state)))
    }
    await audited()
    expect(master.calls.at(-1)?.headers['accept-encoding']).toBe('gzip')
    await expect.poll(() => followed.tasks).toEqual([])
  })

  test.each<[string, Script]>([
    ['503', answer(503)],
    ['a redirect', redirectTo('127.0.0.1:1')],
    ['nonsense', answer(200, { 'content-type': 'application/json' }, '{}')],
  ])('that is answered %s changes nothing, and the stream goes on', async (_name, script) => {
    followed.start(master.address)
    await begins(master)
    const { script: serve } = master
    master.script = (call, response) =>
      call.type === 'GET_STATE' ? script(call, response) : serve(call, response)
    await audited()
    await expect
      .poll(() => followed.registry.getSingleMetricAsString('navstar_mesos_master_audits_total'))
      .toMatch(/result="failed"} 1$/m)
    const auditProblem = { sinceWallMs: expect.any(Number) }
    expect(followed.stream).toMatchObject({ state: 'current', auditProblem })
    expect(followed.tasks).toEqual(['f/web'])
  })
})
