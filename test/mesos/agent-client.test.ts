import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { MesosAgentSimulator } from '../../src/demo/agent/mesos-agent.ts'
import { textOf } from '../../src/mesos/content.ts'
import { clientOf, clock, closeOpened, http, own, sendJson, stateText } from './client-fixtures.ts'
import { serveBytes } from './servers.ts'

const { signal } = new AbortController()

afterEach(closeOpened)

describe('AgentClient', () => {
  test('asks the agent and takes its compressed answer', async () => {
    const agent = own(await MesosAgentSimulator.listen({ clock }))
    for (let index = 0; index < 5; index++) agent.addTask({ name: `web-${index}` })
    const answer = await clientOf(agent.url).call('GET_STATE', { signal })
    expect(answer.contentEncoding).toBe('gzip')
    expect(JSON.parse(await textOf(answer, 1_000_000))).toMatchObject({ type: 'GET_STATE' })
  })

  test('keeps one connection for many calls', async () => {
    const server = await http((_request, response) => sendJson(response, '{}'))
    const client = clientOf(server.url)
    for (let index = 0; index < 3; index++) await stateText(client)
    const ports = server.requests.map(({ message }) => message.socket.remotePort)
    expect(new Set(ports).size).toBe(1)
  })

  test('calls again when a kept connection was closed under it', async () => {
    let answered = 0
    const seen = new Map<unknown, number>()
    const server = own(
      await serveBytes((socket) => {
        const count = (seen.get(socket) ?? 0) + 1
        seen.set(socket, count)
        if (count > 1) return void socket.destroy()
        answered++
        socket.write(
          'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
        )
      }),
    )
    const client = clientOf(server.url)
    expect(await stateText(client)).toBe('{}')
    expect(await stateText(client)).toBe('{}')
    expect(answered).toBe(2)
  })

  test.for([
    { name: '401', status: 401, code: 'MESOS_FORBIDDEN' },
    { name: '403', status: 403, code: 'MESOS_FORBIDDEN' },
    { name: '503', status: 503, code: 'MESOS_UNAVAILABLE' },
    { name: '500', status: 500, code: 'MESOS_RESPONSE_INVALID' },
    { name: '404', status: 404, code: 'MESOS_RESPONSE_INVALID' },
    { name: '204', status: 204, code: 'MESOS_RESPONSE_INVALID' },
    { name: '302, which would lose the body,', status: 302, code: 'MESOS_RESPONSE_INVALID' },
  ] as const)('$name is $code', async ({ status, code }) => {
    const server = await http((_request, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({ code })
  })

  test('an agent that recovers is MESOS_UNAVAILABLE', async () => {
    const agent = own(await MesosAgentSimulator.listen({ clock }))
    agent.setRecovering(true)
    await expect(stateText(clientOf(agent.url))).rejects.toMatchObject({
      code: 'MESOS_UNAVAILABLE',
      message: expect.stringContaining('Agent has not finished recovery'),
    })
  })

  test.for([
    { kind: 'basic', user: 'u', password: 'p:ä', sent: 'Basic dTpwOsOk' },
    { kind: 'bearer', token: 'abc', sent: 'Bearer abc' },
    { kind: 'dcos', token: 'abc', sent: 'token=abc' },
  ] as const)('sends $kind credentials', async ({ sent, ...credential }) => {
    const agent = own(await MesosAgentSimulator.listen({ clock, authorization: sent }))
    await expect(stateText(clientOf(agent.url))).rejects.toMatchObject({ code: 'MESOS_FORBIDDEN' })
    expect(await stateText(clientOf(agent.url, { credential }))).toContain('GET_STATE')
  })

  test.for([
    { name: 'nobody listens', url: 'http://127.0.0.1:1' },
    { name: 'the name does not resolve', url: 'http://agent.invalid:5051' },
  ])('$name: MESOS_UNREACHABLE', async ({ url }) => {
    await expect(stateText(clientOf(url))).rejects.toMatchObject({ code: 'MESOS_UNREACHABLE' })
  })

  test.for([
    {
      name: 'no HTTP',
      bytes: 'SSH-2.0-OpenSSH_9.2\r\n',
      code: 'MESOS_RESPONSE_INVALID',
    },
    { name: 'no answer', bytes: '', code: 'MESOS_UNREACHABLE' },
    { name: 'half a header', bytes: 'HTTP/1.1 200 OK\r\ncont', code: 'MESOS_UNREACHABLE' },
    {
      name: 'half a body',
      bytes: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"ty',
      code: 'MESOS_UNREACHABLE',
    },
    {
      name: 'half a chunk',
      bytes:
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"ty',
      code: 'MESOS_UNREACHABLE',
    },
  ] as const)('$name and then a close is $code', async ({ bytes, code }) => {
    const server = own(await serveBytes((socket) => void socket.end(bytes)))
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({ code })
  })

  test.for([
    { name: 'never', bytes: '' },
    {
      name: 'never to its end',
      bytes: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"ty',
    },
  ])('a server that answers $name is given up after the timeout', async ({ bytes }) => {
    const isAsked = Promise.withResolvers<void>()
    const server = own(
      await serveBytes((socket) => {
        socket.write(bytes)
        isAsked.resolve()
      }),
    )
    const call = stateText(clientOf(server.url, { timeoutMs: 3000 }))
    const isRejected = expect(call).rejects.toMatchObject({
      code: 'MESOS_UNREACHABLE',
      message: expect.stringContaining('no whole answer within 3000 ms'),
    })
    await isAsked.promise
    await clock.advance(3000)
    await isRejected
    expect(clock.sleeperCount).toBe(0)
  })

  test('an abort rejects with its reason', async () => {
    const server = own(await serveBytes(() => abort.abort(new Error('enough'))))
    const abort = new AbortController()
    const call = clientOf(server.url).call('GET_STATE', { signal: abort.signal })
    await expect(call).rejects.toThrow('enough')
    expect(clock.sleeperCount).toBe(0)
  })
})

describe('answers', () => {
  const text = JSON.stringify({ type: 'GET_STATE', filler: 'x'.repeat(100_000) })

  test('a body beyond the limit is not read to its end', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    let isClosed = false
    const server = await http((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const send = () => {
        while (!isClosed && response.write(chunk));
      }
      response.on('drain', send)
      response.on('close', () => {
        isClosed = true
      })
      send()
    })
    const client = clientOf(server.url, { maxStateBytes: 1_000_000 })
    await expect(stateText(client)).rejects.toMatchObject({ code: 'MESOS_RESPONSE_TOO_LARGE' })
    await expect.poll(() => isClosed).toBe(true)
  })

  test('a small body that decompresses beyond the limit is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    const server = await http((_request, response) =>
      sendJson(response, bomb, { 'content-encoding': 'gzip' }),
    )
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({
      code: 'MESOS_RESPONSE_TOO_LARGE',
    })
  })

  test.for([
    { name: 'plain', headers: {}, body: text },
    { name: 'gzip', headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) },
    {
      name: 'with a charset',
      headers: { 'content-type': 'Application/JSON; charset=utf-8' },
      body: text,
    },
  ])('$name is taken', async ({ headers, body }) => {
    const server = await http((_request, response) => sendJson(response, body, headers))
    expect(await stateText(clientOf(server.url))).toBe(text)
  })

  test.for([
    { name: 'HTML', headers: { 'content-type': 'text/html' }, body: '<html>' },
    { name: 'another encoding', headers: { 'content-encoding': 'br' }, body: text },
    {
      name: 'cut gzip',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(text).subarray(0, 50),
    },
    { name: 'no gzip', headers: { 'content-encoding': 'gzip' }, body: text },
    { name: 'no UTF-8', headers: {}, body: Buffer.from([0x22, 0xff, 0x22]) },
  ])('$name is MESOS_RESPONSE_INVALID', async ({ headers, body }) => {
    const server = await http((_request, response) => sendJson(response, body, headers))
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({
      code: 'MESOS_RESPONSE_INVALID',
    })
  })
})
