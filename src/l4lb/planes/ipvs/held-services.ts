/** Our services: what was read last plus our confirmed writes. */

import { endOfTurn } from '../../../base/turn.ts'
import type {
  Ipvs,
  IpvsDestination,
  IpvsOperation,
  ObservedIpvsDestination,
  ObservedIpvsService,
} from '../../../kernel/ipvs.ts'
import type { OperationResult } from '../../../kernel/operation.ts'
import type { Ip } from '../../../model/ip.ts'
import { parseServiceKey, type Service, type ServiceKey } from '../../../model/vip.ts'
import { HeldService, isSameDestination, isSameService, signatureOf } from './held-service.ts'
import {
  formOf,
  isLeaving,
  isLeavingService,
  isRefusal,
  leaving,
  leavingForm,
  ownKey,
  type ServiceForm,
} from './service-form.ts'

/** The operations of one change, and what is true once they are done. */
export interface IpvsChange {
  /** The service itself. Only when the kernel took them may the others follow: it may be another's. */
  readonly first: readonly IpvsOperation[]
  /** Its destinations. */
  readonly destinations: readonly IpvsOperation[]
  readonly confirm: () => void
}

/** What {@link HeldServices.compare} found. */
export interface Comparison {
  /** Whether what was read serves as what is held does. */
  readonly isSame: boolean
  /** Holds what was read. */
  readonly adopt: () => void
}

/** About a millisecond of work. */
const SERVICES_PER_TURN = 200

/** The services that carry our mark. */
export class HeldServices {
  #held = new Map<ServiceKey, HeldService>()

  /** Renderings of what is held and not about to go. */
  renderings(): Map<ServiceKey, string> {
    const renderings = new Map<ServiceKey, string>()
    for (const [key, { rendering }] of this.#held) {
      if (rendering !== undefined) renderings.set(key, rendering)
    }
    return renderings
  }

  /** Addresses of all of them, also of those that are about to go. */
  addresses(): Set<Ip> {
    const addresses = new Set<Ip>()
    for (const { form } of this.#held.values()) {
      if (form.service.key.kind === 'address') addresses.add(form.service.key.address)
    }
    return addresses
  }

  /** Compares what was read with what is held, some services in a turn of the event loop. */
  async compare(observed: readonly ObservedIpvsService[]): Promise<Comparison> {
    const found = new Map<ServiceKey, HeldService>()
    let isSame = true
    for (const [index, service] of observed.entries()) {
      const key = ownKey(service)
      if (key === undefined) continue
      const held = this.#held.get(key)
      const isKept = held?.signature === signatureOf(service, service.destinations)
      const now = held !== undefined && isKept ? held : HeldService.of(service)
      if (!isKept && held?.rendering !== now.rendering) isSame = false
      found.set(key, now)
      if (index % SERVICES_PER_TURN === SERVICES_PER_TURN - 1) await endOfTurn()
    }
    for (const [key, { rendering }] of this.#held) {
      if (rendering !== undefined && !found.has(key)) isSame = false
    }
    const adopt = () => {
      this.#held = found
    }
    return { isSame, adopt }
  }

