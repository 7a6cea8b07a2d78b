import { randomInt } from 'node:crypto'
import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import type { Table } from '../base/table.ts'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import type { NameRecord } from '../model/name-record.ts'
import { DNS_DEFAULTS, type DnsOptions } from './config.ts'
import { Forwarder } from './forwarder.ts'
import { dnsMetrics } from './metrics.ts'
import { createResponder } from './responder.ts'
import { type AddressStatus, Server } from './server.ts'
import { DNS_PORT, UpstreamList } from './upstreams.ts'
import { WarningLimit } from './warning-limit.ts'
import { NameZone } from './zone.ts'
import { ZoneRoutes } from './zone-routes.ts'

export type { AddressStatus } from './server.ts'

/** What the DNS server needs. */
export interface DnsContext {
  readonly options: DnsOptions
  /** The names of the zone; answered negatively only once it is complete. */
  readonly names: Table<string, NameRecord>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  /** Ends the server when it closes. */
  readonly scope: Scope
}

/** A running DNS server. */
export interface Dns {
  /** Every listen address and how it does, in the order of the options. */
  addresses(): readonly AddressStatus[]
  /** Resolves when each address was bound or failed once; failed ones are retried. */
  readonly firstAttempts: Promise<void>
}

/**
 * Starts to answer names of the zone and to forward all others.
 *
 * @throws NavstarError `CONFIG_INVALID` when an address in the options is none
 */
export function startDns({ options, names, clock, random, log, registry, scope }: DnsContext): Dns {
  const listen = parseEndpoints('listen', options.listen)
  const configured = parseEndpoints('upstreams', options.upstreams)
  const metrics = dnsMetrics(registry)
  const zone = scope.own(
    new NameZone({ origin: options.zone, ttlSeconds: options.ttlSeconds, names }),
  )
  const countNames = () => metrics.zoneNames.set(zone.nameCount)
  countNames()
  scope.defer(names.onChange(countNames))
  const upstreams = new UpstreamList({
    configured,
    resolvConfPath: options.resolvConfPath ?? DNS_DEFAULTS.resolvConfPath ?? '/etc/resolv.conf',
    // Where it really listens: port 0 becomes known only then.
    listen: () =>
      parseEndpoints(
        'listen',
        server.addresses().map(({ address }) => address),
      ),
    clock,
  })
  const forwarder = new Forwarder({
    upstreams: () => upstreams.current(),
    clock,
    log,
    metrics,
    // Not the jitter dice: who can guess ids can forge replies.
    nextId: () => randomInt(65536),
  })
  const respond = createResponder({
    zones: new ZoneRoutes([zone]),
    forwarder,
    metrics,
    random,
    log,
    warnings: new WarningLimit(log, clock),
    signal: scope.signal,
  })
  const server = new Server(listen, { respond, clock, random, log, metrics, scope })
  return { addresses: () => server.addresses(), firstAttempts: server.firstAttempts }
}

function parseEndpoints(option: string, texts: readonly string[]): readonly Endpoint[] {
  return texts.map((text) => {
    const endpoint = parseEndpoint(text, DNS_PORT)
    if (endpoint !== undefined) return endpoint
    throw new NavstarError('CONFIG_INVALID', { attempt: `read dns ${option} address '${text}'` })
  })
}
