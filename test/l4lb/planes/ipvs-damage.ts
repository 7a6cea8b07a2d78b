/** What others do to our services, and to what they stand on. */
import fc from 'fast-check'
import {
  type IpvsOperation,
  ipvsDestination,
  ipvsService,
  type ObservedIpvsService,
} from '../../../src/kernel/ipvs.ts'
import { ROUTE_PROTOCOL } from '../../../src/l4lb/planes/ipvs/local-routes.ts'
import { desiredSettings } from '../../../src/l4lb/planes/ipvs/settings.ts'
import { ip } from '../records.ts'
import { anyService } from '../services.ts'
import type { FakeIpvsNetwork } from './fake-ipvs-network.ts'

/** A change of the kernel's state; `name` shows in counterexamples. */
export interface Damage {
  readonly name: string
  readonly inflict: (network: FakeIpvsNetwork) => Promise<unknown>
}

type Breakage = readonly [
  name: string,
  (service: ObservedIpvsService, pick: number) => readonly IpvsOperation[],
]

/** Each is done to one of our services. */
const BREAKAGES: readonly Breakage[] = [
  ['is deleted', ({ key }) => [{ kind: 'deleteService', key }]],
  [
    'has another scheduler',
    (service) => [{ kind: 'setService', service: edited(service, { scheduler: 'sh' }) }],
  ],
  [
    'has affinity',
    (service) => [
      {
        kind: 'setService',
        service: edited(service, { isPersistent: true, persistenceSeconds: 9 }),
      },
    ],
  ],
  [
    'has a flag',
    (service) => [{ kind: 'setService', service: edited(service, { schedulerFlags: 5 }) }],
  ],
  [
    'is marked as leaving',
    (service) => [{ kind: 'setService', service: edited(service, { schedulerFlags: 6 }) }],
  ],
  [
    'has one destination more',
    ({ key }) => {
      const address = key.kind === 'address' && key.address.includes(':') ? 'fd66::6' : '10.66.6.6'
      const destination = ipvsDestination({ address: ip(address), port: 666 })
      return [{ kind: 'newDestination', key, destination }]
    },
  ],
  [
    'loses a destination',
    (service, pick) =>
      each(service, pick, (endpoint) => ({
        kind: 'deleteDestination',
        key: service.key,
        endpoint,
      })),
  ],
  [
    'weighs otherwise',
    (service, pick) =>
      each(service, pick, (held) => ({
        kind: 'setDestination',
        key: service.key,
        destination: { ...held, weight: 7 },
      })),
  ],
  [
    'drains',
    (service, pick) =>
      each(service, pick, (held) => ({
        kind: 'setDestination',
        key: service.key,
        destination: { ...held, weight: 0 },
      })),
  ],
  [
    'is limited',
    (service, pick) =>
      each(service, pick, (held) => ({
        kind: 'setDestination',
        key: service.key,
        destination: { ...held, upperThreshold: 5 },
      })),
  ],
  [
    'is not translated',
    (service, pick) =>
      each(service, pick, (held) => ({
        kind: 'setDestination',
        key: service.key,
        destination: { ...held, forwarding: 'direct' },
      })),
  ],
]

const brokenService = fc.tuple(fc.constantFrom(...BREAKAGES), fc.nat(50), fc.nat(50)).map(
  ([[name, change], index, pick]): Damage => ({
    name: `service ${index} ${name} ${pick}`,
    inflict: async ({ ipvs }) => {
      const own = (await ipvs.observe()).filter(({ schedulerFlags }) => (schedulerFlags & 4) !== 0)
      const service = own[index % Math.max(1, own.length)]
      if (service !== undefined) await ipvs.apply(change(service, pick))
    },
  }),
)

const junkService = anyService.map(({ protocol, address, port }): Damage => {
  const key = { kind: 'address', protocol, address, port } as const
  const service = ipvsService({ key, scheduler: 'lc', schedulerFlags: 4 })
  return {
    name: `${protocol} ${address} ${port} is added`,
    inflict: ({ ipvs }) => ipvs.apply([{ kind: 'newService', service }]),
  }
})

const lostRoutes: Damage = {
  name: 'our routes are lost',
  inflict: async ({ routes }) => {
    const kept = (await routes.routes()).filter(({ protocol }) => protocol !== ROUTE_PROTOCOL)
    routes.edit({ routes: kept })
  },
}

const wrongSource: Damage = {
  name: 'our routes have no source',
  inflict: async ({ routes }) => {
    const changed = (await routes.routes()).map(({ preferredSource, ...route }) => route)
    routes.edit({ routes: changed })
  },
}

const otherSettings: Damage = {
  name: 'settings are others',
  inflict: async ({ sysctls, ipvs }) => {
    for (const { name } of desiredSettings()) await sysctls.write(name, '7')
    await ipvs.setTimeouts({ tcpSeconds: 60 })
  },
}

const lostGuard: Damage = {
  name: 'the table is deleted',
  inflict: ({ nftables }) => nftables.transaction([{ kind: 'deleteTable', table: 'navstar-ipvs' }]),
}

const emptyGuard: Damage = {
  name: 'a chain of the table is emptied',
  inflict: ({ nftables }) =>
    nftables.transaction([{ kind: 'flushChain', table: 'navstar-ipvs', chain: 'input' }]),
}

const otherLinks: Damage = {
  name: 'a link comes',
  inflict: async ({ routes }) => {
    const links = await routes.links()
    const index = 3 + links.length
    const link = { index, name: `veth${index}`, isUp: true, isLoopback: false, mtu: 1500 }
    routes.edit({ links: [...links, link] })
  },
}

/** Any damage. */
export const anyIpvsDamage: fc.Arbitrary<Damage> = fc.oneof(
  { arbitrary: brokenService, weight: 6 },
  junkService,
  fc.constantFrom(lostRoutes, wrongSource, otherSettings, lostGuard, emptyGuard, otherLinks),
)

function edited(
  { destinations, statistics, ...service }: ObservedIpvsService,
  changes: Partial<ObservedIpvsService>,
) {
  return { ...service, ...changes }
}

function each(
  { destinations }: ObservedIpvsService,
  pick: number,
  operation: (destination: ObservedIpvsService['destinations'][number]) => IpvsOperation,
): readonly IpvsOperation[] {
  const chosen = destinations[pick % Math.max(1, destinations.length)]
  return chosen === undefined ? [] : [operation(chosen)]
}
