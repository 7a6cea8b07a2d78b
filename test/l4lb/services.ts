/** Services for tests: few addresses and ports, so that random ones meet often. */
import fc from 'fast-check'
import type { Ip } from '../../src/model/ip.ts'
import type { Port, Protocol } from '../../src/model/port.ts'
import { type Backend, type Service, type ServiceKey, serviceKeyOf } from '../../src/model/vip.ts'
import { ALGORITHMS, type VipOptions } from '../../src/model/vip-options.ts'

const VIPS = { 4: ['11.0.0.1', '11.0.0.2', '10.1.2.3'], 6: ['fd01:c::1', 'fd01:c::2'] } as const
const HOSTS = { 4: ['10.0.0.1', '10.0.0.2', '9.0.1.5'], 6: ['fd00::1', 'fd00::2'] } as const

/** Backends of one family, distinct and sorted as the desired ones are. */
export function anyBackends(family: 4 | 6): fc.Arbitrary<readonly Backend[]> {
  const backend = fc.record({
    address: fc.constantFrom(...HOSTS[family]) as fc.Arbitrary<Ip>,
    port: fc.constantFrom(8080, 8081) as unknown as fc.Arbitrary<Port>,
    weight: fc.constantFrom(1, 1, 1, 0, 2, 3),
  })
  const selector = ({ address, port }: Backend) => `${address} ${port}`
  return fc
    .uniqueArray(backend, { maxLength: 4, selector })
    .map((backends) => backends.sort((left, right) => (selector(left) < selector(right) ? -1 : 1)))
}

const anyOptions: fc.Arbitrary<VipOptions> = fc.record(
  {
    algorithm: fc.constantFrom(...ALGORITHMS),
    affinitySeconds: fc.constantFrom(1, 300),
    connectionLimit: fc.constantFrom(1, 100),
  },
  { requiredKeys: [] },
)

/** Any service of either family. */
export const anyService: fc.Arbitrary<Service> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc.record({
      address: fc.constantFrom(...VIPS[family]) as fc.Arbitrary<Ip>,
      port: fc.constantFrom(80, 443) as unknown as fc.Arbitrary<Port>,
      protocol: fc.constantFrom<Protocol>('tcp', 'udp'),
      backends: anyBackends(family),
      options: fc.option(anyOptions, { nil: undefined }),
    }),
  )
  .map(({ options, ...service }) => (options === undefined ? service : { ...service, options }))

/** Services by their key. */
export type Services = ReadonlyMap<ServiceKey, Service>

/** Any set of services. */
export const anyServices: fc.Arbitrary<Services> = fc
  .array(anyService, { maxLength: 6 })
  .map((services) => new Map(services.map((service) => [serviceKeyOf(service), service])))

/** A service, e.g. `service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080 x0')`. */
export function service(key: string, ...backends: readonly string[]): Service {
  const [protocol, address, port] = key.split('/')
  return {
    protocol: protocol as Protocol,
    address: address as Ip,
    port: Number(port) as Port,
    backends: backends.map(backendOf),
  }
}

/** Services by their key. */
export function servicesOf(...services: readonly Service[]): Map<ServiceKey, Service> {
  return new Map(services.map((each) => [serviceKeyOf(each), each]))
}

function backendOf(text: string): Backend {
  const [endpoint = '', weight = 'x1'] = text.split(' ')
  const colon = endpoint.lastIndexOf(':')
  return {
    address: endpoint.slice(0, colon).replaceAll(/[[\]]/g, '') as Ip,
    port: Number(endpoint.slice(colon + 1)) as Port,
    weight: Number(weight.slice(1)),
  }
}
