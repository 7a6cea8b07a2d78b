/**
 * Follows the leading master through ZooKeeper: reads who has announced itself, watches, and
 * reads again when something changes, when the watch may have been lost (an audit), or through
 * another server when the session ends. The last known leader stays while ZooKeeper is away.
 */
import { type BackoffPolicy, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import type { NavstarError } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Wakeup } from '../../base/wakeup.ts'
import { waitAtMost } from './deadline.ts'
import { type LeaderView, leaderProblem } from './leader-view.ts'
import type { HostPort, MasterAddress } from './master-address.ts'
import { addressOfNode, type MasterNode, masterNodes } from './master-node.ts'
import type { OpenSession, ZooKeeperReader } from './zookeeper-session.ts'

/** The servers of the ensemble as known now; never empty. @throws NavstarError */
export type EnsembleServers = (options: {
  readonly signal: AbortSignal
}) => Promise<readonly HostPort[]>

/** What a {@link ZooKeeperFollower} is made of. */
export interface ZooKeeperParts {
  readonly view: LeaderView
  readonly servers: EnsembleServers
  readonly path: string
  readonly digest?: string
  readonly isTls: boolean
  readonly clock: Clock
  readonly random: Random
  readonly openSession: OpenSession
  readonly timing: ZooKeeperTiming
}

/** How long things take. */
export interface ZooKeeperTiming {
  /** What we ask for; the server has the last word. */
  readonly sessionTimeoutMs: number
  readonly connectTimeoutMs: number
  /** From one reading to the next where no watch fires. */
  readonly auditIntervalMs: number
  readonly backoff: BackoffPolicy
}

/** **Source:** Apache Mesos `src/master/constants.hpp` (ZOOKEEPER_SESSION_TIMEOUT) */
export const ZOOKEEPER_TIMING: ZooKeeperTiming = Object.freeze({
  sessionTimeoutMs: 10_000,
  connectTimeoutMs: 3_000,
  auditIntervalMs: 60_000,
  backoff: Object.freeze({ baseMs: 500, maxMs: 10_000 }),
})

/** The longest wait before the next server is tried while there are untried ones. */
const NEXT_SERVER_MS = 100

/** Nodes may vanish between being listed and being read; this often in a row we read anew. */
const MAX_VANISHED = 5

/** Follows one path of one ensemble. */
export class ZooKeeperFollower {
  readonly #parts: ZooKeeperParts
  readonly #wakeup = new Wakeup()
  #failures = 0
  #nextServer: number

  constructor(parts: ZooKeeperParts) {
    this.#parts = parts
    // Nodes start at different servers.
    this.#nextServer = Math.floor(parts.random.next() * 1024)
  }

  /** Reads again soon, as the leader may have changed. */
  refresh(): void {
    this.#wakeup.wake()
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let servers = 1
      try {
        const known = await this.#parts.servers({ signal })
        servers = known.length
        await this.#followThrough(known[this.#nextServer++ % servers] as HostPort, signal)
      } catch (error) {
        if (signal.aborted) return
        this.#parts.view.lost(leaderProblem(error, `read ${this.#parts.path} of ZooKeeper`))
      }
      await this.#waitAfterFailure(servers, signal)
    }
  }

  /** Follows through one server until the session ends. @throws NavstarError why it ended */
  async #followThrough(server: HostPort, signal: AbortSignal): Promise<void> {
    const { clock, timing, digest, random } = this.#parts
    const session = await this.#parts.openSession({
      server,
      ...(digest === undefined ? {} : { digest }),
      clock,
      sessionTimeoutMs: timing.sessionTimeoutMs,
      connectTimeoutMs: timing.connectTimeoutMs,
      onChange: () => this.#wakeup.wake(),
      signal,
    })
    try {
      const either = AbortSignal.any([signal, session.signal])
      while (!signal.aborted) {
        this.#parts.view.found(await this.#elect(session))
        this.#failures = 0
        const timeoutMs = timing.auditIntervalMs * (0.75 + random.next() / 2)
        await waitAtMost({ clock, timeoutMs, signal: either }, (options) =>
          this.#wakeup.wait(options),
        )
      }
    } finally {
      if (session.signal.aborted && !signal.aborted) this.#parts.view.sessionLost()
      await session.close()
    }
  }

  /** The leading master; undefined when none has announced itself. */
  async #elect(session: ZooKeeperReader): Promise<MasterAddress | undefined> {
    for (let attempt = 0; attempt < MAX_VANISHED; attempt++) {
      const names = await session.children(this.#parts.path)
      const elected = await this.#firstReadable(session, masterNodes(names ?? []))
      if (elected !== 'vanished') return elected
    }
    // The watch of the children has fired already: the next reading is due.
    return this.#parts.view.status.leader
  }

  /**
   * The first master whose node can be understood. When the leader's cannot, the next one is of
   * use still: it redirects to the leader.
   */
  async #firstReadable(
    session: ZooKeeperReader,
    nodes: readonly MasterNode[],
  ): Promise<MasterAddress | undefined | 'vanished'> {
    const { view, path, isTls } = this.#parts
    const skipped = new Map<string, NavstarError>()
    let leader: MasterAddress | undefined
    for (const node of nodes) {
      const bytes = await session.content(`${path}/${node.name}`)
      if (bytes === undefined) return 'vanished'
      try {
        leader = addressOfNode({ node, bytes, isTls })
        break
      } catch (error) {
        skipped.set(node.name, leaderProblem(error, `read ${node.name}`))
      }
    }
    view.skipped(skipped)
    return leader
  }

  /** Goes on to the next server at once; waits longer when all have been tried. */
  async #waitAfterFailure(servers: number, signal: AbortSignal): Promise<void> {
    const { clock, random, timing } = this.#parts
    this.#failures++
    const rounds = Math.floor(this.#failures / servers) - 1
    const waitMs =
      this.#failures < servers
        ? random.next() * NEXT_SERVER_MS
        : backoffMs(timing.backoff, rounds, random)
    await clock.sleep(waitMs, { signal }).catch(() => undefined)
  }
}
