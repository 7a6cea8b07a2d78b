import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import {
  openZooKeeperSession,
  type SessionOptions,
  type ZooKeeperReader,
} from '../../../src/mesos/master/zookeeper-session.ts'
import { toPort } from '../../../src/model/port.ts'
import { serveBytes, type TestServer } from '../servers.ts'

const servers: TestServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

function openAt(url: string, options: Partial<SessionOptions> = {}): Promise<ZooKeeperReader> {
  const port = toPort(Number(new URL(url).port))
  if (port === undefined) throw new Error(url)
  return openZooKeeperSession({
    server: { host: '127.0.0.1', port },
    clock: systemClock,
    sessionTimeoutMs: 300,
    connectTimeoutMs: 300,
    onChange: () => undefined,
    signal: new AbortController().signal,
    ...options,
  })
}

type Answer = (write: (bytes: Buffer) => void, request: number) => void

/** A server that answers its n-th request so. */
async function serve(answer: Answer): Promise<string> {
  let request = 0
  const server = await serveBytes((socket) => {
    request++
    answer((bytes) => void socket.write(bytes), request)
  })
  servers.push(server)
  return server.url
}

/** A frame: its length, then the bytes. */
function frame(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** The answer to a connect: version, time-out, session, password. */
function welcome(timeoutMs = 300): Buffer {
  const body = Buffer.alloc(4 + 4 + 8 + 4 + 16)
  body.writeInt32BE(timeoutMs, 4)
  body.writeInt32BE(16, 16)
  return frame(body)
}

const UNREACHABLE = expect.objectContaining({ code: 'ZOOKEEPER_UNREACHABLE' })

// First, while no other test's timers come and go.
test('no timer outlives a session', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const options = { sessionTimeoutMs: 3_600_000, connectTimeoutMs: 3_600_000 }
  await expect(openAt('http://127.0.0.1:1', options)).rejects.toThrow('ECONNREFUSED')
  const session = await openAt(await serve((write) => write(welcome(3_600_000))), options)
  await session.close()
  await expect.poll(timers).toBeLessThanOrEqual(before)
})

describe('a session is not opened with a server that', () => {
  test('refuses connections', async () => {
    await expect(openAt('http://127.0.0.1:1')).rejects.toThrow('ECONNREFUSED')
  })

  test('says nothing', async () => {
    await expect(openAt(await serve(() => undefined))).rejects.toThrow('within 300 ms')
  })

  test('is a web server', async () => {
    const url = await serve((write) => write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await expect(openAt(url)).rejects.toEqual(UNREACHABLE)
  })

  test('says that the session has expired', async () => {
    await expect(openAt(await serve((write) => write(welcome(0))))).rejects.toThrow('expired')
  })

  test('answers a connect with a few bytes', async () => {
    const url = await serve((write) => write(frame(Buffer.alloc(3))))
    await expect(openAt(url)).rejects.toEqual(UNREACHABLE)
  })

  test('never stops', async () => {
    const url = await serve((write) => write(Buffer.alloc(9 * 1024 * 1024, 0x7f)))
    await expect(openAt(url, { connectTimeoutMs: 5_000 })).rejects.toThrow('in one answer')
  })
})

describe('a session ends when the server', () => {
  test.each<[string, Buffer]>([
    ['answers what was not asked', frame(Buffer.alloc(16, 1))],
    ['sends a frame of negative length', Buffer.from('ffffffff00000000', 'hex')],
    ['sends a watch of an unknown kind', frame(notification(77))],
    ['sends half a watch', frame(notification(4).subarray(0, 22))],
  ])('%s', async (_what, bytes) => {
    const url = await serve((write, request) => write(request === 1 ? welcome() : bytes))
    const session = await openAt(url)
    await expect(session.children('/mesos')).rejects.toEqual(UNREACHABLE)
    expect(session.signal.aborted).toBe(true)
  })

  test('falls silent', async () => {
    const session = await openAt(await serve((write, request) => request === 1 && write(welcome())))
    await expect(session.children('/mesos')).rejects.toThrow('silent')
  })

  test('goes away', async () => {
    const url = await serve((write, request) => request === 1 && write(welcome()))
    const session = await openAt(url, { sessionTimeoutMs: 60_000 })
    const asked = expect(session.children('/mesos')).rejects.toEqual(UNREACHABLE)
    for (const server of servers.splice(0)) await server.close()
    await asked
  })
})

test('nothing waits for a session that was given up', async () => {
  const abort = new AbortController()
  const opening = openAt(await serve(() => undefined), {
    connectTimeoutMs: 60_000,
    signal: abort.signal,
  })
  abort.abort(new Error('no more'))
  await expect(opening).rejects.toThrow('no more')
  const session = await openAt(await serve((write) => write(welcome(60_000))))
  await session.close()
  await expect(session.children('/mesos')).rejects.toEqual(UNREACHABLE)
})

/** A watch that fired: xid −1, zxid, error; kind, state, path. */
function notification(kind: number): Buffer {
  const header = Buffer.from('ffffffff000000000000000000000000', 'hex')
  const event = Buffer.alloc(8)
  event.writeInt32BE(kind, 0)
  event.writeInt32BE(3, 4)
  return Buffer.concat([header, event, frame(Buffer.from('/mesos'))])
}
