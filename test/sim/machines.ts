/** The machines of a cluster, where they stand, and as whom their daemons start. */
import type { Destination } from '../../src/gossip/engine/effects.ts'
import type { Notary } from '../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import type { Ip } from '../../src/model/ip.ts'
import { Host } from './host.ts'
import type { OpenNotary } from './seam.ts'

/** 2025-11-20T00:00:00Z: the date when each simulation begins. */
const BEGIN_MS = 1_763_596_800_000
const PORT = 62501

/** Machines by number and by address. */
export class Machines {
  readonly hosts: Host[] = []
  readonly #byAddress = new Map<Ip, Host>()
  #addressCount = 0

  /** Adds a machine without a running daemon. */
  add(): Host {
    const host = new Host(this.hosts.length, this.#nextEndpoint())
    this.hosts.push(host)
    this.#byAddress.set(host.endpoint.address, host)
    return host
  }

  /** Gives a machine another address. */
  move(host: Host): void {
    this.#byAddress.delete(host.endpoint.address)
    host.endpoint = this.#nextEndpoint()
    this.#byAddress.set(host.endpoint.address, host)
  }

  /** The machine that a packet reaches. */
  at({ endpoint }: Destination): Host | undefined {
    const host = this.#byAddress.get(endpoint.address)
    return host?.endpoint.port === endpoint.port ? host : undefined
  }

  #nextEndpoint(): Endpoint {
    const number = ++this.#addressCount
    return {
      address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}` as Ip,
      port: PORT,
    }
  }
}

/** The identity with which the host's daemon starts next. */
export function notaryOf(host: Host, openNotary: OpenNotary, seed: number): Notary {
  if (host.notary === undefined) {
    host.identity++
    host.notary = openNotary(`${seed}/${host.index}/${host.identity}`)
  }
  return host.notary
}

/** The incarnation, or version, with which the host's daemon starts at this time. */
export function firstNumberOf(host: Host, kind: 'incarnation' | 'version', nowMs: number): number {
  const dateSeconds = Math.floor((BEGIN_MS + nowMs + host.dateOffsetMs) / 1000)
  return Math.max(dateSeconds * 2 ** 20, (host.disk?.[kind] ?? 0) + 1)
}
