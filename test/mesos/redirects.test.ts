import { createServer as createHttpsServer } from 'node:https'
import { afterEach, describe, expect, test } from 'vitest'
import { mayCarryCredentials, redirectTarget } from '../../src/mesos/redirect.ts'
import {
  clientOf,
  closeOpened,
  http,
  own,
  redirectTo,
  sendJson,
  stateText,
} from './client-fixtures.ts'
import { selfSigned, serveHttp, type TestServer } from './servers.ts'

afterEach(closeOpened)

describe('redirects', () => {
  test.for([307, 308])(
    'a %i without scheme is followed with body and credentials',
    async (status) => {
      const leader = await http((_request, response) => sendJson(response, '{}'), '127.0.0.2')
      const location = `${leader.url.replace('http:', '')}/api/v1?a=b`
      const server = await http(redirectTo(location, status))
      const credential = { kind: 'dcos', token: 'abc' } as const
      expect(await stateText(clientOf(server.url, { credential }))).toBe('{}')
      expect(leader.requests).toMatchObject([
        {
          body: '{"type":"GET_STATE"}',
          message: {
            method: 'POST',
            url: '/api/v1?a=b',
            headers: { authorization: 'token=abc', 'content-type': 'application/json' },
          },
        },
      ])
    },
  )

  test('five hops are followed, the sixth is MESOS_REDIRECT_LOOP', async () => {
    let hops = 5
    let left = hops
    const server: TestServer = await http((_request, response) => {
      if (left-- > 0) redirectTo(`/hop/${left}`)(_request, response)
      else sendJson(response, '{}')
    })
    expect(await stateText(clientOf(server.url))).toBe('{}')
    hops = left = 6
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({
      code: 'MESOS_REDIRECT_LOOP',
    })
    expect(server.requests).toHaveLength(12)
  })

  test('two servers that point at each other are MESOS_REDIRECT_LOOP', async () => {
    const urls: string[] = []
    const one = await http((request, response) =>
      redirectTo(`${urls[1]}/api/v1`)(request, response),
    )
    const two = await http((request, response) =>
      redirectTo(`${urls[0]}/api/v1`)(request, response),
    )
    urls.push(one.url, two.url)
    await expect(stateText(clientOf(one.url))).rejects.toMatchObject({
      code: 'MESOS_REDIRECT_LOOP',
    })
  })

  test.for([
    { name: 'no target', location: undefined },
    { name: 'an empty host', location: 'http://' },
    { name: 'another protocol', location: 'ftp://10.0.0.1/' },
  ])('$name is MESOS_RESPONSE_INVALID', async ({ location }) => {
    const server = await http((_request, response) => {
      response.writeHead(307, location === undefined ? {} : { location }).end()
    })
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({
      code: 'MESOS_RESPONSE_INVALID',
    })
  })

  test('a dead target is MESOS_UNREACHABLE', async () => {
    const server = await http(redirectTo('//127.0.0.1:1/api/v1'))
    await expect(stateText(clientOf(server.url))).rejects.toMatchObject({
      code: 'MESOS_UNREACHABLE',
    })
  })

  test('a target keeps our scheme and chooses no credentials', () => {
    const target = redirectTarget('//u:p@[fd00::1]:5050/api/v1', new URL('https://10.0.0.1:5051'))
    expect(target?.href).toBe('https://[fd00::1]:5050/api/v1')
  })

  test.for([
    { from: 'https', to: 'https', may: true },
    { from: 'http', to: 'http', may: true },
    { from: 'http', to: 'https', may: true },
    { from: 'https', to: 'http', may: false },
  ])('credentials for $from may go to $to: $may', ({ from, to, may }) => {
    expect(mayCarryCredentials(new URL(`${from}://a`), new URL(`${to}://b`))).toBe(may)
  })

  test('over TLS the given certificate is trusted, others are not; no secret leaves it', async (ctx) => {
    const pem = selfSigned()
    if (pem === undefined) ctx.skip('reason: openssl is not installed')
    const plain = await http((_request, response) => sendJson(response, '{}'))
    const server = own(
      await serveHttp(redirectTo(`${plain.url}/api/v1`), {
        server: createHttpsServer({ key: pem, cert: pem }),
      }),
    )
    const credential = { kind: 'dcos', token: 'abc' } as const
    const stranger = clientOf(server.url, { credential })
    await expect(stateText(stranger)).rejects.toMatchObject({ code: 'MESOS_UNTRUSTED' })
    expect(await stateText(clientOf(server.url, { credential, caPem: pem ?? '' }))).toBe('{}')
    expect(server.requests[0]?.message.headers.authorization).toBe('token=abc')
    expect(plain.requests[0]?.message.headers.authorization).toBeUndefined()
  })
})
