/** The invariants of `docs/gossip.md`, checked after each step on what the step changed. */
import type { Effect, EngineEvent, EngineInput } from '../../src/gossip/engine/effects.ts'
import type { Message } from '../../src/gossip/engine/messages.ts'
import type { EngineSettings } from '../../src/gossip/engine/settings.ts'
import type { Statement } from '../../src/gossip/engine/statements.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { Host } from './host.ts'
import { Oracle } from './oracle.ts'
import type { SimulatedEngine, Wire } from './seam.ts'
import type { Simulation, Watcher } from './simulation.ts'
import { differenceOf, type View, Views } from './views.ts'
import { Violation } from './violation.ts'

/** What a run may and may not show. */
export interface Expectations {
  /** There are no faults: nobody may be doubted. */
  readonly isFaultless: boolean
  /** Nobody alters messages: no signature may be wrong. */
  readonly isHonest: boolean
}

/** More steps than this at one host in one second are a storm; and so many more per node. */
const STEPS_LIMIT = 5000
const STEPS_PER_NODE = 100

/** How long forgotten nodes are refused, in retentions. */
const FORGOTTEN_RETENTIONS = 7

/** Counts of what happened, for the report. */
export interface Tally {
  readonly events: Map<EngineEvent['kind'], number>
  readonly rejected: Map<string, number>
}

interface Seen {
  readonly incarnation: number
  readonly held: number
  /** Since when it is dead or has left; undefined: it is neither. */
  readonly goneMs: number | undefined
  /** When it was forgotten; undefined: it is known. */
  readonly forgottenMs: number | undefined
}

