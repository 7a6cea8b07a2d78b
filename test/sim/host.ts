/** A machine of the simulated cluster with at most one daemon on it. */
import type { EngineInput } from '../../src/gossip/engine/effects.ts'
import type { Announcement, Notary } from '../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { OwnRecord, OwnRecordId } from '../../src/model/record.ts'
import type { SimulatedEngine } from './seam.ts'

/** What outlives a crash. */
export interface Disk {
  readonly notary: Notary
  readonly incarnation: number
  readonly version: number
  readonly members: readonly Announcement[]
}

/** Changes of own records. */
export type Changes = readonly (readonly [OwnRecordId, OwnRecord | undefined])[]

/** State of a host; the simulation alone changes it. */
export class Host {
  readonly index: number
  endpoint: Endpoint
  /** Counts starts; what was meant for an earlier life does not reach a later one. */
  life = 0
  startedMs = 0
  /** Counts identities; a lost disk makes a new one. */
  identity = 0
  engine: SimulatedEngine | undefined
  notary: Notary | undefined
  disk: Disk | undefined
  /** What its monotonic clock shows when the simulation's shows 0. */
  clockOffsetMs = 0
  /** How wrong its date is. */
  dateOffsetMs = 0
  pausedUntilMs = 0
  /** What came while it stood still. */
  inbox: EngineInput[] = []
  inboxDatagrams = 0
  /** For when its next tick was asked, and when it comes; later than due, as timers are. */
  queuedDueMs: number = Number.POSITIVE_INFINITY
  queuedTickMs = 0
  /** What the daemon has to say of itself, independent of its life. */
  readonly own: Map<OwnRecordId, OwnRecord> = new Map()
  /** Whether everything in {@link own} was published in this life. */
  isPublished = false
  /** Alters what it sends. */
  isByzantine = false
  /** Does not come back. */
  isGone = false
  /** One bit per cut: stands on its sending side, on its receiving side. */
  cutFrom = 0
  cutTo = 0

  constructor(index: number, endpoint: Endpoint) {
    this.index = index
    this.endpoint = endpoint
  }

  get isUp(): boolean {
    return this.engine !== undefined
  }

  get node(): NodeId | undefined {
    return this.notary?.node
  }

  toString(): string {
    return `n${this.index}${'′'.repeat(Math.max(0, this.identity - 1))}`
  }
}
