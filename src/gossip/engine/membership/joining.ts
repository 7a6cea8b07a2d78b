/** Finding the cluster, at the start and when it was lost. */
import type { Endpoint } from '../../../model/endpoint.ts'
import type { NodeId } from '../../../model/node-id.ts'
import { draw, type Ground, jittered } from '../ground.ts'
import type { Welcome } from '../messages.ts'
import type { Announcement } from '../statements.ts'

/** What {@link Joining} works with. */
export interface JoiningParts {
  readonly ownAnnouncement: () => Announcement
  /** Takes announcements; those that are not believed are dropped. */
  readonly take: (announcements: readonly Announcement[], from: NodeId) => void
  readonly sync: (peer: NodeId) => void
  /** Whether versions are known of that are still being asked for. */
  readonly isBehind: () => boolean
  readonly isIsolated: () => boolean
  readonly onComplete: () => void
}

const RETRY_MS = 500
const SEEDS_PER_TRY = 3
/** A lone node asks again this often; one with company sees to lost seeds this often. */
const LONE_RETRY_MS = 2000
const SEED_CHECK_MS = 30_000
const SYNC_RETRY_MS = 1500
const SYNC_TIMEOUT_MS = 10_000
const WELCOME_SIZE = 24
const MAX_CANDIDATES = 64

/** Joins one node. */
export class Joining {
  readonly #ground: Ground
  readonly #parts: JoiningParts
  #seeds: readonly Endpoint[] = []
  #candidates: readonly Endpoint[] = []
  #isWelcome = false
  #isSynced = false
  #isComplete = false

  constructor(ground: Ground, parts: JoiningParts) {
    this.#ground = ground
    this.#parts = parts
  }

  /** The first anti-entropy ended, or there was nobody to hold it with. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  start(seeds: readonly Endpoint[], members: readonly Announcement[]): void {
    this.#seeds = seeds.filter((seed) => !this.#isOwn(seed))
    this.#candidates = members.slice(0, MAX_CANDIDATES).map(({ endpoint }) => endpoint)
    if (this.#seeds.length + this.#candidates.length === 0) {
      this.#complete()
    } else {
      this.#try()
      this.#ground.timers.after(this.#ground.settings.joinTimeoutMs, () => {
        if (!this.#isWelcome) this.#complete()
      })
    }
    this.#watchSeeds()
  }

  /** The answer to a node that joins: this node and some others. */
  welcome(): Welcome {
    const { membership, random, self } = this.#ground
    const others = [...membership.announcements()].filter(
      ({ node }) => node !== self && membership.stateOf(node) === 'alive',
    )
    const drawn = draw(random, others, WELCOME_SIZE - 1)
    return { kind: 'welcome', announcements: [this.#parts.ownAnnouncement(), ...drawn] }
  }

  onWelcome(from: NodeId, { announcements }: Welcome): void {
    this.#parts.take(announcements, from)
    if (this.#isWelcome || this.#ground.membership.announcementOf(from) === undefined) return
    this.#isWelcome = true
    this.#sync(from)
    this.#ground.timers.after(SYNC_TIMEOUT_MS, () => this.#complete())
  }

  /** Syncs with a peer, and with another one if that does not come to an end. */
  #sync(peer: NodeId): void {
    this.#parts.sync(peer)
    const { timers, membership, random, self } = this.#ground
    timers.after(jittered(random, SYNC_RETRY_MS), () => {
      if (this.#isSynced || this.#isComplete) return
      const living = [...membership.nodes()].filter(
        (node) => node !== self && membership.stateOf(node) === 'alive',
      )
      const [next = peer] = draw(random, living, 1)
      this.#sync(next)
    })
  }

  onSynced(): void {
    this.#isSynced = true
    this.check()
  }

  /** Asked after each call: is everything there that the first anti-entropy told of? */
  check(): void {
    if (!this.#isComplete && this.#isSynced && !this.#parts.isBehind()) this.#complete()
  }

  /** Begins anew after this node has forgotten all others. */
  restart(): void {
    this.#isWelcome = false
    this.#try()
  }

  #try(): void {
    if (this.#isWelcome) return
    const own = this.#parts.ownAnnouncement()
    const { random, outbox, timers } = this.#ground
    const endpoints = [
      ...draw(random, this.#seeds, SEEDS_PER_TRY),
      ...draw(random, this.#candidates, SEEDS_PER_TRY),
    ]
    for (const endpoint of endpoints)
      outbox.urgent({ endpoint }, { kind: 'join', announcement: own })
    const retryMs = this.#isComplete ? LONE_RETRY_MS : RETRY_MS
    timers.after(retryMs, () => this.#try())
  }

  /** A seed that is not among the living members may be the other side of a cut. */
  #watchSeeds(): void {
    const { membership, timers, random, outbox } = this.#ground
    const delayMs = this.#parts.isIsolated() ? LONE_RETRY_MS : SEED_CHECK_MS
    timers.after(delayMs, () => {
      const living = [...membership.announcements()].filter(
        ({ node }) => membership.stateOf(node) === 'alive',
      )
      const isLiving = (seed: Endpoint) => living.some(({ endpoint }) => isSame(endpoint, seed))
      const lost = this.#seeds.filter((seed) => !isLiving(seed))
      const announcement = this.#parts.ownAnnouncement()
      for (const endpoint of draw(random, lost, 1)) {
        outbox.urgent({ endpoint }, { kind: 'join', announcement })
      }
      this.#watchSeeds()
    })
  }

  #isOwn(endpoint: Endpoint): boolean {
    return isSame(endpoint, this.#parts.ownAnnouncement().endpoint)
  }

  #complete(): void {
    if (this.#isComplete) return
    this.#isComplete = true
    this.#parts.onComplete()
  }
}

function isSame(left: Endpoint, right: Endpoint): boolean {
  return left.address === right.address && left.port === right.port
}
