/** VIPs over the cluster: what this node tells the others, and what they tell it. */
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { NavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Scope } from '../../base/scope.ts'
import type { Table } from '../../base/table.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import type { Cidr } from '../../model/cidr.ts'
import type { OwnRecord, OwnRecordId } from '../../model/record.ts'
import { AddressBook } from '../addresses/address-book.ts'
import { vipRangeOf } from '../addresses/address-space.ts'
import { ClaimFile } from '../addresses/claim-file.ts'
import type { L4lbOptions } from '../config.ts'
import { l4lbMetrics } from '../metrics.ts'
import { ClusterBackends as Backends, type GossipView } from './cluster-backends.ts'
import { Publisher } from './publisher.ts'

/** The backends of all nodes, and the addresses of all names. */
export interface ClusterBackends {
  /** This node's own and those of the others; complete when both are. */
  readonly records: Table<BackendRecordKey, BackendRecord>
  readonly addresses: AddressBook
  /** Whether this node is cut off, and what of others cannot be used. */
  problems(): readonly NavstarError[]
}

/** What {@link startClusterBackends} works with. */
export interface ClusterBackendsParts {
  /** This node's backends. */
  readonly own: Table<BackendRecordKey, BackendRecord>
  readonly gossip: GossipView
  /** Blocks that named VIPs get their addresses from, at most one per family. */
  readonly ranges: readonly Cidr[]
  readonly log: Log
  readonly registry: Registry
  readonly scope: Scope
}

/** Starts to follow the backends and claims of all nodes; ends with the scope. */
export function startClusterBackends(parts: ClusterBackendsParts): ClusterBackends {
  const { own, gossip, ranges, registry, scope } = parts
  const log = parts.log.child('l4lb')
  const metrics = l4lbMetrics(registry)
  const addresses = new AddressBook(ranges.map(vipRangeOf))
  const onProblem = (error: NavstarError, kind: 'backends' | 'addressClaim') => {
    metrics.onRecordRefused(kind)
    log.debug('a record of another node cannot be used', { error })
  }
  const onIsolation = (isIsolated: boolean) => {
    metrics.onIsolation(isIsolated)
    const others = gossip.members.snapshot.rows.size - 1
    if (isIsolated) log.warn('EVERY other node looks gone: all backends are kept', { others })
    else log.warn('other nodes are heard again: backends follow them', { others })
  }
  const events = { onProblem, onIsolation }
  const backends = scope.own(new Backends({ own, gossip, addresses, events }))
  return { records: backends.records, addresses, problems: () => backends.problems }
}

/** What this node states. */
export interface Publishing {
  /** For gossip to follow; complete when the own backends and the cluster's records are. */
  readonly records: Table<OwnRecordId, OwnRecord>
  /** What cannot be told or kept. */
  problems(): readonly NavstarError[]
}

/** What {@link startPublishing} works with. */
export interface PublishingParts {
  /** This node's backends. */
  readonly own: Table<BackendRecordKey, BackendRecord>
  readonly addresses: AddressBook
  readonly gossip: Pick<GossipView, 'self' | 'records'>
  readonly options: Pick<L4lbOptions, 'addressCoolDownMs'>
  /** Where claims are kept over restarts; made when absent. */
  readonly stateDirectory: string
  readonly clock: Clock
  readonly log: Log
  readonly registry: Registry
  readonly scope: Scope
}

/** Starts to state this node's backends and claims; ends with the scope. */
export async function startPublishing(parts: PublishingParts): Promise<Publishing> {
  const { own, addresses, gossip, clock, scope, options } = parts
  const log = parts.log.child('l4lb')
  const metrics = l4lbMetrics(parts.registry)
  const publisher = await Publisher.open({
    own,
    gossip,
    addresses,
    file: new ClaimFile(parts.stateDirectory),
    coolDownMs: options.addressCoolDownMs,
    clock,
    events: {
      onMoved: (move) => {
        metrics.onMoved()
        log.warn('an address moved', { ...move })
      },
      onFailure: (error) => log.warn('address claims are not kept', { error }),
    },
  })
  scope.own(publisher)
  metrics.watchClaims(() => publisher.claimCounts)
  scope.run((signal) => publisher.run(signal))
  scope.run((signal) => publisher.watchCoolDowns(signal))
  scope.run((signal) => publisher.keepClaims(signal))
  return { records: publisher.records, problems: () => publisher.problems }
}
