/**
 * Probes nodes and answers probes. Who does not answer is accused once the evidence suffices.
 *
 * **Source:** SWIM (Das, Gupta, Motivala, DSN 2002) §4; Lifeguard (arXiv 1707.00788)
 */
import type { Endpoint } from '../../../model/endpoint.ts'
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, draw, type Ground } from '../ground.ts'
import type { Ack, Message, Ping, PingReport } from '../messages.ts'
import type { LocalHealth } from './local-health.ts'
import { Loss } from './loss.ts'
import { newProbe, type Probe } from './probe.ts'

/** What {@link Prober} works with. */
export interface ProberParts {
  readonly health: LocalHealth
  /** What goes along with a ping or ack to this node. */
  readonly takeNews: (node: NodeId) => readonly Message[]
  /** Nodes that can be asked to ping others. */
  readonly relays: () => Iterable<NodeId>
  /** The node did not answer, on good evidence. */
  readonly accuse: (node: NodeId) => void
}

interface OpenPing {
  readonly node: NodeId
  readonly sentMs: number
  readonly probe: Probe
  readonly isDirect: boolean
}

const RTT_WEIGHT = 1 / 8
const ROUND_RTTS = 3
const MAX_SEQUENCE = 2 ** 32

/** The probing of one node. */
export class Prober {
  readonly #ground: Ground
  readonly #parts: ProberParts
  readonly #loss = new Loss()
  readonly #probes = new Map<NodeId, Probe>()
  readonly #open = new Map<number, OpenPing>()
  readonly #rttMs = new Map<NodeId, number>()
  #sequence: number

  constructor(ground: Ground, parts: ProberParts) {
    this.#ground = ground
    this.#parts = parts
    this.#sequence = Math.floor(ground.random.next() * MAX_SEQUENCE)
  }

  /** Pings and ping requests without an answer yet. */
  get openCount(): number {
    return this.#open.size
  }

  rttOf(node: NodeId): number | undefined {
    return this.#rttMs.get(node)
  }

  /** Forgets a node. */
  drop(node: NodeId): void {
    this.#end(this.#probes.get(node))
    this.#rttMs.delete(node)
  }

