import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What the DNS server counts. */
export interface DnsMetrics {
  readonly queries: Counter<'transport' | 'route'>
  readonly responses: Counter<'transport' | 'rcode'>
  readonly malformed: Counter<'transport'>
  readonly dropped: Counter<'reason'>
  readonly tcpConnections: Gauge
  readonly zoneNames: Gauge
  readonly addresses: Gauge<'state'>
  readonly forwardsInFlight: Gauge
  readonly forwardFailures: Counter<'reason'>
  readonly forwardSeconds: Histogram
  readonly upstreamFailures: Counter<'upstream' | 'reason'>
}

/** Defines the metrics of this capability on `registry`. */
export function dnsMetrics(registry: Registry): DnsMetrics {
  const registers = [registry]
  return { ...serverMetrics(registers), ...forwarderMetrics(registers) }
}

function serverMetrics(registers: Registry[]) {
  return {
    queries: new Counter({
      name: 'navstar_dns_queries_total',
      help: 'Well-formed DNS queries by transport and by who answers: zone, forward or rejected.',
      labelNames: ['transport', 'route'] as const,
      registers,
    }),
    responses: new Counter({
      name: 'navstar_dns_responses_total',
      help: 'DNS responses sent, by transport and response code.',
      labelNames: ['transport', 'rcode'] as const,
      registers,
    }),
    malformed: new Counter({
      name: 'navstar_dns_malformed_messages_total',
      help: 'Messages that are no valid DNS; answered FORMERR when their header could be read.',
      labelNames: ['transport'] as const,
      registers,
    }),
    dropped: new Counter({
      name: 'navstar_dns_dropped_total',
      help: 'Messages and connections dropped: is_response, unreadable, send_queue, connections.',
      labelNames: ['reason'] as const,
      registers,
    }),
    tcpConnections: new Gauge({
      name: 'navstar_dns_tcp_connections',
      help: 'Open TCP connections of DNS clients.',
      registers,
    }),
    zoneNames: new Gauge({
      name: 'navstar_dns_zone_names',
      help: 'Names in the zone of named VIPs.',
      registers,
    }),
    addresses: new Gauge({
      name: 'navstar_dns_addresses',
      help: 'Listen addresses by state: starting, listening, failed.',
      labelNames: ['state'] as const,
      registers,
    }),
  }
}

function forwarderMetrics(registers: Registry[]) {
  return {
    forwardsInFlight: new Gauge({
      name: 'navstar_dns_forwards_in_flight',
      help: 'Queries that wait for an upstream resolver.',
      registers,
    }),
    forwardFailures: new Counter({
      name: 'navstar_dns_forward_failures_total',
      help: 'Queries answered SERVFAIL for want of an upstream: all_failed, no_upstream, overload.',
      labelNames: ['reason'] as const,
      registers,
    }),
    forwardSeconds: new Histogram({
      name: 'navstar_dns_forward_duration_seconds',
      help: 'Time from a query to the answer of an upstream resolver.',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    upstreamFailures: new Counter({
      name: 'navstar_dns_upstream_failures_total',
      help: 'Exchanges with an upstream that gave no good answer: timeout, unreachable, bad_answer.',
      labelNames: ['upstream', 'reason'] as const,
      registers,
    }),
  }
}
