/** What this node tells the cluster of its VIPs: its backends, and the addresses it claims. */
import type { Clock } from '../../base/clock.ts'
import { type NavstarError, toNavstarError } from '../../base/error.ts'
import { Table } from '../../base/table.ts'
import { Wakeup } from '../../base/wakeup.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import { familyOf } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { OwnRecord, OwnRecordId } from '../../model/record.ts'
import type { AddressBook } from '../addresses/address-book.ts'
import type { ClaimSubject } from '../addresses/address-claim.ts'
import type { ClaimFile } from '../addresses/claim-file.ts'
import { type AddressMove, OwnClaims } from '../addresses/own-claims.ts'
import type { GossipView } from './cluster-backends.ts'
import { OwnBackendSets } from './own-backend-sets.ts'

/** What a {@link Publisher} works with. */
export interface PublisherParts {
  readonly own: Table<BackendRecordKey, BackendRecord>
  readonly gossip: Pick<GossipView, 'self' | 'records'>
  readonly addresses: AddressBook
  readonly file: Pick<ClaimFile, 'read' | 'write'>
  readonly coolDownMs: number
  readonly clock: Clock
  readonly events: PublisherEvents
}

/** What a {@link Publisher} tells. */
export interface PublisherEvents {
  /** A name with backends here has another address from now on. */
  onMoved(move: AddressMove): void
  /** Claims cannot be kept on disk; called once while it lasts. */
  onFailure(error: NavstarError): void
}

const COOL_DOWN_CHECK_MS = 10_000
/** Writes to disk are at least this far apart. */
const KEEP_PAUSE_MS = 1000
const KEEP_RETRY_MS = 30_000

/**
 * Follows the own backends. What changes within one turn is published as one revision. Claims wait
 * until those of the cluster are known.
 */
export class Publisher {
  /** Complete when the own backends and the cluster's records are. */
  readonly records: Table<OwnRecordId, OwnRecord> = new Table()
  readonly #parts: PublisherParts
  readonly #sets = new OwnBackendSets()
  readonly #claims: OwnClaims
  readonly #wakeup = new Wakeup()
  readonly #keepWakeup = new Wakeup()
  readonly #stops: readonly (() => void)[]
  #isReady = false
  #isKept = true
  #problem: NavstarError | undefined

  private constructor(parts: PublisherParts) {
    const { own, gossip, addresses, coolDownMs, events } = parts
    const self: NodeId = gossip.self
    this.#parts = parts
    this.#claims = new OwnClaims({
      self,
      addresses,
      coolDownMs,
      onMoved: (move) => events.onMoved(move),
    })
    this.#stops = [
      own.onChange(({ keys }) => this.#follow(keys)),
      gossip.records.onChange(({ snapshot }) => {
        if (snapshot.isComplete && !this.#isReady) this.#wakeup.wake()
      }),
      addresses.onMoved((names) => {
        this.#claims.noteMoved(names)
        this.#wakeup.wake()
      }),
    ]
  }

  /** Reads the claims of an earlier life, which count at once, and begins to follow. */
  static async open(parts: PublisherParts): Promise<Publisher> {
    const { claims, problem } = await parts.file.read()
    const publisher = new Publisher(parts)
    publisher.#claims.restore(claims)
    publisher.#follow(parts.own.snapshot.rows.keys())
    if (problem !== undefined) publisher.#fail(problem)
    return publisher
  }

  /** What cannot be told, and why claims are not kept. */
  get problems(): readonly NavstarError[] {
    return [...this.#sets.problems, ...(this.#problem === undefined ? [] : [this.#problem])]
  }

  /** How many names this node claims addresses for: with backends here, and cooling down. */
  get claimCounts(): { readonly held: number; readonly idle: number } {
    const idle = this.#claims.idleCount
    return { held: this.#claims.claims.size - idle, idle }
  }

  /** Publishes what changed until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#wakeup.wait({ signal })
      this.#flush()
    }
  }

  /** Ends cool-downs until the signal aborts. */
  async watchCoolDowns(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#parts.clock.sleep(COOL_DOWN_CHECK_MS, { signal })
      if (this.#claims.idleCount > 0) this.#wakeup.wake()
    }
  }

  /** Writes changed claims to disk until the signal aborts. */
  async keepClaims(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    for (;;) {
      await this.#keepWakeup.wait({ signal })
      const isKept = await this.#keep()
      if (!isKept) this.#keepWakeup.wake()
      await clock.sleep(isKept ? KEEP_PAUSE_MS : KEEP_RETRY_MS, { signal })
    }
  }

  /** Stops following, and keeps what is not kept yet. */
  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
    if (!this.#isKept) await this.#keep()
  }

  #follow(keys: Iterable<BackendRecordKey>): void {
    const { rows } = this.#parts.own.snapshot
    for (const key of keys) {
      const backend = rows.get(key)
      const before = subjectOf(this.#sets.set(key, backend))
      const after = subjectOf(backend)
      if (after !== undefined) this.#claims.count(after, 1)
      if (before !== undefined) this.#claims.count(before, -1)
    }
    this.#wakeup.wake()
  }

  #flush(): void {
    const { own, gossip, clock } = this.#parts
    const isOwnComplete = own.snapshot.isComplete
    const isReady = gossip.records.snapshot.isComplete
    const isFirst = isReady && !this.#isReady
    this.#isReady = isReady
    if (isFirst) this.#claims.yield()
    const changed = isReady ? this.#claims.flush({ wallMs: clock.wallMs(), isOwnComplete }) : []
    if (changed.length > 0) {
      this.#isKept = false
      this.#keepWakeup.wake()
    }
    const claims = isFirst ? this.#claims.records() : changed
    this.records.update([...this.#sets.flush(), ...claims], isOwnComplete && isReady)
  }

  async #keep(): Promise<boolean> {
    this.#isKept = true
    try {
      await this.#parts.file.write(this.#claims.claims)
      this.#problem = undefined
    } catch (error) {
      this.#isKept = false
      this.#fail(toNavstarError(error, 'keep address claims'))
    }
    return this.#isKept
  }

  #fail(problem: NavstarError): void {
    if (this.#problem?.code !== problem.code) this.#parts.events.onFailure(problem)
    this.#problem = problem
  }
}

function subjectOf(backend: BackendRecord | undefined): ClaimSubject | undefined {
  if (backend?.vip.kind !== 'named') return undefined
  return { name: backend.vip.name, family: familyOf(backend.address) }
}
