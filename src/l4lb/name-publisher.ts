/** Publishes the names of VIPs whose services the kernel has: DNS comes last. */
import { Table } from '../base/table.ts'
import type { Ip } from '../model/ip.ts'
import type { NameRecord } from '../model/name-record.ts'
import { type Service, type ServiceKey, serviceKeyOf } from '../model/vip.ts'

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
      else this.#add(service, previous?.name, names)
    }
    this.names.update([...names].map((name) => [name, this.#recordOf(name)] as const))
  }

  /** From now on a name that is not in the table does not exist. */
  complete(): void {
    this.names.update([], true)
  }

  #add(service: Service, previousName: string | undefined, names: Set<string>): void {
    const key = serviceKeyOf(service)
    this.#services.set(key, service)
    if (service.name === undefined || service.name === previousName) return
    const keys = this.#keysByName.get(service.name) ?? new Set()
    this.#keysByName.set(service.name, keys.add(key))
    names.add(service.name)
  }

  #recordOf(name: string): NameRecord | undefined {
    const keys = [...(this.#keysByName.get(name) ?? [])]
    const services = keys
      .map((key) => this.#services.get(key))
      .filter((service) => service !== undefined)
    const addresses: readonly Ip[] = [...new Set(services.map(({ address }) => address))].sort()
    if (addresses.length > 0) return { name, addresses }
    this.#keysByName.delete(name)
    return undefined
  }
}
