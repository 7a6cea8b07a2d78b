import { createServer } from 'node:https'
import { expect, onTestFinished, test } from 'vitest'
import { httpStatusOf } from '../../src/daemon/diagnosis.ts'
import { selfSigned, serveHttp } from '../mesos/servers.ts'

test('any status is an answer', async () => {
  const { url, close } = await serveHttp((_request, response) => void response.writeHead(401).end())
  onTestFinished(close)
  expect(await httpStatusOf(url, undefined)).toBe(401)
  await close()
  await expect(httpStatusOf(url, undefined)).rejects.toThrow('ECONNREFUSED')
})

test('a server over TLS answers those who trust its certificate', async (ctx) => {
  const pem = selfSigned()
  if (pem === undefined) return ctx.skip('openssl is missing')
  const server = createServer({ key: pem, cert: pem })
  const { url, close } = await serveHttp((_request, response) => void response.end(), { server })
  onTestFinished(close)
  expect(await httpStatusOf(url, pem)).toBe(200)
  await expect(httpStatusOf(url, undefined)).rejects.toThrow('self-signed')
})
