/**
 * The gossip protocol of one node, without I/O, clock or dice: inputs and the time go in, effects
 * come out. `docs/gossip.md` says what holds.
 */
import type { Endpoint } from '../../model/endpoint.ts'
import type { Member } from '../../model/member.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { ClusterRecord } from '../../model/record.ts'
import { dispatch } from './dispatch.ts'
import type { Effect, EngineInput } from './effects.ts'
import type { Digest } from './messages.ts'
import { assemble, type EngineOptions, type EngineParts, forgetNode, isIsolated } from './parts.ts'
import type { Announcement } from './statements.ts'

export type { EngineOptions } from './parts.ts'

/** One node's gossip. */
export class Engine {
  readonly #parts: EngineParts
  #wasIsolated = false

  constructor(options: EngineOptions) {
    this.#parts = assemble(options)
  }

  /** When to tick next; Infinity: not by itself. */
  get nextDueMs(): number {
    return this.#parts.ground.timers.nextDueMs
  }

  get incarnation(): number {
    return this.#parts.self.announcement.incarnation
  }

  /** The latest version of own records. */
  get version(): number {
    return this.#parts.own.version
  }

  /** Everyone else looks doubted or dead: this node is the one that is cut off. */
  get isIsolated(): boolean {
    return isIsolated(this.#parts.ground)
  }

  get digest(): Digest {
    return this.#parts.ground.membership.digests.root
  }

  /** Open pings and ping requests, for bounds. */
  get openProbes(): number {
    return this.#parts.prober.openCount
  }

  members(): Iterable<Member> {
    return [...this.#parts.ground.membership.nodes()].flatMap((node) => this.member(node) ?? [])
  }

  member(node: NodeId): Member | undefined {
    const { membership, self } = this.#parts.ground
    const announcement = membership.announcementOf(node)
    const state = membership.stateOf(node)
    if (announcement === undefined || state === undefined) return undefined
    const { endpoint, incarnation } = announcement
    const rttMs = this.#parts.prober.rttOf(node)
    const heldVersion = membership.heldOf(node)
    return {
      id: node,
      endpoint,
      state,
      incarnation,
      isSelf: node === self,
      ...(this.#parts.evictions.isEvicted(node) && { isEvicted: true }),
      ...(rttMs !== undefined && { rttMs }),
      heldVersion,
      knownVersion: Math.max(heldVersion, this.#parts.missing.versionOf(node) ?? 0),
      recordCount: this.#parts.records.of(node)?.set.liveCount ?? 0,
    }
  }

  /** All live records of all members. */
  records(): Iterable<ClusterRecord> {
    return this.#parts.records.live()
  }

  /** Announcements of living members, to be tried after a restart. */
  announcements(): readonly Announcement[] {
    const { membership, self } = this.#parts.ground
    return [...membership.announcements()].filter(
      ({ node }) => node !== self && membership.stateOf(node) === 'alive',
    )
  }

  /**
   * Something happened.
   *
   * @param nowMs milliseconds that only grow
   * @returns what is to be done about it, in order
   */
  handle(input: EngineInput, nowMs: number): readonly Effect[] {
    const { turn, timers } = this.#parts.ground
    turn.begin(nowMs)
    this.#noteLateness(nowMs - timers.nextDueMs)
    this.#take(input)
    timers.fire()
    return this.#finish()
  }

  #take(input: EngineInput): void {
    switch (input.kind) {
      case 'start':
        this.#start(input.seeds, input.members)
        break
      case 'tick':
        break
      case 'received':
        for (const message of input.messages) dispatch(this.#parts, input, message)
        break
      case 'publish':
        this.#parts.own.publish(input.changes, input.isComplete)
        break
      case 'report':
        this.#parts.prober.probe(input.node)
        break
      case 'hint':
        this.#parts.hints.send(input.node)
        break
      case 'agent-gone':
        this.#parts.hints.tellGone(input.node, input.agent)
        break
      case 'forget':
        this.#parts.evictions.issue(input.node)
        break
      case 'unreachable':
        if (input.to.node !== undefined) this.#parts.prober.probe(input.to.node)
        break
      case 'leave':
        this.#parts.self.leave()
        break
    }
  }

  #start(seeds: readonly Endpoint[], members: readonly Announcement[]): void {
    this.#parts.self.start()
    for (const member of members) this.#parts.intake.onAnnouncement(this.#parts.ground.self, member)
    this.#parts.schedule.start()
    this.#parts.joining.start(seeds, members)
    this.#expireForgotten()
  }

  #expireForgotten(): void {
    const { timers, membership, turn, settings } = this.#parts.ground
    timers.after(settings.retentionMs, () => {
      membership.expireForgotten(turn.nowMs)
      this.#parts.evictions.expire()
      this.#expireForgotten()
    })
  }

  /** A late call means that this node stood still; a very late one that it knows nothing any more. */
  #noteLateness(lateMs: number): void {
    const { settings, turn, membership } = this.#parts.ground
    if (lateMs < settings.stallMs) return
    turn.emit({ kind: 'stalled', lateMs })
    this.#parts.health.worsen(turn.nowMs)
    if (lateMs < settings.retentionMs) return
    for (const node of [...membership.nodes()]) {
      if (node !== this.#parts.ground.self) forgetNode(this.#parts, node, { isRefused: false })
    }
    this.#parts.joining.restart()
  }

  #finish(): readonly Effect[] {
    const { turn, outbox } = this.#parts.ground
    for (const node of turn.touched) {
      this.#parts.subjects.note(node)
      this.#parts.peers.note(node)
    }
    if (turn.touched.size > 0) this.#parts.schedule.refresh()
    this.#noteIsolation()
    this.#parts.joining.check()
    outbox.flush((effect) => turn.effect(effect))
    const changes = [...turn.touched].map((node) => [node, this.member(node)] as const)
    return turn.end(changes.length > 0 ? { kind: 'members', changes } : undefined)
  }

  #noteIsolation(): void {
    const { isIsolated } = this
    if (isIsolated === this.#wasIsolated) return
    this.#wasIsolated = isIsolated
    this.#parts.ground.turn.emit({ kind: 'isolated', isIsolated })
  }
}
