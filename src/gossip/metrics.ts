import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Member, MemberState } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'
import type { ClusterRecord } from '../model/record.ts'
import type { Channel, EngineEvent } from './engine/effects.ts'
import type { MessageKind } from './engine/messages.ts'
import type { PacketRejection, SendDrop } from './transport/events.ts'

/** A message that went out or came in. */
export interface CountedMessage {
  readonly kind: MessageKind
  readonly channel: Channel
  /** Of the message itself; what packets and seals add is in the packet bytes. */
  readonly bytes: number
}

/** What gossip reports. */
export interface GossipMetrics {
  readonly onEvent: (event: EngineEvent) => void
  readonly onSent: (message: CountedMessage) => void
  readonly onReceived: (message: CountedMessage) => void
  /** A packet or frame that was not even opened. */
  readonly onPacketRejected: (reason: PacketRejection) => void
  /** A message could not be sent. */
  readonly onDropped: (reason: SendDrop) => void
  /** What is counted whenever the metrics are read. */
  readonly watch: (counted: CountedGossip) => void
}

/** The things that are counted, as of now. */
export interface CountedGossip {
  readonly self: NodeId
  readonly members: () => Iterable<Member>
  readonly records: () => Iterable<ClusterRecord>
  readonly isIsolated: () => boolean
}

const STATES: readonly MemberState[] = ['alive', 'doubted', 'dead', 'left']
const LAG_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]
const RTT_BUCKETS = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Defines the metrics of gossip on the registry. */
export function gossipMetrics(registry: Registry): GossipMetrics {
  let counted: CountedGossip | undefined
  defineMembers(registry, () => counted)
  defineHoldings(registry, () => counted)
  const failures = defineFailureDetection(registry)
  const spread = defineSpread(registry)
  const traffic = defineTraffic(registry)
  const count = (direction: string, { kind, channel, bytes }: CountedMessage): void => {
    traffic.messages.inc({ kind, direction, channel })
    traffic.bytes.inc({ kind, direction, channel }, bytes)
  }
  return {
    onEvent: (event) => {
      countFailureDetection(failures, event)
      countSpread(spread, event)
      if (event.kind !== 'doubted') return
      failures.suspicions.inc({ by: event.accuser === counted?.self ? 'own' : 'other' })
    },
    onSent: (message) => count('sent', message),
    onReceived: (message) => count('received', message),
    onPacketRejected: (reason) => traffic.packetsRejected.inc({ reason }),
    onDropped: (reason) => traffic.dropped.inc({ reason }),
    watch: (source) => {
      counted = source
    },
  }
}

function defineMembers(registry: Registry, counted: () => CountedGossip | undefined): void {
  const registers = [registry]
  new Gauge({
    name: 'navstar_gossip_members',
    help: 'Members of the cluster by state as seen here, this node included: alive, doubted, dead, left',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of STATES) this.set({ state }, 0)
      for (const { state } of counted()?.members() ?? []) this.inc({ state })
    },
  })
  new Gauge({
    name: 'navstar_gossip_isolated_state',
    help: '1 while every other member looks doubted or dead: this node is cut off',
    registers,
    collect() {
      this.set(counted()?.isIsolated() === true ? 1 : 0)
    },
  })
}

function defineHoldings(registry: Registry, counted: () => CountedGossip | undefined): void {
  const registers = [registry]
  new Gauge({
    name: 'navstar_gossip_missing_versions',
    help: 'Members of whose records a newer version is known than is held',
    registers,
    collect() {
      const missing = [...(counted()?.members() ?? [])].filter(
        ({ heldVersion, knownVersion, state }) => state !== 'left' && heldVersion < knownVersion,
      )
      this.set(missing.length)
    },
  })
  new Gauge({
    name: 'navstar_gossip_records',
    help: 'Records of all nodes that are held here',
    registers,
    collect() {
      this.set([...(counted()?.records() ?? [])].length)
    },
  })
  new Gauge({
    name: 'navstar_gossip_record_bytes',
    help: 'Bytes of the values of all records that are held here',
    registers,
    collect() {
      let bytes = 0
      for (const { value } of counted()?.records() ?? []) bytes += value.length
      this.set(bytes)
    },
  })
}