/** Throws a {@link Violation} at the first step after which an invariant does not hold. */
export class Checks implements Watcher {
  readonly views: Views = new Views()
  readonly oracle: Oracle = new Oracle()
  readonly tally: Tally = { events: new Map(), rejected: new Map() }
  expects: Expectations = { isFaultless: false, isHonest: true }
  readonly #simulation: Simulation
  readonly #settings: EngineSettings
  readonly #wire: Wire
  readonly #names = new Map<NodeId, string>()
  /** Per daemon: the highest of each member, also of those that it forgot. */
  readonly #seen = new Map<Host, Map<NodeId, Seen>>()
  readonly #steps = new Map<Host, { second: number; count: number }>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    this.#settings = simulation.options.engineSettings
    this.#wire = simulation.options.wire
  }

  /** Whether a daemon that runs long enough still remembers deletions that are too old. */
  remembersTooLong({ node, startedMs }: Host): boolean {
    const { nowMs } = this.#simulation
    const oldMs = nowMs - 2 * this.#settings.retentionMs
    if (node === undefined || startedMs > oldMs) return false
    return this.oracle.remembersDeletionBefore(node, oldMs)
  }

  nameOf(node: NodeId): string {
    return this.#names.get(node) ?? node
  }

  onSigned(host: Host, statement: Statement): void {
    if (host.node !== undefined) this.#names.set(host.node, String(host))
    this.oracle.sign(statement)
  }

  onStarted(host: Host): void {
    this.views.open(host)
    this.#seen.set(host, new Map())
  }

  onHandled(host: Host, _input: EngineInput, effects: readonly Effect[]): void {
    const { engine, node } = host
    if (engine === undefined || node === undefined) return
    this.#countStep(host)
    const view = this.views.of(host)
    const touched = view.apply(effects)
    this.oracle.endStep(host, view.recordsOf(node), this.#simulation.nowMs)
    for (const effect of effects) this.#checkEffect(host, effect)
    for (const owner of touched) {
      this.#checkMember(host, owner, view.members.get(owner))
      if (owner !== node) this.#checkRecords({ host, engine, view }, owner)
    }
  }

  #countStep(host: Host): void {
    const second = Math.floor(this.#simulation.nowMs / 1000)
    const steps = this.#steps.get(host)
    if (steps?.second !== second) {
      this.#steps.set(host, { second, count: 1 })
      return
    }
    const limit = STEPS_LIMIT + STEPS_PER_NODE * this.#simulation.hosts.length
    if (++steps.count > limit) throw new Violation('bounds', `${host} does not come to rest`)
  }

  #checkEffect(host: Host, effect: Effect): void {
    if (effect.kind === 'event') this.#checkEvent(host, effect.event)
    if (effect.kind !== 'send') return
    for (const message of effect.messages) this.#checkDeletions(host, message)
    if (effect.channel !== 'datagram') return
    let sizeBytes = 0
    for (const message of effect.messages) sizeBytes += this.#wire.sizeOf(message)
    if (sizeBytes > this.#settings.datagramBytes) {
      const kinds = effect.messages.map(({ kind }) => kind)
      throw new Violation('bounds', `${host} sends a datagram of ${sizeBytes} bytes: ${kinds}`)
    }
  }

  /** Deletions are not kept for ever. */
  #checkDeletions(host: Host, message: Message): void {
    if (message.kind !== 'delta') return
    const { head, records } = message
    if (!records.some(({ isDeleted, version }) => isDeleted && version <= head.floor)) return
    throw new Violation(
      'bounds',
      `${host} sends deletions below the floor of ${this.nameOf(head.node)}`,
    )
  }

  #checkEvent(host: Host, event: EngineEvent): void {
    const { events, rejected } = this.tally
    events.set(event.kind, (events.get(event.kind) ?? 0) + 1)
    if (event.kind === 'doubted') this.#checkDoubt(host, event)
    if (event.kind === 'dead' || event.kind === 'left') this.#noteGone(host, event.node)
    if (event.kind === 'forgotten') this.#noteForgotten(host, event.node)
    // A node that slept through the retention forgets all others, and what it knew of them.
    if (event.kind === 'stalled' && event.lateMs >= this.#settings.retentionMs) {
      this.#seen.set(host, new Map())
    }
    if (event.kind !== 'rejected') return
    const reason = `${event.reason} ${event.message}`
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
    if (this.expects.isHonest && event.reason === 'bad-signature') {
      throw new Violation('origin', `${host} rejects a signature though all are honest`)
    }
  }

  #checkDoubt(host: Host, event: Extract<EngineEvent, { kind: 'doubted' }>): void {
    if (this.expects.isFaultless) {
      throw new Violation(
        'accuracy',
        `${host} doubts ${this.nameOf(event.node)} (accused by ${this.nameOf(event.accuser)}) without a fault`,
      )
    }
    if (this.oracle.hasAccused(event.accuser, event.node)) return
    const accuser = this.nameOf(event.accuser)
    throw new Violation(
      'origin',
      `${host} believes that ${accuser} accused ${this.nameOf(event.node)}`,
    )
  }

  #checkMember(host: Host, node: NodeId, member: Member | undefined): void {
    const seen = this.#seen.get(host)
    if (seen === undefined || node === host.node) return
    const before = seen.get(node)
    if (member === undefined) {
      if (before === undefined || before.forgottenMs !== undefined) return
      throw new Violation('eviction', `${host} lost ${this.nameOf(node)} without a word`)
    }
    this.#checkAnnouncement(host, member)
    const { incarnation, heldVersion: held, state } = member
    const isGone = state === 'dead' || state === 'left'
    const goneMs = isGone ? (before?.goneMs ?? this.#simulation.nowMs) : undefined
    if (before !== undefined) this.#checkProgress(host, member, before)
    seen.set(node, { incarnation, held, goneMs, forgottenMs: undefined })
  }

  #noteGone(host: Host, node: NodeId): void {
    const seen = this.#seen.get(host)
    const before = seen?.get(node)
    if (before === undefined) return
    seen?.set(node, { ...before, goneMs: before.goneMs ?? this.#simulation.nowMs })
  }

  /** It may be known again by the end of the step: what is shown would not tell. */
  #noteForgotten(host: Host, node: NodeId): void {
    const seen = this.#seen.get(host)
    const before = seen?.get(node)
    if (before === undefined) return
    this.#checkForgetting(host, node, before)
    seen?.set(node, { ...before, held: 0, forgottenMs: this.#simulation.nowMs })
  }

  /** Only the dead and departed are forgotten: in their time, or because they were evicted. */
  #checkForgetting(host: Host, node: NodeId, { incarnation, goneMs }: Seen): void {
    const what = `${host} forgets ${this.nameOf(node)}@${incarnation}`
    if (goneMs === undefined) throw new Violation('eviction', `${what}, which is not dead there`)
    const forMs = this.#simulation.nowMs - goneMs
    // due times are sums on the clock of the host, and rounded
    if (forMs >= this.#settings.retentionMs - 1) return
    if (this.oracle.isEvicted(node, incarnation)) return
    throw new Violation('eviction', `${what} after ${forMs} ms, and nobody evicted it`)
  }

  #checkProgress(host: Host, { id, incarnation, heldVersion }: Member, before: Seen): void {
    const name = this.nameOf(id)
    const forgottenForMs = this.#simulation.nowMs - (before.forgottenMs ?? this.#simulation.nowMs)
    if (forgottenForMs > FORGOTTEN_RETENTIONS * this.#settings.retentionMs) return
    if (before.forgottenMs !== undefined && incarnation <= before.incarnation) {
      throw new Violation(
        'resurrection',
        `${host} forgot ${name}@${before.incarnation} and knows it again as @${incarnation}`,
      )
    }
    if (incarnation < before.incarnation) {
      throw new Violation(
        'monotony',
        `${host} goes from incarnation ${before.incarnation} of ${name} back to ${incarnation}`,
      )
    }
    if (heldVersion < before.held) {
      throw new Violation(
        'monotony',
        `${host} goes from version ${before.held} of ${name} back to ${heldVersion}`,
      )
    }
  }

  #checkAnnouncement(host: Host, member: Member): void {
    const stated = this.oracle.announcement(member.id, member.incarnation)
    const isStated =
      stated !== undefined &&
      stated.endpoint.address === member.endpoint.address &&
      stated.endpoint.port === member.endpoint.port &&
      stated.isLeaving === (member.state === 'left')
    const isDoubted = member.state === 'doubted' || member.state === 'dead'
    const isAccused = !isDoubted || this.oracle.isAccused(member.id, member.incarnation)
    if (isStated && isAccused) return
    throw new Violation(
      'origin',
      `${host} knows ${this.nameOf(member.id)}@${member.incarnation} as ${member.state} at ${member.endpoint.address}, which was never stated`,
    )
  }

  #checkRecords(
    { host, engine, view }: { host: Host; engine: SimulatedEngine; view: View },
    owner: NodeId,
  ): void {
    const shown = view.recordsOf(owner)
    const held = engine.member(owner)?.heldVersion ?? 0
    if (held === 0) {
      if (shown.size === 0) return
      throw new Violation('wholeness', `${host} shows records of ${this.nameOf(owner)}, held: none`)
    }
    const stated = this.oracle.recordsAt(owner, held)
    const hasSigned = this.oracle.hasSigned(owner, held)
    const difference = hasSigned ? stated && differenceOf(shown, stated) : 'which it never signed'
    if (difference === undefined) return
    throw new Violation(
      'wholeness',
      `${host} holds version ${held} of ${this.nameOf(owner)}: ${difference}`,
    )
  }
}
