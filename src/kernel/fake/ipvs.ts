/**
 * The IPVS of a network namespace in memory, for tests, with the kernel's refusals. The contract
 * suite runs against it and against the kernel.
 *
 * Not modelled: packets; {@link FakeIpvs.count} says what they would have counted.
 */
import { NavstarError } from '../../base/error.ts'
import type {
  Ipvs,
  IpvsEndpoint,
  IpvsInformation,
  IpvsKey,
  IpvsOperation,
  IpvsService,
  IpvsStatistics,
  IpvsTimeouts,
  ObservedIpvsDestination,
  ObservedIpvsService,
} from '../ipvs.ts'
import { textOfIpvsEndpoint, textOfIpvsKey } from '../ipvs.ts'
import type { OperationResult } from '../operation.ts'
import { ERRNOS, type Refusal, refusalOfDestination, refusalOfService } from './ipvs-refusal.ts'

interface HeldService {
  readonly service: IpvsService
  readonly statistics: IpvsStatistics
  readonly destinations: Map<string, ObservedIpvsDestination>
}

/** What a test says that packets counted. */
export type FakeIpvsCounts = Partial<
  Pick<
    ObservedIpvsDestination,
    'activeConnections' | 'inactiveConnections' | 'persistentConnections'
  > &
    IpvsStatistics
>

const NO_STATISTICS: IpvsStatistics = {
  connections: 0,
  incomingPackets: 0,
  outgoingPackets: 0,
  incomingBytes: 0,
  outgoingBytes: 0,
  connectionsPerSecond: 0,
  incomingPacketsPerSecond: 0,
  outgoingPacketsPerSecond: 0,
  incomingBytesPerSecond: 0,
  outgoingBytesPerSecond: 0,
}

/** The kernel counts time in ticks of a signed 32-bit number; this holds for 100 a second. */
const MOST_SECONDS = Math.floor(0x7fffffff / 100)

/** The services of a namespace. */
export class FakeIpvs implements Ipvs {
  readonly #services = new Map<string, HeldService>()
  #timeouts: IpvsTimeouts = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 }

  async information(): Promise<IpvsInformation> {
    return { version: '1.2.1', connectionTableSize: 4096 }
  }

  async observe(): Promise<readonly ObservedIpvsService[]> {
    return [...this.#services.values()].map(({ service, statistics, destinations }) => ({
      ...service,
      statistics,
      destinations: [...destinations.values()],
    }))
  }

  async apply(operations: readonly IpvsOperation[]): Promise<readonly OperationResult[]> {
    return operations.map((operation) => resultOf(this.#applyOne(operation)))
  }

  async timeouts(): Promise<IpvsTimeouts> {
    return this.#timeouts
  }

  async setTimeouts(changes: Partial<IpvsTimeouts>): Promise<void> {
    const meant = Object.entries(changes).filter(([, seconds]) => seconds !== 0)
    if (meant.some(([, seconds]) => seconds > MOST_SECONDS)) {
      throw new NavstarError('KERNEL_OPERATION_FAILED', {
        attempt: 'set IPVS timeouts',
        cause: 'EINVAL (22)',
      })
    }
    this.#timeouts = { ...this.#timeouts, ...Object.fromEntries(meant) }
  }

  /** Sets what packets to a destination counted. */
  count(key: IpvsKey, endpoint: IpvsEndpoint, counts: FakeIpvsCounts): void {
    const destinations = this.#services.get(textOfIpvsKey(key))?.destinations
    const name = textOfIpvsEndpoint(endpoint)
    const before = destinations?.get(name)
    if (before === undefined) return
    const {
      activeConnections = before.activeConnections,
      inactiveConnections = before.inactiveConnections,
      persistentConnections = before.persistentConnections,
      ...statistics
    } = counts
    destinations?.set(name, {
      ...before,
      activeConnections,
      inactiveConnections,
      persistentConnections,
      statistics: { ...before.statistics, ...statistics },
    })
  }

  #applyOne(operation: IpvsOperation): Refusal | undefined {
    const key = 'service' in operation ? operation.service.key : operation.key
    const held = this.#services.get(textOfIpvsKey(key))
    if (operation.kind === 'newService') return this.#newService(operation.service, held)
    if (held === undefined) return 'ESRCH'
    if ('service' in operation) return this.#setService(operation.service, held)
    if ('destination' in operation) return putDestination(held, operation)
    if ('endpoint' in operation) {
      const name = textOfIpvsEndpoint(operation.endpoint)
      return held.destinations.delete(name) ? undefined : 'ENOENT'
    }
    this.#services.delete(textOfIpvsKey(key))
    return undefined
  }

  #setService(service: IpvsService, held: HeldService): Refusal | undefined {
    const refusal = refusalOfService(service)
    if (refusal === undefined) this.#hold({ ...held, service })
    return refusal
  }

  #newService(service: IpvsService, held: HeldService | undefined): Refusal | undefined {
    if (held !== undefined) return 'EEXIST'
    const refusal = refusalOfService(service)
    if (refusal !== undefined) return refusal
    this.#hold({ service, statistics: NO_STATISTICS, destinations: new Map() })
    return undefined
  }

  #hold(service: HeldService): void {
    this.#services.set(textOfIpvsKey(service.service.key), service)
  }
}

function putDestination(
  { service, destinations }: HeldService,
  { kind, destination }: Extract<IpvsOperation, { destination: unknown }>,
): Refusal | undefined {
  const name = textOfIpvsEndpoint(destination)
  const before = destinations.get(name)
  const refusal = refusalOfDestination(service, destination, {
    kind,
    isKnown: before !== undefined,
  })
  if (refusal !== undefined) return refusal
  destinations.set(name, {
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
    statistics: NO_STATISTICS,
    ...before,
    ...destination,
  })
  return undefined
}

function resultOf(refusal: Refusal | undefined): OperationResult {
  if (refusal === undefined) return { errno: 0, name: 'OK', applied: true }
  return { errno: ERRNOS[refusal], name: refusal, applied: false, message: 'refused by the fake' }
}
