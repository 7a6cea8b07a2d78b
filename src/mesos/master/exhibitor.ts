import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import { toPort } from '../../model/port.ts'
import { FieldError, listAt, numberAt, toObject } from '../state/json-fields.ts'
import { withDeadline } from './deadline.ts'
import { type HostPort, parseHostPort } from './master-address.ts'
import { ZOOKEEPER_PORT } from './masters.ts'
import type { EnsembleServers } from './zookeeper.ts'

/** What {@link exhibitorServers} works with. */
export interface ExhibitorParts {
  readonly url: string
  readonly clock: Clock
  readonly timeoutMs: number
}

/** Far more than a list of servers takes. */
const MAX_BYTES = 1024 * 1024

/**
 * The servers of ZooKeeper as Exhibitor lists them, asked anew before each session. While it is
 * away, or lists none, the servers that it listed last are used.
 *
 * **Source:** Netflix Exhibitor wiki, REST cluster: `GET /exhibitor/v1/cluster/list`
 */
export function exhibitorServers({ url, clock, timeoutMs }: ExhibitorParts): EnsembleServers {
  let known: readonly HostPort[] = []
  return async ({ signal }) => {
    try {
      const deadline = { clock, timeoutMs, signal }
      known = parseClusterList(await withDeadline(deadline, (within) => fetchText(url, within)))
    } catch (cause) {
      signal.throwIfAborted()
      if (known.length > 0) return known
      throw new NavstarError('MASTERS_UNREADABLE', { attempt: `ask Exhibitor at ${url}`, cause })
    }
    return known
  }
}

/**
 * Reads `{"servers":["10.0.0.1","10.0.0.2"],"port":2181}`.
 *
 * @throws Error for anything else, and for an empty list
 */
export function parseClusterList(text: string): readonly HostPort[] {
  const list = toObject(JSON.parse(text), 'the answer')
  const port = toPort(numberAt(list, ['port']) ?? ZOOKEEPER_PORT)
  if (port === undefined) throw new FieldError('port', 'a port')
  const servers = listAt(list, ['servers']).map((entry) => {
    const server = typeof entry === 'string' ? parseHostPort(entry, port) : undefined
    if (server === undefined) throw new FieldError('servers', 'a list of hosts')
    return server
  })
  if (servers.length === 0) throw new Error('no servers are listed')
  return servers
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
  if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
