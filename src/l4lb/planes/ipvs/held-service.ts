/** One of our services, with what is derived from it once. */
import type { IpvsDestination, IpvsService, ObservedIpvsService } from '../../../kernel/ipvs.ts'
import {
  formOfObserved,
  isLeavingService,
  isRefusal,
  renderForm,
  type ServiceForm,
} from './service-form.ts'

/** A service as it is held in memory. */
export class HeldService {
  readonly form: ServiceForm
  #signature: string | undefined
  /** `null`: it is not to be shown. */
  #rendering: string | null | undefined

  constructor(form: ServiceForm) {
    this.form = form
  }

  static of(observed: ObservedIpvsService): HeldService {
    return new HeldService(formOfObserved(observed))
  }

  /** Equal for equal services, whatever the order of their destinations. */
  get signature(): string {
    const { service, destinations } = this.form
    this.#signature ??= signatureOf(service, [...destinations.values()])
    return this.#signature
  }

  /** Undefined when it takes no connection, and is there only for those that it has. */
  get rendering(): string | undefined {
    this.#rendering ??= isGone(this.form) ? null : renderForm(this.form)
    return this.#rendering ?? undefined
  }
}

/** All that a plane writes of a service, as text that is cheap to make. */
export function signatureOf(
  service: IpvsService,
  destinations: readonly IpvsDestination[],
): string {
  const { scheduler, schedulerFlags, isPersistent, isOnePacket } = service
  const { persistenceSeconds, persistencePrefix } = service
  const own = `${scheduler} ${schedulerFlags} ${isPersistent} ${isOnePacket} ${persistenceSeconds} ${persistencePrefix}`
  return [own, ...destinations.map(signatureOfDestination).sort()].join()
}

function signatureOfDestination(destination: IpvsDestination): string {
  const { address, port, forwarding, weight, upperThreshold, lowerThreshold } = destination
  return `${address} ${port} ${forwarding} ${weight} ${upperThreshold} ${lowerThreshold}`
}

function isGone({ service, destinations }: ServiceForm): boolean {
  if (!isLeavingService(service)) return false
  const takers = [...destinations.values()].filter(({ weight }) => weight > 0)
  return takers.every((each) => isRefusal(service, each))
}

/** Whether both are the same service without its destinations. */
export function isSameService(one: IpvsService, other: IpvsService): boolean {
  return signatureOf(one, []) === signatureOf(other, [])
}

/** Whether both are the same destination. */
export function isSameDestination(one: IpvsDestination, other: IpvsDestination): boolean {
  return signatureOfDestination(one) === signatureOfDestination(other)
}
