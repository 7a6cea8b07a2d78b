import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRandom } from '../../../src/base/random.ts'
import { parseClusterList } from '../../../src/mesos/master/exhibitor.ts'
import {
  type LeaderSource,
  type LeaderSourceOptions,
  openLeaderSource,
} from '../../../src/mesos/master/leader.ts'
import { parseMasterList } from '../../../src/mesos/master/master-list.ts'
import { parseMasters } from '../../../src/mesos/master/masters.ts'
import { serveBytes, serveHttp, type TestServer } from '../servers.ts'
import { FakeZooKeeper } from './fake-zookeeper.ts'

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const ending of endings.splice(0).reverse()) await ending()
})

/** A source that asks often. */
function follow(text: string, options: Partial<LeaderSourceOptions> = {}): LeaderSource {
  const parsed = parseMasters(text)
  if (parsed.kind === 'problem') throw new Error(parsed.problem)
  const source = openLeaderSource({
    masters: parsed.masters,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    answerTimeoutMs: 200,
    listTiming: { intervalMs: 20, backoff: { baseMs: 10, maxMs: 20 } },
    ...options,
  })
  endings.push(() => source.close())
  return source
}

/** A master that answers as `answer` says: `leads`, a status, or the master it redirects to. */
class TestMaster {
  answer: string | number = 'leads'
  server!: TestServer

  static async start(answer: string | number): Promise<TestMaster> {
    const master = new TestMaster()
    master.answer = answer
    master.server = await serveHttp((_request, response) => {
      const { answer } = master
      if (answer === 'leads') response.writeHead(200, { 'content-type': 'application/json' })
      else if (typeof answer === 'number') response.writeHead(answer)
      else response.writeHead(307, { location: `//${answer}/api/v1` })
      response.end(answer === 'leads' ? '{"type":"GET_VERSION"}' : '')
    })
    endings.push(() => master.server.close())
    return master
  }

  get host(): string {
    return new URL(this.server.url).host
  }

  get port(): number {
    return Number(new URL(this.server.url).port)
  }
}

const leaderOf = (source: LeaderSource) => () => source.current?.port

describe('a list of masters', () => {
  test('the leader answers; the others lead to it, without a scheme', async () => {
    const leader = await TestMaster.start('leads')
    const other = await TestMaster.start(leader.host)
    const source = follow(`http://${other.host},http://${leader.host}`)
    await expect.poll(leaderOf(source)).toBe(leader.port)
    expect(source.status().state).toBe('current')
    const [request] = leader.server.requests
    expect(request?.body).toBe('{"type":"GET_VERSION"}')
    expect(request?.message.method).toBe('POST')
  })

  test('a leader that is not in the list is found through those that are', async () => {
    const leader = await TestMaster.start('leads')
    const listed = await TestMaster.start(leader.host)
    await expect.poll(leaderOf(follow(`http://${listed.host}`))).toBe(leader.port)
  })

  test('a fail-over is followed', async () => {
    const first = await TestMaster.start('leads')
    const second = await TestMaster.start(first.host)
    const source = follow(`http://${first.host},http://${second.host}`)
    await expect.poll(leaderOf(source)).toBe(first.port)
    second.answer = 'leads'
    first.answer = second.host
    await expect.poll(leaderOf(source)).toBe(second.port)
  })

  test('masters that are down, mute, recovering or no masters are passed over', async () => {
    const leader = await TestMaster.start('leads')
    const recovering = await TestMaster.start(503)
    const web = await TestMaster.start(404)
    const dangling = await TestMaster.start('127.0.0.1:1')
    const mute = await serveBytes(() => undefined)
    endings.push(() => mute.close())
    const hosts = ['127.0.0.1:1', recovering.host, web.host, dangling.host]
    const urls = [...hosts.map((host) => `http://${host}`), mute.url, `http://${leader.host}`]
    await expect.poll(leaderOf(follow(urls.join(',')))).toBe(leader.port)
  })

  test('the last known leader stays while no master says who leads', async () => {
    const leader = await TestMaster.start('leads')
    const source = follow(`http://${leader.host},http://127.0.0.1:1`)
    await expect.poll(leaderOf(source)).toBe(leader.port)
    leader.answer = 503
    await expect.poll(() => source.status().state).toBe('stale')
    expect(source.status()).toMatchObject({ problem: { code: 'MASTER_UNKNOWN' } })
    expect(leaderOf(source)()).toBe(leader.port)
    leader.answer = 'leads'
    await expect.poll(() => source.status().state).toBe('current')
  })

  test('two masters that point at each other are no leaders', async () => {
    const first = await TestMaster.start(503)
    const second = await TestMaster.start(first.host)
    first.answer = second.host
    const source = follow(`http://${first.host}`)
    await expect.poll(() => source.status().problem?.message).toContain('redirect')
    expect(source.status()).toMatchObject({ state: 'searching', leader: undefined })
  })

  test('credentials are sent; refused ones are said', async () => {
    const master = await TestMaster.start(401)
    const source = follow(`http://${master.host}`, {
      credential: { kind: 'basic', user: 'bob', password: 'x' },
    })
    await expect.poll(() => source.status().problem?.code).toBe('MESOS_FORBIDDEN')
    expect(master.server.requests[0]?.message.headers.authorization).toBe('Basic Ym9iOng=')
  })

  test('a hint to look again is followed at once', async () => {
    const first = await TestMaster.start('leads')
    const second = await TestMaster.start('leads')
    const source = follow(`http://${first.host},http://${second.host}`, {
      listTiming: { intervalMs: 3_600_000, backoff: { baseMs: 10, maxMs: 20 } },
    })
    await expect.poll(leaderOf(source)).toBe(first.port)
    first.answer = second.host
    source.refresh()
    await expect.poll(leaderOf(source)).toBe(second.port)
  })
})

