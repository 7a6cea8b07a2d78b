import { createSocket } from 'node:dgram'
import { get as getHttp, type RequestOptions } from 'node:http'
import { get as getHttps } from 'node:https'
import { createServer } from 'node:net'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import { isIpv4 } from '../model/ip.ts'

/** The result of one check. A warning is a fault of some uses only. */
export interface Diagnosis {
  readonly check: string
  readonly verdict: 'pass' | 'warn' | 'fail'
  /** What was found. */
  readonly found: string
  /** What to do; absent when it passed. */
  readonly hint?: string
}

/** A check that found nothing wrong. */
export function pass(check: string, found: string): Diagnosis {
  return { check, verdict: 'pass', found }
}

/** Why TCP cannot be bound there; undefined when it can. Port 53 where the text has none. */
export async function whyNotBindable(text: string): Promise<string | undefined> {
  const endpoint = parseEndpoint(text, 53)
  if (endpoint === undefined) return 'not an address'
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const server = createServer()
  server.once('error', (error) => resolve(error.message))
  server.listen({ host: endpoint.address, port: endpoint.port }, () =>
    server.close(() => resolve(undefined)),
  )
  return promise
}

/** Why UDP cannot be bound there; undefined when it can. */
export async function whyNoDatagrams({ address, port }: Endpoint): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = createSocket(isIpv4(address) ? 'udp4' : 'udp6')
  socket.once('error', (error) => {
    socket.close()
    resolve(error.message)
  })
  socket.bind({ address, port }, () => socket.close(() => resolve(undefined)))
  return promise
}

const ANSWER_TIMEOUT_MS = 2_000

/**
 * The status that a server answers, whatever it is.
 *
 * @param caPem certificates that may sign the server's; without it those of Node.js
 * @throws Error of the system or of TLS
 */
export async function httpStatusOf(url: string, caPem: string | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const options: RequestOptions = { agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }
  const request = url.startsWith('https:')
    ? getHttps(url, caPem === undefined ? options : { ...options, ca: caPem })
    : getHttp(url, options)
  request.once('response', (response) => {
    resolve(response.statusCode ?? 0)
    response.destroy()
  })
  request.on('error', reject)
  return promise
}
