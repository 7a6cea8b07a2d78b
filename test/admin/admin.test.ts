import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { Counter, Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Admin, startAdmin } from '../../src/admin/admin.ts'
import { fetchAdmin } from '../../src/admin/client.ts'
import { ADMIN_DEFAULTS } from '../../src/admin/config.ts'
import { isOwnHost } from '../../src/admin/request-guard.ts'
import { NavstarError } from '../../src/base/error.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { Scope } from '../../src/base/scope.ts'

let scope: Scope
let admin: Admin
let logged: unknown[]

beforeEach(async () => {
  scope = new Scope((error) => logged.push(error))
  logged = []
  const log: Log = { ...silentLog, error: (message, fields) => logged.push([message, fields]) }
  const registry = new Registry()
  new Counter({ name: 'navstar_test_total', help: 'A test.', registers: [registry] }).inc(3)
  const resources = {
    '/v1/vips': (query: URLSearchParams) => [{ name: query.get('name') }],
    '/v1/broken': () => Promise.reject(new Error('a bug')),
    '/v1/sick': () => {
      throw new NavstarError('MESOS_UNREACHABLE', { attempt: 'poll' })
    },
    '/v1/picky': () => {
      throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt: 'read name', cause: 'none' })
    },
    '/v1/nothing': () => undefined,
    'POST /v1/drain': (query: URLSearchParams, body: unknown) => ({
      ...Object(body),
      q: `${query}`,
    }),
  }
  admin = await startAdmin({ options: { listen: '127.0.0.1:0' }, registry, resources, log, scope })
})

afterEach(() => scope.close())

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const sent = request(`http://${admin.address}${path}`, { method, headers, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return {
    status: response.statusCode as number,
    headers: response.headers as Readonly<Record<string, string>>,
    text: Buffer.concat(chunks).toString(),
  }
}

test('the default address is the one of dcos-net', () => {
  expect(ADMIN_DEFAULTS).toEqual({ listen: '127.0.0.1:62080' })
})

describe('the admin server', () => {
  test('tells that it is alive', async () => {
    expect(await fetchAdmin(admin.address, '/healthz')).toEqual({ isAlive: true })
  })

  test('serves metrics as Prometheus reads them', async () => {
    const { headers, text } = await ask('/metrics')
    expect(headers['content-type']).toMatch(/^text\/plain; version=/)
    expect(text).toContain('navstar_test_total 3')
  })

  test('serves resources, with their query', async () => {
    expect(await fetchAdmin(admin.address, '/v1/vips?name=web')).toEqual([{ name: 'web' }])
    expect(await fetchAdmin(admin.address, '/v1/nothing')).toBeNull()
  })

  test('hands the body of a POST over', async () => {
    const options = { method: 'POST', body: { backend: 'x' } } as const
    expect(await fetchAdmin(admin.address, '/v1/drain?a=1', options)).toEqual({
      backend: 'x',
      q: 'a=1',
    })
  })

  test('answers HEAD without a body', async () => {
    expect(await ask('/v1/vips', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })

  const json = { 'content-type': 'application/json' }
  const refusals: readonly (readonly [string, string, Asked, number, string])[] = [
    ['an unknown path', '/v2', {}, 404, 'ADMIN_NOT_FOUND'],
    ['a path of the language', '/constructor', {}, 404, 'ADMIN_NOT_FOUND'],
    [
      'POST where there is GET',
      '/v1/vips',
      { method: 'POST', headers: json },
      405,
      'ADMIN_METHOD_REFUSED',
    ],
    ['GET where there is POST', '/v1/drain', {}, 405, 'ADMIN_METHOD_REFUSED'],
    ['DELETE', '/v1/vips', { method: 'DELETE' }, 405, 'ADMIN_METHOD_REFUSED'],
    [
      'a name of somebody',
      '/metrics',
      { headers: { host: 'evil.example' } },
      403,
      'ADMIN_HOST_REFUSED',
    ],
    [
      'another origin',
      '/healthz',
      { headers: { origin: 'http://evil.example' } },
      403,
      'ADMIN_HOST_REFUSED',
    ],
    ['an opaque origin', '/healthz', { headers: { origin: 'null' } }, 403, 'ADMIN_HOST_REFUSED'],
    ['a form', '/v1/drain', { method: 'POST', body: 'a=1' }, 400, 'ADMIN_REQUEST_INVALID'],
    [
      'bad JSON',
      '/v1/drain',
      { method: 'POST', headers: json, body: '{' },
      400,
      'ADMIN_REQUEST_INVALID',
    ],
    [
      'a huge body',
      '/v1/drain',
      { method: 'POST', headers: json, body: ' '.repeat(70_000) },
      400,
      'ADMIN_REQUEST_INVALID',
    ],
    ['what the resource refuses', '/v1/picky', {}, 400, 'ADMIN_REQUEST_INVALID'],
    ['a failure of the resource', '/v1/sick', {}, 500, 'MESOS_UNREACHABLE'],
    ['a bug of the resource', '/v1/broken', {}, 500, 'UNEXPECTED'],
  ]
  test.for(refusals)('answers %s with an error', async ([, path, asked, status, code]) => {
    const response = await ask(path, asked)
    expect(response.status).toBe(status)
    expect(JSON.parse(response.text)).toMatchObject({
      code,
      message: expect.any(String),
      hint: expect.any(String),
    })
    expect(logged).toHaveLength(code === 'UNEXPECTED' ? 1 : 0)
  })

  test('names the methods that it takes', async () => {
    expect((await ask('/v1/drain')).headers['allow']).toBe('POST')
    expect((await ask('/v1/vips', { method: 'PUT' })).headers['allow']).toBe('GET, HEAD')
  })

  test('reports an address that is taken', async () => {
    const options = { listen: admin.address }
    const content = { registry: new Registry(), resources: {}, log: silentLog }
    await expect(startAdmin({ options, scope, ...content })).rejects.toMatchObject({
      code: 'ADMIN_BIND_FAILED',
      message: expect.stringContaining('EADDRINUSE'),
    })
  })

  test('ends with connections open', async () => {
    const [host, port] = admin.address.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    const closed = once(socket.resume(), 'close')
    await scope.close()
    await closed
  })
})

const hosts = [
  ['localhost:62080', true],
  ['LOCALHOST', true],
  ['127.0.0.1:62080', true],
  ['127.1.2.3', true],
  ['[::1]:62080', true],
  ['10.0.0.9:62080', true],
  ['10.0.0.8:62080', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['evil.example:62080', false],
  ['', false],
  [undefined, false],
] as const
test.for(hosts)('the host %s is own: %s', ([host, isOwn]) => {
  expect(isOwnHost(host, '10.0.0.9')).toBe(isOwn)
})

describe('the client', () => {
  test('reports the error of the daemon under its own code', async () => {
    await expect(fetchAdmin(admin.address, '/v1/sick')).rejects.toMatchObject({
      code: 'MESOS_UNREACHABLE',
      hint: expect.stringContaining('--mesos'),
    })
  })

  test('reports a daemon that is not there', async () => {
    const { address } = admin
    await scope.close()
    await expect(fetchAdmin(address, '/healthz')).rejects.toMatchObject({
      code: 'ADMIN_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('reports somebody else on the port', async () => {
    const stranger = createServer((socket) => {
      socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
    stranger.listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    const bound = stranger.address()
    const port = typeof bound === 'object' ? bound?.port : 0
    await expect(fetchAdmin(`127.0.0.1:${port}`, '/v1/vips')).rejects.toMatchObject({
      code: 'ADMIN_UNREACHABLE',
    })
    stranger.close()
  })
})
