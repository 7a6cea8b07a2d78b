/**
 * Who wants to be served under one address, port and protocol: more than one where a literal VIP
 * is the address of a named one, or where a name has an address that another had before.
 */
import { NavstarError } from '../../base/error.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'

/**
 * One VIP as users name it, over all its ports: `address:10.1.2.3`, `named:web.marathon`, or
 * `was:web.marathon` for the latter at addresses that it had before.
 */
export type GroupKey = string

/** The services of a group. */
export type GroupServices = ReadonlyMap<ServiceKey, Service>

/** The first in the order of the text is served, so that former addresses come last. */
export class ServiceClaimants {
  readonly #byService = new Map<ServiceKey, Map<GroupKey, Service>>()
  readonly #collisions = new Map<ServiceKey, NavstarError>()

  /** Services that more than one present VIP wants. */
  get problems(): Iterable<NavstarError> {
    return this.#collisions.values()
  }

  /** The service that is served under this key. */
  served(key: ServiceKey): Service | undefined {
    const claimants = this.#byService.get(key)
    if (claimants === undefined) return undefined
    const [first] = claimants.size === 1 ? claimants.keys() : [...claimants.keys()].sort()
    return first === undefined ? undefined : claimants.get(first)
  }

  /**
   * Replaces what a group wants to be served.
   *
   * @param before receives what was served under each key that may change
   */
  replace(
    group: GroupKey,
    services: { readonly old: GroupServices; readonly new: GroupServices },
    before: Map<ServiceKey, Service | undefined>,
  ): void {
    for (const key of new Set([...services.old.keys(), ...services.new.keys()])) {
      if (!before.has(key)) before.set(key, this.served(key))
      this.#set(key, group, services.new.get(key))
    }
  }

  /** Notes whether present VIPs share the service. */
  noteCollision(key: ServiceKey): void {
    const all = [...(this.#byService.get(key)?.keys() ?? [])]
    const present = all.filter((group) => !group.startsWith('was:')).sort()
    if (present.length < 2) {
      this.#collisions.delete(key)
      return
    }
    const losers = present.slice(1).map((group) => group.slice(group.indexOf(':') + 1))
    const attempt = `serve ${key} for ${losers.join(', ')}`
    this.#collisions.set(key, new NavstarError('VIP_ADDRESS_COLLISION', { attempt }))
  }

  #set(key: ServiceKey, group: GroupKey, service: Service | undefined): void {
    const claimants = this.#byService.get(key) ?? new Map<GroupKey, Service>()
    if (service === undefined) claimants.delete(group)
    else claimants.set(group, service)
    if (claimants.size === 0) this.#byService.delete(key)
    else this.#byService.set(key, claimants)
  }
}
