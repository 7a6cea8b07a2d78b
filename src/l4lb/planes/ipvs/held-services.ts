/** Our services: what was read last plus our confirmed writes. */
import type {
  Ipvs,
  IpvsDestination,
  IpvsOperation,
  ObservedIpvsDestination,
  ObservedIpvsService,
} from '../../../kernel/ipvs.ts'
import type { Ip } from '../../../model/ip.ts'
import { parseServiceKey, type Service, type ServiceKey } from '../../../model/vip.ts'
import { canonical } from '../canonical.ts'
import {
  formOf,
  formOfObserved,
  isLeaving,
  isLeavingService,
  isRefusal,
  leaving,
  leavingForm,
  ownKey,
  renderForm,
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

/** The services that carry our mark. */
export class HeldServices {
  #held = new Map<ServiceKey, ServiceForm>()

  /** Renderings of what is held and not about to go. */
  renderings(): Map<ServiceKey, string> {
    return renderingsOf(this.#held)
  }

  /** Addresses of all of them, also of those that are about to go. */
  addresses(): Set<Ip> {
    return new Set([...this.#held.keys()].map((key) => parseServiceKey(key).address))
  }

  /** Starts from what was read. */
  reset(observed: readonly ObservedIpvsService[]): void {
    this.#held = formsOf(observed)
  }

  /** Whether what was read serves as what is held does. */
  equals(observed: readonly ObservedIpvsService[]): boolean {
    const found = renderingsOf(formsOf(observed))
    const held = this.renderings()
    return found.size === held.size && [...found].every(([key, text]) => held.get(key) === text)
  }

  /**
   * The change that makes the service exist with its backends. New ones come before others go; a
   * backend that goes keeps its TCP connections, and leaves once it has none.
   */
  put(key: ServiceKey, service: Service): IpvsChange {
    const change = changeForm(this.#held.get(key), formOf(service))
    return { ...change, confirm: () => this.#held.set(key, change.result) }
  }

  /** The change that makes the service not exist; its TCP connections go on. */
  remove(key: ServiceKey): IpvsChange {
    const held = this.#held.get(key)
    if (held === undefined) return { first: [], destinations: [], confirm: () => undefined }
    const members = [...held.destinations.values()].filter((each) => !isRefusal(held.service, each))
    if (parseServiceKey(key).protocol === 'udp' || members.length === 0) {
      const removal = { kind: 'deleteService', key: held.service.key } as const
      return { first: [removal], destinations: [], confirm: () => this.#held.delete(key) }
    }
    const change = changeForm(held, leavingForm(held))
    return { ...change, confirm: () => this.#held.set(key, change.result) }
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
    if (before !== undefined && isSame(before, destination)) continue
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
    if (ownKey(service) === undefined) return []
    const { key, destinations } = service
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

function formsOf(observed: readonly ObservedIpvsService[]): Map<ServiceKey, ServiceForm> {
  return new Map(
    observed.flatMap((service) => {
      const key = ownKey(service)
      return key === undefined ? [] : [[key, formOfObserved(service)] as const]
    }),
  )
}

function renderingsOf(forms: ReadonlyMap<ServiceKey, ServiceForm>): Map<ServiceKey, string> {
  return new Map(
    [...forms].filter(([, form]) => !isGone(form)).map(([key, form]) => [key, renderForm(form)]),
  )
}

/** Whether it takes no connection, and is there only for those that it has. */
function isGone({ service, destinations }: ServiceForm): boolean {
  const takers = [...destinations.values()].filter(({ weight }) => weight > 0)
  return isLeavingService(service) && takers.every((each) => isRefusal(service, each))
}

function serviceOperations(held: ServiceForm | undefined, wanted: ServiceForm): IpvsOperation[] {
  if (held === undefined) return [{ kind: 'newService', service: wanted.service }]
  if (isSame(held.service, wanted.service)) return []
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

function isSame(one: object, other: object): boolean {
  return canonical(one) === canonical(other)
}
