import { createSocket } from 'node:dgram'
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