  /**
   * The change that makes the service exist with its backends. New ones come before others go; a
   * backend that goes keeps its TCP connections, and leaves once it has none.
   */
  put(key: ServiceKey, service: Service): IpvsChange {
    const change = changeForm(this.#held.get(key)?.form, formOf(service))
    return { ...change, confirm: () => this.#held.set(key, new HeldService(change.result)) }
  }

  /** The change that makes the service not exist; its TCP connections go on. */
  remove(key: ServiceKey): IpvsChange {
    const held = this.#held.get(key)?.form
    if (held === undefined) return { first: [], destinations: [], confirm: () => undefined }
    const members = [...held.destinations.values()].filter((each) => !isRefusal(held.service, each))
    if (parseServiceKey(key).protocol === 'udp' || members.length === 0) {
      const removal = { kind: 'deleteService', key: held.service.key } as const
      return { first: [removal], destinations: [], confirm: () => this.#held.delete(key) }
    }
    const change = changeForm(held, leavingForm(held))
    return { ...change, confirm: () => this.#held.set(key, new HeldService(change.result)) }
  }
}

/** The operations from one form to another. New destinations come before others drain or go. */
export function changeForm(
  held: ServiceForm | undefined,
  wanted: ServiceForm,
): Omit<IpvsChange, 'confirm'> & { readonly result: ServiceForm } {
  const { key } = wanted.service
  const additions: IpvsOperation[] = []
  const drains: IpvsOperation[] = []
  for (const [text, destination] of wanted.destinations) {
    const before = held?.destinations.get(text)
    if (before !== undefined && isSameDestination(before, destination)) continue
    const kind = before === undefined ? 'newDestination' : 'setDestination'
    const operations = destination.weight > 0 ? additions : drains
    operations.push({ kind, key, destination })
  }
  const gone = goneOf(held, wanted)
  return {
    first: serviceOperations(held, wanted),
    destinations: [...additions, ...drains, ...gone.operations],
    result: { ...wanted, destinations: new Map([...wanted.destinations, ...gone.kept]) },
  }
}

/** What takes away what only waited for its connections, and has none any more. */
export function sweepOperations(observed: readonly ObservedIpvsService[]): IpvsOperation[] {
  return observed.flatMap((service): IpvsOperation[] => {
    const { key, destinations } = service
    if (!isLeavingService(service) && !destinations.some(isLeaving)) return []
    const members = destinations.filter((each) => !isRefusal(service, each))
    const isGoing = isLeavingService(service)
    const idle = members.filter((each) => isIdle(each) && (isLeaving(each) || isGoing))
    if (isGoing && idle.length === members.length) return [{ kind: 'deleteService', key }]
    return idle.map((endpoint) => ({ kind: 'deleteDestination', key, endpoint }))
  })
}

/** Whether it takes no connection, and none is known in whatever state. */
function isIdle(destination: ObservedIpvsDestination): boolean {
  const { weight, activeConnections, inactiveConnections, persistentConnections } = destination
  return weight + activeConnections + inactiveConnections + persistentConnections === 0
}

/** Our services as read. @throws NavstarError `KERNEL_READ_FAILED` */
export async function observeOwn(ipvs: Ipvs): Promise<readonly ObservedIpvsService[]> {
  return (await ipvs.observe()).filter((service) => ownKey(service) !== undefined)
}

function serviceOperations(held: ServiceForm | undefined, wanted: ServiceForm): IpvsOperation[] {
  if (held === undefined) return [{ kind: 'newService', service: wanted.service }]
  if (isSameService(held.service, wanted.service)) return []
  return [{ kind: 'setService', service: wanted.service }]
}

/** What becomes of destinations that are not wanted, and those that stay in the kernel. */
function goneOf(held: ServiceForm | undefined, wanted: ServiceForm) {
  const { key } = wanted.service
  const isDatagram = key.kind === 'address' && key.protocol === 'udp'
  const operations: IpvsOperation[] = []
  const kept = new Map<string, IpvsDestination>()
  for (const [text, destination] of held?.destinations ?? []) {
    if (wanted.destinations.has(text)) continue
    const isSpare = isDatagram || isRefusal(wanted.service, destination)
    if (isSpare || destination.forwarding !== 'masquerade') {
      operations.push({ kind: 'deleteDestination', key, endpoint: destination })
      continue
    }
    kept.set(text, leaving(destination))
    if (isLeaving(destination)) continue
    operations.push({ kind: 'setDestination', key, destination: leaving(destination) })
  }
  return { operations, kept }
}

/** Deleting what is not there is done. */
export function isGoneAlready({ kind }: IpvsOperation, { name }: OperationResult): boolean {
  return name === (kind === 'deleteDestination' ? 'ENOENT' : kind === 'deleteService' && 'ESRCH')
}
