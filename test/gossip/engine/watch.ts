/** The parts of a node that probe, on a stand, with peers that can be asked to ping. */
import { LocalHealth } from '../../../src/gossip/engine/detection/local-health.ts'
import { Prober } from '../../../src/gossip/engine/detection/prober.ts'
import type { Have, Message } from '../../../src/gossip/engine/messages.ts'
import type { EngineSettings } from '../../../src/gossip/engine/settings.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { Stand } from './stand.ts'

/** What becomes of a ping request: the relay reports so, or says nothing. */
export type RelayMood = 'answered' | 'unanswered' | 'silent'

/** A node that watches `subject`, with relays beside it. */
export class Watch {
  readonly stand: Stand
  readonly subject: NodeId
  readonly relays: readonly NodeId[]
  readonly health: LocalHealth = new LocalHealth()
  readonly prober: Prober
  readonly accused: { readonly node: NodeId; readonly atMs: number }[] = []
  news: Have[] = []

  constructor(relayCount: number, settings: Partial<EngineSettings> = {}) {
    this.stand = new Stand('self', settings)
    const names = Array.from({ length: relayCount }, (_, number) => `relay ${number}`)
    const [subject = this.stand.ground.self, ...relays] = this.stand.meet('subject', ...names)
    this.subject = subject
    this.relays = relays
    this.prober = new Prober(this.stand.ground, {
      health: this.health,
      takeNews: () => this.news.splice(0),
      relays: () => [subject, ...relays],
      accuse: (node) => this.accused.push({ node, atMs: this.stand.nowMs }),
    })
  }

  probe(): void {
    this.stand.call(() => this.prober.probe(this.subject))
  }

  /** The subject answers a ping. */
  answer(sequence: number, from: NodeId = this.subject): void {
    const digest = { high: 0, low: 0 }
    this.stand.call(() => this.prober.onAck(from, { kind: 'ack', sequence, digest }))
  }

  /** Lets time pass, while relays report at once as they are in the mood to. */
  pass(durationMs: number, mood: RelayMood): Message[] {
    const sent: Message[] = []
    for (let ms = 0; ms < durationMs; ms++) {
      this.stand.pass(1)
      const requests = this.stand.take('ping-request')
      sent.push(...this.stand.sent.splice(0).map(({ message }) => message))
      for (const { to, message } of requests) {
        sent.push(message)
        if (mood === 'silent') continue
        const { sequence } = message
        const report = { kind: 'ping-report', sequence, isAnswered: mood === 'answered' } as const
        this.stand.call(() => this.prober.onReport(to as NodeId, report))
      }
    }
    return sent
  }
}
