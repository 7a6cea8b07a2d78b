/** What an operator can set about names. */
export interface DnsOptions {
  /** Where queries are answered, UDP and TCP, e.g. `198.51.100.1:53`, `[fd01:d::c633:6401]:53`. */
  readonly listen: readonly string[]
  /** The zone of named VIPs, without a final dot. */
  readonly zone: string
  /** How long clients may keep an answer from the zone. */
  readonly ttlSeconds: number
  /** Resolvers for all other names, e.g. `10.0.0.2`, `[fd00::2]:5353`; empty: those of resolv.conf. */
  readonly upstreams: readonly string[]
  /** The file that names the resolvers when `upstreams` is empty. */
  readonly resolvConfPath?: string
}

/**
 * The defaults.
 *
 * **Source:** dcos-net `dcos_dns` (listen address, zone, TTL)
 */
export const DNS_DEFAULTS: DnsOptions = Object.freeze({
  listen: Object.freeze(['198.51.100.1:53']),
  zone: 'l4lb.thisdcos.directory',
  ttlSeconds: 5,
  upstreams: Object.freeze([]),
  resolvConfPath: '/etc/resolv.conf',
})
