/** Which backends' flows end, and when: from what is held and what was just done. */
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Conntrack } from '../../../kernel/conntrack.ts'
import {
  formatEndpoint,
  parseServiceKey,
  type Service,
  type ServiceKey,
} from '../../../model/vip.ts'
import type { Drain } from '../../../model/vip-options.ts'
import type { PlaneOperation } from '../../plane.ts'
import { FlowEndings } from './flow-endings.ts'
import type { HeldBackends, HeldServices } from './held-services.ts'
import { membersOf } from './left-members.ts'
import type { Member } from './observe.ts'

/** What {@link Endings} works with. */
export interface EndingsParts {
  readonly conntrack: Conntrack
  readonly services: HeldServices
  readonly clock: Clock
  readonly log: Log
}

/** Follows the services of a plane. */
export class Endings {
  readonly #services: HeldServices
  readonly #flows: FlowEndings
  #isFirst = true

  constructor({ services, ...parts }: EndingsParts) {
    this.#services = services
    this.#flows = new FlowEndings({
      ...parts,
      serviceOf: (key) => serviceOf(key, services.backendsOf(key)),
      onEnded: (members) => services.left.finish(members),
    })
  }

  /**
   * After the maps were read. A daemon that just started takes over the draining backends, whose time
   * begins anew, and ends what the one before it could not.
   */
  noteObserved(): void {
    this.#endLeft()
    if (!this.#isFirst) return
    this.#isFirst = false
    for (const key of this.#services.keys()) {
      this.#drainOf(key)
      if (isDatagrams(key)) this.#flows.suspect(key)
    }
  }

  /** Before operations are carried out: a backend that comes back must not lose its first flows. */
  noteApplying(operations: readonly PlaneOperation[]): void {
    for (const operation of operations) {
      if (operation.kind !== 'put') continue
      const active = operation.service.backends.filter(({ weight }) => weight > 0)
      for (const member of membersOf(operation.key, active)) this.#flows.cancel(member)
    }
  }

  /** After operations were carried out. */
  noteApplied(operations: readonly PlaneOperation[]): void {
    const { departures, unsure } = this.#services.takeDepartures()
    for (const operation of operations) {
      if (operation.kind === 'put') this.#drainOf(operation.key)
    }
    for (const { member, drain } of departures) this.#end(member, drain)
    for (const key of unsure) if (isDatagrams(key)) this.#flows.suspect(key)
  }

  close(): void {
    this.#flows.close()
  }

  #drainOf(key: ServiceKey): void {
    const { draining = [], drain = 'graceful' } = this.#services.drainageOf(key) ?? {}
    for (const member of membersOf(key, draining)) {
      if (drain === 'graceful') this.#flows.cancel(member)
      else this.#flows.schedule(member, delayOf(drain))
    }
  }

  /**
   * What an earlier daemon recorded, or what was called off for a change that then failed. A backend is
   * none that left, whoever recorded it.
   */
  #endLeft(): void {
    const { left } = this.#services
    for (const member of left.open().filter((each) => !this.#flows.has(each))) {
      const held = this.#services.backendsOf(member.key)
      if (isBackend(member, held)) left.finish([member])
      else this.#end(member, held?.drain ?? 'reset')
    }
  }

  #end(member: Member, drain: Drain): void {
    const isAtOnce = isDatagrams(member.key) || drain === 'graceful'
    this.#flows.schedule(member, isAtOnce ? 0 : delayOf(drain))
  }
}

function isDatagrams(key: ServiceKey): boolean {
  return parseServiceKey(key).protocol === 'udp'
}

function delayOf(drain: Exclude<Drain, 'graceful'>): number {
  return drain === 'reset' ? 0 : drain * 1_000
}

function isBackend({ backend }: Member, held: HeldBackends | undefined): boolean {
  const text = formatEndpoint(backend)
  return [...(held?.active ?? []), ...(held?.draining ?? [])].some(
    (each) => formatEndpoint(each) === text,
  )
}

function serviceOf(key: ServiceKey, held: HeldBackends | undefined): Service {
  const backends = [...(held?.active ?? []), ...(held?.draining ?? [])]
  return { ...parseServiceKey(key), backends: backends.map((each) => ({ ...each, weight: 1 })) }
}
