import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { Table } from '../../src/base/table.ts'
import { DNS_DEFAULTS } from '../../src/dns/config.ts'
import { type Dns, startDns } from '../../src/dns/dns.ts'
import { FrameReader } from '../../src/dns/framing.ts'
import { type Endpoint, parseEndpoint } from '../../src/model/endpoint.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { NameRecord } from '../../src/model/name-record.ts'

/** The zone of the tests. */
export const ZONE = 'l4lb.thisdcos.directory'

/** A DNS server on ports of the kernel's choice. */
export interface RunningServer {
  readonly dns: Dns
  readonly names: Table<string, NameRecord>
  readonly registry: Registry
  readonly endpoints: readonly Endpoint[]
  /** Read at the first query that is forwarded. */
  readonly resolvConfPath: string
  /** The value of a metric, its labels summed up. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  close(): Promise<void>
}

/** What a test may choose. */
export interface ServerChoice {
  readonly listen?: readonly string[]
  readonly upstreams?: readonly string[]
  readonly resolvConf?: string
  readonly clock?: Clock
  readonly log?: Log
}

/** Starts a server that has `web.marathon` with both families and `only4.marathon`. */
export async function startServer(choice: ServerChoice = {}): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nsv-dns-'))
  const resolvConfPath = join(folder, 'resolv.conf')
  writeFileSync(resolvConfPath, choice.resolvConf ?? '')
  const errors: unknown[] = []
  const scope = new Scope((error) => errors.push(error))
  scope.defer(() => rmSync(folder, { recursive: true }))
  const registry = new Registry()
  const names = new Table<string, NameRecord>()
  const rows: NameRecord[] = [
    { name: 'web.marathon', addresses: ['11.0.0.1' as Ip, 'fd01:c::1' as Ip] },
    { name: 'only4.marathon', addresses: ['11.0.0.4' as Ip] },
    { name: 'many.marathon', addresses: Array.from({ length: 60 }, (_, i) => `11.0.1.${i}` as Ip) },
  ]
  names.replace(new Map(rows.map((row) => [row.name, row])))
  const { listen = ['127.0.0.1:0', '[::1]:0'], upstreams = [] } = choice
  const dns = startDns({
    options: { ...DNS_DEFAULTS, listen, upstreams, resolvConfPath },
    names,
    clock: choice.clock ?? systemClock,
    random: seededRandom(1),
    log: choice.log ?? silentLog,
    registry,
    scope,
  })
  await dns.firstAttempts
  return {
    dns,
    names,
    registry,
    resolvConfPath,
    endpoints: dns.addresses().flatMap(({ address }) => parseEndpoint(address) ?? []),
    metric: async (name, labels = {}) => {
      const metric = await registry.getSingleMetric(name)?.get()
      const values = (metric?.values ?? []).filter((value) =>
        Object.entries(labels).every(([label, text]) => value.labels[label] === text),
      )
      return values.reduce((sum, { value }) => sum + value, 0)
    },
    close: async () => {
      await scope.close()
      if (errors.length > 0) throw new AggregateError(errors, 'background work failed')
    },
  }
}

/** Asks by UDP; undefined when nothing comes in time. */
export async function askUdp(
  endpoint: Endpoint,
  packet: Buffer,
  timeoutMs = 3000,
): Promise<Buffer | undefined> {
  const socket = createSocket(endpoint.address.includes(':') ? 'udp6' : 'udp4')
  try {
    socket.send(packet, endpoint.port, endpoint.address)
    const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) })
    return message as Buffer
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

/** A connection of a client. */
export interface Client {
  readonly socket: Socket
  readonly replies: Buffer[]
  /** Resolves when so many replies came. */
  received(count: number): Promise<void>
  readonly closed: Promise<void>
}

/** Connects by TCP. */
export async function openTcp({ address, port }: Endpoint): Promise<Client> {
  const socket = connect({ host: address, port })
  const frames = new FrameReader()
  const replies: Buffer[] = []
  const closed = Promise.withResolvers<void>()
  socket.on('error', () => undefined)
  socket.on('close', () => closed.resolve())
  socket.on('data', (chunk: Buffer) => {
    replies.push(...frames.push(chunk))
    socket.emit('replies')
  })
  await once(socket, 'connect')
  return {
    socket,
    replies,
    closed: closed.promise,
    received: async (count) => {
      while (replies.length < count)
        await once(socket, 'replies', { signal: AbortSignal.timeout(3000) })
    },
  }
}

/** Waits until something holds; fails after three seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 3000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`never: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