function defineFailureDetection(registry: Registry) {
  const registers = [registry]
  return {
    sent: new Counter({
      name: 'navstar_gossip_probes_sent_total',
      help: 'Probes sent by kind: direct, indirect (through a relay)',
      labelNames: ['kind'],
      registers,
    }),
    answered: new Counter({
      name: 'navstar_gossip_probes_answered_total',
      help: 'Probes that were answered',
      registers,
    }),
    missed: new Counter({
      name: 'navstar_gossip_probes_missed_total',
      help: 'Rounds of a probe that ended without an answer',
      registers,
    }),
    rtt: new Histogram({
      name: 'navstar_gossip_probe_rtt_seconds',
      help: 'Round-trip times of answered probes',
      buckets: RTT_BUCKETS,
      registers,
    }),
    suspicions: new Counter({
      name: 'navstar_gossip_suspicions_total',
      help: 'Times that a member became doubted, by who accused it: own, other',
      labelNames: ['by'],
      registers,
    }),
    refutations: new Counter({
      name: 'navstar_gossip_refutations_total',
      help: 'Doubts that ended by a higher incarnation, by whose: own, other',
      labelNames: ['of'],
      registers,
    }),
    deaths: new Counter({
      name: 'navstar_gossip_deaths_total',
      help: 'Members declared dead after being doubted for long',
      registers,
    }),
    evictions: new Counter({
      name: 'navstar_gossip_evictions_total',
      help: 'Members of which it was said that they do not come back (nodes forget, or the masters)',
      registers,
    }),
    stalls: new Counter({
      name: 'navstar_gossip_stalls_total',
      help: 'Times that this process stood still for so long that it lowered its own trust',
      registers,
    }),
  }
}

function defineSpread(registry: Registry) {
  const registers = [registry]
  return {
    lag: new Histogram({
      name: 'navstar_gossip_convergence_lag_seconds',
      help: 'Age of a change of another node when it was applied here',
      buckets: LAG_BUCKETS,
      registers,
    }),
    duplicates: new Counter({
      name: 'navstar_gossip_deltas_duplicate_total',
      help: 'Changes received that were held already',
      registers,
    }),
    syncs: new Counter({
      name: 'navstar_gossip_syncs_total',
      help: 'Anti-entropy exchanges opened by this node',
      registers,
    }),
    rejected: new Counter({
      name: 'navstar_gossip_messages_rejected_total',
      help: 'Messages of peers that were not believed, by reason',
      labelNames: ['reason'],
      registers,
    }),
  }
}

function defineTraffic(registry: Registry) {
  const registers = [registry]
  const labelNames = ['kind', 'direction', 'channel'] as const
  return {
    messages: new Counter({
      name: 'navstar_gossip_messages_total',
      help: 'Messages by kind, direction (sent, received) and channel (datagram, stream)',
      labelNames,
      registers,
    }),
    bytes: new Counter({
      name: 'navstar_gossip_message_bytes_total',
      help: 'Bytes of messages, without headers and seals, by kind, direction and channel',
      labelNames,
      registers,
    }),
    packetsRejected: new Counter({
      name: 'navstar_gossip_packets_rejected_total',
      help: 'Datagrams and frames that were dropped unread, by reason',
      labelNames: ['reason'],
      registers,
    }),
    dropped: new Counter({
      name: 'navstar_gossip_messages_dropped_total',
      help: 'Messages that were not sent, by reason (queue-full, …); anti-entropy makes up for them',
      labelNames: ['reason'],
      registers,
    }),
  }
}

type FailureDetection = ReturnType<typeof defineFailureDetection>
type Spread = ReturnType<typeof defineSpread>

function countFailureDetection(metrics: FailureDetection, event: EngineEvent): void {
  if (event.kind === 'probe-sent') {
    metrics.sent.inc({ kind: event.isIndirect ? 'indirect' : 'direct' })
  } else if (event.kind === 'probe-answered') {
    metrics.rtt.observe(event.rttMs / 1000)
    metrics.answered.inc()
  } else if (event.kind === 'probe-missed') metrics.missed.inc()
  else if (event.kind === 'stalled') metrics.stalls.inc()
  else if (event.kind === 'dead') metrics.deaths.inc()
  else if (event.kind === 'evicted') metrics.evictions.inc()
  else if (event.kind === 'refuted') metrics.refutations.inc({ of: 'other' })
  else if (event.kind === 'self-refuted') metrics.refutations.inc({ of: 'own' })
}

function countSpread(metrics: Spread, event: EngineEvent): void {
  if (event.kind === 'sync-opened') metrics.syncs.inc()
  else if (event.kind === 'delta-applied') metrics.lag.observe(event.ageMs / 1000)
  else if (event.kind === 'delta-duplicate') metrics.duplicates.inc()
  else if (event.kind === 'rejected') metrics.rejected.inc({ reason: event.reason })
}
