import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Cut } from '../../../src/demo/mesos/stream-writer.ts'
import { ServedCluster, type ServedClusterOptions } from './served-cluster.ts'

async function open(options: ServedClusterOptions = {}): Promise<ServedCluster> {
  const served = await ServedCluster.open(options)
  onTestFinished(() => served.close())
  return served
}

interface Post {
  readonly type?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function post(url: string, { type = 'GET_STATE', contentType, headers }: Post = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number | undefined
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
  }>()
  const call = request(
    `${url}/api/v1`,
    { method: 'POST', headers: { 'content-type': contentType ?? 'application/json', ...headers } },
    async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      const body = Buffer.concat(chunks).toString()
      resolve({ status: response.statusCode, headers: response.headers, body })
    },
  )
  call.once('error', reject)
  call.end(JSON.stringify({ type }))
  return await promise
}

/** All bytes of a stream until it ends or `isEnough`. */
async function rawStream(
  address: string,
  isEnough: (text: string) => boolean,
  accept = 'application/json',
): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  const socket = connect(Number(port), host)
  onTestFinished(() => void socket.destroy())
  const body = '{"type":"SUBSCRIBE"}'
  const head = [
    'POST /api/v1 HTTP/1.1',
    `Host: ${address}`,
    'Content-Type: application/json',
    `Accept: ${accept}`,
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (isEnough(text)) resolve(text)
  })
  socket.once('error', () => resolve(text))
  socket.once('close', () => resolve(text))
  return await promise
}

describe('a simulated master', () => {
  test('sends callers to the leader, without a scheme', async () => {
    const served = await open()
    const { status, headers } = await post(served.url(1))
    expect(status).toBe(307)
    expect(headers['location']).toBe(`//${served.server(0).address}/api/v1`)
  })

  test('says 503 without a leader, and another 503 while it recovers', async () => {
    const served = await open()
    served.cluster.failLeader()
    expect(await post(served.url(1))).toMatchObject({ status: 503, body: 'No leader elected' })
    served.cluster.elect(1, { recoveryMs: 1000 })
    const recovering = { status: 503, body: 'Master has not finished recovery' }
    expect(await post(served.url(1))).toMatchObject(recovering)
    served.runFor(1000)
    expect((await post(served.url(1))).status).toBe(200)
  })

  test.for(['Basic', 'Bearer'] as const)('asks for %s before it redirects', async (scheme) => {
    const served = await open()
    served.server(1).manners = { authorization: 'token=abc', scheme }
    const refused = await post(served.url(1))
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toBe(`${scheme} realm="mesos-master-readwrite"`)
    const headers = { authorization: 'token=abc' }
    expect((await post(served.url(1), { headers })).status).toBe(307)
  })

  test.for([
    ['a principal without rights', 403, { isForbidden: true }, {}],
    ['a type with parameters', 415, {}, { contentType: 'application/json; charset=utf-8' }],
    ['recordio', 406, {}, { headers: { accept: 'application/recordio' } }],
    ['an unknown call', 501, {}, { type: 'PRUNE_IMAGES' }],
    ['a loop', 307, { redirectTo: '//127.0.0.1:1' }, {}],
  ] as const)('refuses %s with %i', async ([, status, manners, call]) => {
    const served = await open()
    served.server().manners = manners
    expect((await post(served.url(), call)).status).toBe(status)
  })

  test('compresses answers from 1024 bytes on for who accepts it', async () => {
    const served = await open()
    const headers = { 'accept-encoding': 'gzip' }
    expect((await post(served.url(), { headers })).headers['content-encoding']).toBe('gzip')
    expect((await post(served.url())).headers['content-encoding']).toBeUndefined()
  })

  test('answers protobuf when only that is accepted', async () => {
    const served = await open()
    const { headers } = await post(served.url(), { headers: { accept: 'application/x-protobuf' } })
    expect(headers['content-type']).toBe('application/x-protobuf')
  })
})

describe('a stream', () => {
  const hasHeartbeat = (text: string): boolean => text.includes('"HEARTBEAT"')

  test('has one chunk per record, and a HEARTBEAT right after SUBSCRIBED', async () => {
    const served = await open()
    const text = await rawStream(served.server().address, hasHeartbeat)
    const [, body = ''] = text.split(/\r\n\r\n(.*)/s)
    const [size = ''] = body.split('\r\n')
    const chunk = body.slice(size.length + 2, size.length + 2 + Number.parseInt(size, 16))
    expect(chunk).toMatch(/^\d+\n\{"type":"SUBSCRIBED",/)
    expect(chunk.length).toBe(Number.parseInt(chunk, 10) + chunk.indexOf('\n') + 1)
    expect(body.slice(size.length + 2 + chunk.length)).toBe(
      '\r\n17\r\n20\n{"type":"HEARTBEAT"}\r\n',
    )
  })

  test.for([
    ['a byte per write', { writeBytes: 1 }],
    ['small chunks with an extension', { chunkBytes: 7, extension: ';a=b' }],
    ['records in one chunk', { isCoalesced: true }],
  ] as const)('says the same with %s', async ([, cut]: readonly [string, Cut]) => {
    const served = await open()
    served.server().cut = cut
    const unchunked = (text: string): string =>
      text
        .split(/\r\n\r\n(.*)/s)
        .slice(1)
        .join('')
        .replaceAll(/(?:^|\r\n)[0-9a-f]+(?:;a=b)?\r\n/g, '')
    const text = await rawStream(served.server().address, (all) =>
      unchunked(all).trimEnd().endsWith('20\n{"type":"HEARTBEAT"}'),
    )
    expect(unchunked(text)).toMatch(/^\d+\n\{"type":"SUBSCRIBED".*\}20\n\{"type":"HEARTBEAT"\}/s)
  })

  test.for([
    ['within a length', 2],
    ['within a record', 500],
  ] as const)('can break %s', async ([, breakAfterBytes]) => {
    const served = await open()
    served.server().cut = { breakAfterBytes, breakBy: 'fin' }
    const text = await rawStream(served.server().address, () => false)
    const [, body = ''] = text.split(/\r\n\r\n(.*)/s)
    expect(body).toHaveLength(breakAfterBytes + `${breakAfterBytes.toString(16)}\r\n\r\n`.length)
    await expect.poll(() => served.cluster.master?.subscribers.count).toBe(0)
  })

  test('ends with its last chunk for the oldest of too many', async () => {
    const served = await open({ version: '1.9' })
    const first = rawStream(served.server().address, (text) => text.endsWith('0\r\n\r\n'))
    await expect.poll(() => served.cluster.master?.subscribers.count).toBe(1)
    const silent = { send: () => undefined, close: () => undefined }
    for (let count = 0; count < 1000; count++) served.cluster.master?.subscribers.add(silent, {})
    expect(await first).toMatch(/\r\n0\r\n\r\n$/)
    expect(served.cluster.master?.subscribers.count).toBe(1000)
  })

  test('forgets a listener that goes away', async () => {
    const served = await open()
    const abort = new AbortController()
    const answer = await fetch(`${served.url()}/api/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"type":"SUBSCRIBE"}',
      signal: abort.signal,
    })
    expect(answer.status).toBe(200)
    expect(served.cluster.master?.subscribers.count).toBe(1)
    abort.abort()
    await expect.poll(() => served.cluster.master?.subscribers.count).toBe(0)
  })
})
