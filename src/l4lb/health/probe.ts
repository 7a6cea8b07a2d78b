/** Tries whether a backend takes connections. */
import { connect } from 'node:net'
import { parseEndpoint } from '../../model/endpoint.ts'
import type { EndpointKey } from './health-engine.ts'

/** A backend on the same network answers in a millisecond; one that takes longer has no share to miss. */
const TIMEOUT_MS = 300

/** Connects and closes at once. @returns whether it answered; what is not TCP counts as if it did */
export function probeEndpoint(key: EndpointKey): Promise<boolean> {
  const [protocol, text = ''] = key.split('/')
  const endpoint = parseEndpoint(text)
  if (protocol !== 'tcp' || endpoint?.address === undefined) return Promise.resolve(true)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: endpoint.address, port: endpoint.port, timeout: TIMEOUT_MS })
  const end = (isAnswered: boolean) => () => {
    socket.destroy()
    resolve(isAnswered)
  }
  socket.once('connect', end(true))
  socket.once('timeout', end(false))
  socket.once('error', end(false))
  return promise
}