  /** Probes a node, unless that is under way. */
  probe(node: NodeId): void {
    if (node === this.#ground.self || this.#probes.has(node)) return
    const probe = newProbe(node)
    this.#probes.set(node, probe)
    this.#startRound(probe)
  }

  /** Pings once and does not care for the answer: it lets two sides find each other. */
  knock(node: NodeId): void {
    const to = destinationOf(this.#ground, node)
    if (to !== undefined) this.#ground.outbox.urgent(to, this.#ping(), ...this.#doubtsAbout(node))
  }

  onPing(from: NodeId, endpoint: Endpoint, { sequence }: Ping): void {
    const { outbox, membership } = this.#ground
    const to = destinationOf(this.#ground, from) ?? { node: from, endpoint }
    const digest = membership.digests.root
    const ack: Ack = { kind: 'ack', sequence, digest }
    outbox.urgent(to, ack, ...this.#doubtsAbout(from), ...this.#parts.takeNews(from))
    if (membership.announcementOf(from) === undefined) {
      outbox.urgent(to, { kind: 'want-members', nodes: [from] })
    }
  }

  onAck(from: NodeId, { sequence }: Ack): void {
    const open = this.#open.get(sequence)
    if (open === undefined || open.node !== from || !open.isDirect) return
    const rttMs = Math.max(0, this.#ground.turn.nowMs - open.sentMs)
    const known = this.#rttMs.get(from)
    this.#rttMs.set(from, known === undefined ? rttMs : known + (rttMs - known) * RTT_WEIGHT)
    this.#loss.sample(false)
    this.#succeed(open.probe)
    this.#ground.turn.emit({ kind: 'probe-answered', node: from, rttMs })
  }

  /** A relay reports. */
  onReport(from: NodeId, { sequence, isAnswered }: PingReport): void {
    const open = this.#open.get(sequence)
    if (open === undefined || open.node !== from || open.isDirect) return
    const { probe } = open
    this.#open.delete(sequence)
    probe.hasRelayReport = true
    if (isAnswered) this.#succeed(probe)
    else if (probe.silentRelays > 0) {
      probe.silentRelays--
      probe.nacks++
    }
  }

  #startRound(probe: Probe): void {
    const { outbox, turn, timers } = this.#ground
    const to = destinationOf(this.#ground, probe.node)
    if (to === undefined) {
      this.#end(probe)
      return
    }
    const ping = this.#ping()
    this.#note(ping.sequence, { node: probe.node, sentMs: turn.nowMs, probe, isDirect: true })
    outbox.urgent(to, ping, ...this.#doubtsAbout(probe.node), ...this.#parts.takeNews(probe.node))
    turn.emit({ kind: 'probe-sent', node: probe.node, isIndirect: false })
    probe.silentRelays = 0
    probe.nacks = 0
    if (probe.round > 0) this.#askRelays(probe)
    probe.timer = timers.after(this.#roundMs(probe.node), (lateMs) => this.#endRound(probe, lateMs))
  }

  #askRelays(probe: Probe): void {
    const { random, settings, outbox, turn } = this.#ground
    const candidates = [...this.#parts.relays()].filter((node) => node !== probe.node)
    for (const relay of draw(random, candidates, settings.relayCount)) {
      const to = destinationOf(this.#ground, relay)
      if (to === undefined) continue
      const sequence = this.#nextSequence()
      this.#note(sequence, { node: relay, sentMs: turn.nowMs, probe, isDirect: false })
      outbox.urgent(to, { kind: 'ping-request', sequence, subject: probe.node })
      turn.emit({ kind: 'probe-sent', node: probe.node, isIndirect: true })
      probe.silentRelays++
      probe.hasAskedRelays = true
    }
  }

  #endRound(probe: Probe, lateMs: number): void {
    const { settings, timers } = this.#ground
    if (lateMs >= settings.stallMs) {
      // this node stood still: answers may be waiting to be read
      probe.timer = timers.after(this.#roundMs(probe.node), (late) => this.#endRound(probe, late))
      return
    }
    const { pingEvidence, relayEvidence } = this.#loss
    probe.evidence += pingEvidence * (1 + probe.nacks) + relayEvidence * probe.silentRelays
    probe.round++
    if (probe.evidence < settings.doubtEvidence || probe.round < settings.minRounds) {
      this.#startRound(probe)
      return
    }
    if (probe.hasAskedRelays && !probe.hasRelayReport)
      this.#parts.health.worsen(this.#ground.turn.nowMs)
    this.#ground.turn.emit({ kind: 'probe-missed', node: probe.node })
    this.#end(probe)
    this.#parts.accuse(probe.node)
  }

  /** The node lives; the rounds before were lost. */
  #succeed(probe: Probe): void {
    if (this.#probes.get(probe.node) !== probe) return
    const wasSilent = this.#ground.membership.suspicionOf(probe.node) !== undefined
    // who was cut off or dead was not unheard by loss
    if (!wasSilent) for (let round = 0; round < probe.round; round++) this.#loss.sample(true)
    this.#parts.health.improve(this.#ground.turn.nowMs)
    this.#end(probe)
  }

  #end(probe: Probe | undefined): void {
    if (probe === undefined) return
    probe.timer?.cancel()
    for (const sequence of probe.sequences) this.#open.delete(sequence)
    if (this.#probes.get(probe.node) === probe) this.#probes.delete(probe.node)
  }

  #roundMs(node: NodeId): number {
    const { minRoundMs, maxRoundMs } = this.#ground.settings
    const rttMs = this.#rttMs.get(node) ?? 0
    const roundMs = Math.min(maxRoundMs, Math.max(minRoundMs, ROUND_RTTS * rttMs))
    return roundMs * this.#parts.health.factor
  }

  #note(sequence: number, open: OpenPing): void {
    this.#open.set(sequence, open)
    open.probe.sequences.push(sequence)
  }

  #ping(): Ping {
    const digest = this.#ground.membership.digests.root
    return { kind: 'ping', sequence: this.#nextSequence(), digest }
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) % MAX_SEQUENCE
    return this.#sequence
  }

  /** A suspect is told, so that it can refute. */
  #doubtsAbout(node: NodeId): readonly Message[] {
    return this.#ground.membership.suspicionOf(node)?.accusations.slice(0, 1) ?? []
  }
}