describe('a master_list', () => {
  async function listPath(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'nsv-master-list-'))
    endings.push(() => rm(directory, { recursive: true }))
    return join(directory, 'master_list')
  }

  test('is read again as soon as it is replaced', async () => {
    const [first, second] = [await TestMaster.start('leads'), await TestMaster.start('leads')]
    const path = await listPath()
    await writeFile(path, JSON.stringify([first.host]))
    const source = follow(path, {
      listTiming: { intervalMs: 3_600_000, backoff: { baseMs: 10, maxMs: 20 } },
    })
    await expect.poll(leaderOf(source)).toBe(first.port)
    first.answer = 503
    await writeFile(`${path}.new`, JSON.stringify([second.host]))
    await rename(`${path}.new`, path)
    await expect.poll(leaderOf(source)).toBe(second.port)
  })

  test('that is missing or junk leaves the leader as it was', async () => {
    const master = await TestMaster.start('leads')
    const path = await listPath()
    const source = follow(path)
    await expect.poll(() => source.status().problem?.code).toBe('MASTERS_UNREADABLE')
    await writeFile(path, JSON.stringify([master.host]))
    await expect.poll(leaderOf(source)).toBe(master.port)
    await writeFile(path, '["10.0.')
    await expect.poll(() => source.status().state).toBe('stale')
    expect(leaderOf(source)()).toBe(master.port)
  })

  test('has addresses, with a port or without', () => {
    expect(parseMasterList('["10.0.0.1", "10.0.0.2:5051"]', true)).toEqual([
      { address: '10.0.0.1', port: 5050, isTls: true },
      { address: '10.0.0.2', port: 5051, isTls: true },
    ])
  })

  test.each(['', '{}', '[]', '[1]', '["10.0.0.1", "http://x"]', '["10.0.0.256"]'])(
    '%j is none',
    (text) => expect(() => parseMasterList(text, false)).toThrow(),
  )
})

describe('Exhibitor', () => {
  test('names the servers, and is asked again for each session', async () => {
    let answer = '{"servers":["a"],"port":2182}'
    const exhibitor = await serveHttp((_request, response) => void response.end(answer))
    endings.push(() => exhibitor.close())
    const zookeeper = new FakeZooKeeper()
    zookeeper.announce(1, '10.0.0.1')
    const source = follow(`${exhibitor.url}/exhibitor/v1/cluster/list`, {
      openSession: zookeeper.open,
    })
    await expect.poll(() => source.current?.address).toBe('10.0.0.1')
    expect(exhibitor.requests[0]?.message).toMatchObject({
      method: 'GET',
      url: '/exhibitor/v1/cluster/list',
    })
    answer = '{"servers":["b"],"port":2182}'
    zookeeper.stop('a')
    await expect.poll(() => zookeeper.openSessions.map(({ host }) => host)).toEqual(['b'])
    answer = 'out of order'
    zookeeper.down.clear()
    zookeeper.openSessions[0]?.end()
    await expect.poll(() => zookeeper.attempts.filter((host) => host === 'b').length).toBe(2)
  })

  test('that does not answer is said', async () => {
    const source = follow('http://127.0.0.1:1/exhibitor/v1/cluster/list')
    await expect.poll(() => source.status().problem?.code).toBe('MASTERS_UNREADABLE')
  })

  test.each([
    ['{"servers":["10.0.0.1"]}', [{ host: '10.0.0.1', port: 2181 }]],
    ['{"servers":["a"],"port":1}', [{ host: 'a', port: 1 }]],
  ])('%s lists', (text, servers) => expect(parseClusterList(text)).toEqual(servers))

  test.each(['', '[]', '{}', '{"servers":[]}', '{"servers":["a"],"port":0}', '{"servers":[1]}'])(
    '%j lists nothing',
    (text) => expect(() => parseClusterList(text)).toThrow(),
  )
})
