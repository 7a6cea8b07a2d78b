import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../base/clock.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { parseEndpoint } from '../model/endpoint.ts'

/** Where an upstream listens when nothing else is said. */
export const DNS_PORT = 53

/** For how long the resolvers read from a file are taken as current. */
const FRESH_MS = 5_000

/**
 * The resolvers that a resolv.conf names, in order; lines that name none are skipped.
 *
 * **Source:** resolv.conf(5)
 */
export function parseResolvConf(text: string): readonly Endpoint[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .map((address) => parseEndpoint(address ?? '', DNS_PORT))
    .filter((endpoint) => endpoint !== undefined)
}

/** Everything that a query must not be forwarded to. */
export interface OwnAddresses {
  readonly listen: readonly Endpoint[]
  /** Addresses of this host, which a wildcard listener answers too. */
  readonly local: ReadonlySet<string>
}

/** Leaves out upstreams that are this server itself: a query would go round for ever. */
export function withoutOwn(
  upstreams: readonly Endpoint[],
  { listen, local }: OwnAddresses,
): readonly Endpoint[] {
  const isOwn = (upstream: Endpoint) =>
    listen.some(({ address, port }) => {
      if (port !== upstream.port) return false
      if (address === upstream.address || isUnspecified(upstream.address)) return true
      return isUnspecified(address) && isLocal(upstream.address, local)
    })
  return upstreams.filter((upstream) => !isOwn(upstream))
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

function isLocal(address: string, local: ReadonlySet<string>): boolean {
  return local.has(address) || address.startsWith('127.')
}

/** What the list of upstreams is made of. */
export interface UpstreamListOptions {
  /** Empty: those of the file. */
  readonly configured: readonly Endpoint[]
  readonly resolvConfPath: string
  readonly listen: () => readonly Endpoint[]
  readonly clock: Clock
}

/** The resolvers to forward to; a resolv.conf is read again when it may have changed. */
export class UpstreamList {
  readonly #options: UpstreamListOptions
  #current: Promise<readonly Endpoint[]> | undefined
  #readMs = 0

  constructor(options: UpstreamListOptions) {
    this.#options = options
  }

  /** The upstreams in the order in which to ask; empty when there are none. */
  current(): Promise<readonly Endpoint[]> {
    const nowMs = this.#options.clock.nowMs()
    if (this.#current === undefined || nowMs - this.#readMs >= FRESH_MS) {
      this.#readMs = nowMs
      this.#current = this.#read()
    }
    return this.#current
  }

  async #read(): Promise<readonly Endpoint[]> {
    const { configured, resolvConfPath, listen } = this.#options
    // A missing file names no resolver, as for the C library.
    const found =
      configured.length > 0
        ? configured
        : parseResolvConf(await readFile(resolvConfPath, 'utf8').catch(() => ''))
    const local = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    return withoutOwn(found, {
      listen: listen(),
      local: new Set(local.map(({ address }) => address)),
    })
  }
}
