/**
 * A few engines under virtual time; each message takes a millisecond. The simulator with its faults
 * is in `test/sim`.
 */
import type { Effect, EngineEvent, EngineInput } from '../../../src/gossip/engine/effects.ts'
import { Engine } from '../../../src/gossip/engine/engine.ts'
import type { Message } from '../../../src/gossip/engine/messages.ts'
import { ENGINE_DEFAULTS, type EngineSettings } from '../../../src/gossip/engine/settings.ts'
import type { Announcement, Notary } from '../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { endpointOf, notaryOf } from './nodes.ts'
import { change } from './records/record-sets.ts'

/** One engine and what came out of it. */
export interface Life {
  readonly engine: Engine
  readonly node: NodeId
  readonly number: number
  readonly events: EngineEvent[]
  completions: number
}

interface Letter {
  readonly dueMs: number
  readonly from: Life
  readonly toPort: string
  readonly messages: readonly Message[]
}

/** What a life begins with. */
export interface LifeOptions {
  readonly incarnation?: number
  readonly firstVersion?: number
  readonly members?: readonly Announcement[]
  readonly notary?: Notary
  /** Gives the address; without it that of the life before, or the next free one. */
  readonly number?: number
}

/** A cluster of named nodes; the first that starts is everybody's seed. */
export class Cluster {
  nowMs = 1000
  readonly lives: Map<string, Life> = new Map()
  /** Whether a message gets through. */
  isOpen: (from: Life, to: Life) => boolean = () => true
  readonly sent: { readonly from: NodeId; readonly message: Message }[] = []
  readonly #settings: EngineSettings
  #letters: Letter[] = []

  constructor(settings: Partial<EngineSettings> = {}) {
    this.#settings = { ...ENGINE_DEFAULTS, ...settings }
  }

  /** Starts a node, or a new life of it. */
  start(name: string, options: LifeOptions = {}): Life {
    const number = options.number ?? this.lives.get(name)?.number ?? this.lives.size + 1
    const notary = options.notary ?? notaryOf(name)
    const { incarnation = 1, firstVersion = 1, members = [] } = options
    const engine = new Engine({
      notary,
      endpoint: endpointOf(number),
      incarnation,
      firstVersion,
      seed: number,
      settings: this.#settings,
    })
    const life = { engine, node: notary.node, number, events: [], completions: 0 }
    this.lives.set(name, life)
    this.input(life, { kind: 'start', seeds: [endpointOf(1)], members })
    return life
  }

  /** Ends a node without a word. */
  kill(name: string): void {
    this.lives.delete(name)
  }

  input(life: Life, input: EngineInput): void {
    for (const effect of life.engine.handle(input, this.nowMs)) this.#take(life, effect)
  }

  publish(
    life: Life,
    values: Readonly<Record<string, string | undefined>>,
    isComplete = true,
  ): void {
    const changes = Object.entries(values).map(([key, value]) => change(key, value))
    this.input(life, { kind: 'publish', changes, isComplete })
  }

  /** Lets time pass. */
  pass(durationMs: number): void {
    const endMs = this.nowMs + durationMs
    while (this.#nextMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.#nextMs())
      this.#deliver()
      for (const life of this.lives.values()) {
        if (life.engine.nextDueMs <= this.nowMs) this.input(life, { kind: 'tick' })
      }
    }
    this.nowMs = endMs
  }

  /** Lets time pass until this holds; false when it did not in that time. */
  passUntil(condition: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs
    while (!condition() && this.nowMs < endMs) this.pass(1)
    return condition()
  }

  #nextMs(): number {
    const dues = [...this.lives.values()].map(({ engine }) => engine.nextDueMs)
    return Math.min(...dues, this.#letters[0]?.dueMs ?? Number.POSITIVE_INFINITY)
  }

  #deliver(): void {
    const due = this.#letters.filter(({ dueMs }) => dueMs <= this.nowMs)
    this.#letters = this.#letters.filter(({ dueMs }) => dueMs > this.nowMs)
    for (const { from, toPort, messages } of due) {
      const to = [...this.lives.values()].find(
        ({ number }) => endpointOf(number).address === toPort,
      )
      if (to === undefined || !this.isOpen(from, to)) continue
      const endpoint = endpointOf(from.number)
      this.input(to, { kind: 'received', from: from.node, endpoint, messages })
    }
  }

  #take(life: Life, effect: Effect): void {
    if (effect.kind === 'event') life.events.push(effect.event)
    if (effect.kind === 'complete') life.completions++
    if (effect.kind !== 'send') return
    const { to, messages } = effect
    for (const message of messages) this.sent.push({ from: life.node, message })
    const letter = { dueMs: this.nowMs + 1, from: life, toPort: to.endpoint.address, messages }
    this.#letters.push(letter)
  }
}

/** How a life sees the others: `alive alive doubted`, in the order of their names. */
export function viewOf(cluster: Cluster, name: string): string {
  const seen = cluster.lives.get(name)
  const states = [...cluster.lives.values()]
    .filter((life) => life !== seen)
    .map(({ node }) => seen?.engine.member(node)?.state ?? 'unknown')
  return states.join(' ')
}

/** The records that a life holds of all: `{ key: value }`. */
export function recordsOf({ engine }: Life): Record<string, string> {
  const rows = [...engine.records()].map(
    ({ key, value }) => [key, Buffer.from(value).toString()] as const,
  )
  return Object.fromEntries(rows.sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** Three nodes and what they live in. */
export interface Three {
  readonly cluster: Cluster
  readonly a: Life
  readonly b: Life
  readonly c: Life
}

/** Three nodes that found each other. */
export function three(settings: Partial<EngineSettings> = {}): Three {
  const cluster = new Cluster(settings)
  const [a, b, c] = ['a', 'b', 'c'].map((name) => cluster.start(name))
  if (a === undefined || b === undefined || c === undefined) throw new Error('lives')
  cluster.pass(500)
  return { cluster, a, b, c }
}

/** Whether all know the same. */
export function isAgreed({ lives }: Cluster): boolean {
  const digests = [...lives.values()].map(
    ({ engine: { digest } }) => `${digest.high} ${digest.low}`,
  )
  return new Set(digests).size === 1
}
