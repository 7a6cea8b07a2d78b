/** One line per thing that happens, for `--trace`. */
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import type { Message } from '../../src/gossip/engine/messages.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { Host } from './host.ts'
import type { Simulation, Watcher } from './simulation.ts'

/** Prints the steps of a simulation. */
export class Trace implements Watcher {
  readonly #simulation: Simulation
  readonly #nameOf: (node: NodeId) => string
  readonly #print: (line: string) => void

  constructor(
    simulation: Simulation,
    { nameOf, print }: { nameOf: (node: NodeId) => string; print: (line: string) => void },
  ) {
    this.#simulation = simulation
    this.#nameOf = nameOf
    this.#print = print
  }

  say(text: string): void {
    this.#print(`${this.#simulation.nowMs.toFixed(3).padStart(12)} ${text}`)
  }

  onStarted(host: Host): void {
    this.say(`${host} starts, life ${host.life}, ${host.endpoint.address} ${host.node}`)
  }

  onStopped(host: Host): void {
    this.say(`${host} stops`)
  }

  onHandled(host: Host, input: EngineInput, effects: readonly Effect[]): void {
    if (input.kind === 'received') {
      const kinds = input.messages.map((message) => this.#messageText(message))
      this.say(`${host} ← ${this.#nameOf(input.from)}: ${kinds.join(', ')}`)
    } else this.say(`${host} ${input.kind}`)
    for (const effect of effects) this.#sayEffect(host, effect)
  }

  #sayEffect(host: Host, effect: Effect): void {
    switch (effect.kind) {
      case 'event': {
        const fields = Object.entries(effect.event).map(([name, value]) =>
          name === 'kind' ? value : `${name}=${this.#nameOf(value as NodeId)}`,
        )
        this.say(`${host}   ! ${fields.join(' ')}`)
        return
      }
      case 'send': {
        const to = effect.to.node === undefined ? effect.to.endpoint.address : effect.to.node
        const kinds = effect.messages.map((message) => this.#messageText(message))
        this.say(
          `${host} ${effect.channel === 'stream' ? '⇒' : '→'} ${this.#nameOf(to as NodeId)}: ${kinds.join(', ')}`,
        )
        return
      }
      case 'members':
        for (const [node, member] of effect.changes) {
          const text =
            member === undefined
              ? 'gone'
              : `${member.state} @${member.incarnation} held ${member.heldVersion}/${member.knownVersion}`
          this.say(`${host}   member ${this.#nameOf(node)} ${text}`)
        }
        return
      case 'records':
        for (const [id, record] of effect.changes) {
          const owner = this.#nameOf(id.slice(0, 32) as NodeId)
          this.say(`${host}   record ${owner}${id.slice(32)} ${record?.version ?? 'gone'}`)
        }
        return
      case 'complete':
        this.say(`${host}   complete`)
    }
  }

  #messageText(message: Message): string {
    const name = this.#nameOf
    switch (message.kind) {
      case 'announcement':
        return `announcement(${name(message.node)}@${message.incarnation}${message.isLeaving ? ' leaves' : ''})`
      case 'accusation':
        return `accusation(${name(message.accuser)}: ${name(message.subject)}@${message.incarnation})`
      case 'eviction':
        return `eviction(${name(message.issuer)}: ${name(message.subject)}@${message.incarnation})`
      case 'delta':
        return `delta(${name(message.head.node)} ${message.from}–${message.through} of ${message.head.version}, floor ${message.head.floor}, ${message.records.length} records)`
      case 'have':
        return `have(${message.entries.map((e) => `${name(e.node)}:${e.version}`)})`
      case 'want':
        return `want(${message.isGraft ? 'graft ' : ''}${message.entries.map((e) => `${name(e.node)}:${e.held}`)})`
      case 'want-members':
        return `want-members(${message.nodes.map(name)})`
      case 'ping-request':
        return `ping-request(${name(message.subject)})`
      case 'sync-rows':
        return `sync-rows(${message.rows.length})`
      case 'welcome':
        return `welcome(${message.announcements.map((a) => name(a.node))})`
      default:
        return message.kind
    }
  }
}
