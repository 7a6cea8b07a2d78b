/** What conntrack must know, and what it must forget, when planes change. */
import { establishedTo } from '../../kernel/established.ts'
import { openNamespace } from '../../kernel/namespace.ts'
import { formatEndpoint, type Service } from '../../model/vip.ts'
import { endStrayFlows } from './stray-flows.ts'

/**
 * Ends flows of UDP that a plane translated to backends which left while it did not serve.
 *
 * @throws NavstarError `KERNEL_READ_FAILED`, `KERNEL_OPERATION_FAILED`
 */
export async function endStrays(services: Iterable<Service>): Promise<number> {
  const namespace = await openNamespace()
  try {
    return await endStrayFlows(namespace.conntrack, [...services])
  } finally {
    namespace.close()
  }
}

/** A connection that is silent for longer is forgotten; keepalives come within this. */
const TIMEOUT_SECONDS = 7_500

/**
 * Makes conntrack know the open connections to backends that it has not seen, since they were
 * translated at their sockets before anything was tracked.
 *
 * A connection that is translated later could otherwise get the client's port of one of these at the
 * same backend: the backend would take one for the other, and both would break.
 *
 * @param path of the network namespace that will translate; default: the process' own
 * @returns how many
 * @throws NavstarError `KERNEL_OPERATION_FAILED`
 */
export async function trackOpen(services: Iterable<Service>, path?: string): Promise<number> {
  const ends = new Map(
    [...services]
      .filter(({ protocol }) => protocol === 'tcp')
      .flatMap(({ backends }) => backends.map((each) => [formatEndpoint(each), each] as const)),
  )
  const connections = await establishedTo(ends.values())
  if (connections.length === 0) return 0
  const namespace = await openNamespace(path)
  try {
    return await namespace.conntrack.track(connections, TIMEOUT_SECONDS)
  } finally {
    namespace.close()
  }
}
