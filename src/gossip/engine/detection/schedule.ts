/** Who is probed when: subjects in turn, one drawn from all, and dead ones now and then. */
import type { NodeId } from '../../../model/node-id.ts'
import { type Ground, jittered } from '../ground.ts'
import type { Rings } from '../spread/rings.ts'
import { RING_COUNT } from '../statements.ts'
import type { Timer } from '../timers.ts'
import type { LocalHealth } from './local-health.ts'
import type { Prober } from './prober.ts'

/** What {@link ProbeSchedule} works with. */
export interface ProbeScheduleParts {
  readonly prober: Prober
  readonly health: LocalHealth
  /** Of all nodes that are not dead or left. */
  readonly rings: Rings
}

/** Schedules the probes of one node. */
export class ProbeSchedule {
  readonly #ground: Ground
  readonly #prober: Prober
  readonly #health: LocalHealth
  readonly #rings: Rings
  readonly #watches = new Map<NodeId, Timer>()

  constructor(ground: Ground, { prober, health, rings }: ProbeScheduleParts) {
    this.#ground = ground
    this.#prober = prober
    this.#health = health
    this.#rings = rings
  }

  start(): void {
    this.#every(this.#ground.settings.randomProbeIntervalMs, () => this.#probeAnyone())
    this.#every(this.#ground.settings.reconnectIntervalMs, () => this.#knockAtDead())
  }

  /** Watches the present successors, and nobody else. */
  refresh(): void {
    const subjects = this.#rings.successors
    for (const [node, timer] of this.#watches) {
      if (subjects.has(node)) continue
      timer.cancel()
      this.#watches.delete(node)
    }
    for (const node of subjects) {
      if (this.#watches.has(node)) continue
      this.#watch(node, this.#intervalMs() * this.#ground.random.next())
    }
  }

  #watch(node: NodeId, delayMs: number): void {
    const timer = this.#ground.timers.after(delayMs, () => {
      this.#prober.probe(node)
      this.#watch(node, jittered(this.#ground.random, this.#intervalMs()))
    })
    this.#watches.set(node, timer)
  }

  /** A node has up to four monitors, who share its probing; one that is slow itself asks less. */
  #intervalMs(): number {
    const others = this.#ground.membership.size - 1
    const monitors = Math.min(RING_COUNT, Math.max(1, others))
    return this.#ground.settings.probeIntervalMs * monitors * this.#health.factor
  }

  #every(meanMs: number, run: () => void): void {
    this.#ground.timers.after(jittered(this.#ground.random, meanMs), () => {
      run()
      this.#every(meanMs, run)
    })
  }

  #probeAnyone(): void {
    const { membership, random, self } = this.#ground
    const node = membership.draw(random)
    if (node === undefined || node === self) return
    const state = membership.stateOf(node)
    if (state === 'alive' || state === 'doubted') this.#prober.probe(node)
  }

  #knockAtDead(): void {
    const { membership, random } = this.#ground
    const dead = [...membership.suspicions()].filter(([, { isDead }]) => isDead)
    const [node] = dead[Math.floor(random.next() * dead.length)] ?? []
    if (node !== undefined) this.#prober.knock(node)
  }
}
