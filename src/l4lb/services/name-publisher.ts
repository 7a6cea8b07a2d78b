/** Publishes the names of VIPs whose services the kernel has: DNS comes last. */
import { Table } from '../../base/table.ts'
import { familyOf, type Ip } from '../../model/ip.ts'
import type { NameRecord } from '../../model/name-record.ts'
import { type Service, type ServiceKey, serviceKeyOf } from '../../model/vip.ts'

/** Follows which services are served. */
export class NamePublisher {
  /** Names with the addresses of their served services. */
  readonly names: Table<string, NameRecord> = new Table()
  readonly #services = new Map<ServiceKey, Service>()
  readonly #keysByName = new Map<string, Set<ServiceKey>>()

  /** The services are served as given; undefined: no more. */
  publish(changes: Iterable<readonly [ServiceKey, Service | undefined]>): void {
    const names = new Set<string>()
    for (const [key, service] of changes) {
      const previous = this.#services.get(key)
      if (previous === service) continue
      if (previous?.name !== undefined && previous.name !== service?.name) {
        this.#keysByName.get(previous.name)?.delete(key)
        names.add(previous.name)
      }
      if (service === undefined) this.#services.delete(key)
      else this.#add(service, previous, names)
    }
    this.names.update([...names].map((name) => [name, this.#recordOf(name)] as const))
  }

  /** From now on a name that is not in the table does not exist. */
  complete(): void {
    this.names.update([], true)
  }

  #add(service: Service, previous: Service | undefined, names: Set<string>): void {
    const key = serviceKeyOf(service)
    this.#services.set(key, service)
    if (service.name === undefined) return
    if (service.name === previous?.name && service.isFormer === previous.isFormer) return
    const keys = this.#keysByName.get(service.name) ?? new Set()
    this.#keysByName.set(service.name, keys.add(key))
    names.add(service.name)
  }

  #recordOf(name: string): NameRecord | undefined {
    const keys = [...(this.#keysByName.get(name) ?? [])]
    const services = keys
      .map((key) => this.#services.get(key))
      .filter((service) => service !== undefined)
    const addresses = [4, 6].flatMap((family) => addressesOf(services, family))
    if (addresses.length > 0) return { name, addresses }
    this.#keysByName.delete(name)
    return undefined
  }
}

/** An address that the name had before is told only until the kernel has the new one. */
function addressesOf(services: readonly Service[], family: number): readonly Ip[] {
  const fitting = services.filter(({ address }) => familyOf(address) === family)
  const present = fitting.filter(({ isFormer }) => isFormer !== true)
  const told = present.length > 0 ? present : fitting
  return [...new Set(told.map(({ address }) => address))].sort()
}
