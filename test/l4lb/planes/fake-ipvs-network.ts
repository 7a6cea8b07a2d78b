/** What the `ipvs` plane needs of the kernel, in memory; planes come and go, it stays. */
import { FakeIpvs } from '../../../src/kernel/fake/ipvs.ts'
import { FakeNftables } from '../../../src/kernel/fake/nftables.ts'
import { FakeRouteTables } from '../../../src/kernel/fake/routes.ts'
import { FakeSysctls } from '../../../src/kernel/fake/sysctls.ts'
import { type IpvsOperation, ipvsService } from '../../../src/kernel/ipvs.ts'
import { ROUTE_PROTOCOL } from '../../../src/l4lb/planes/ipvs/local-routes.ts'
import { IpvsPlane } from '../../../src/l4lb/planes/ipvs/plane.ts'
import { IpvsRemains } from '../../../src/l4lb/planes/ipvs/remains.ts'
import { desiredSettings } from '../../../src/l4lb/planes/ipvs/settings.ts'
import { ip } from '../records.ts'
import { RANGES } from './fake-ebpf.ts'

const NODE_IP = ip('10.0.0.1')

/** Services of somebody else: one at an address of a block, one of a mark. */
const FOREIGN = [
  ipvsService({
    key: { kind: 'address', protocol: 'tcp', address: ip('11.0.0.1'), port: 8443 },
    scheduler: 'rr',
  }),
  ipvsService({ key: { kind: 'mark', family: 4, mark: 7 }, scheduler: 'sh', schedulerFlags: 3 }),
]

/** A namespace with the node's address on eth0. */
export class FakeIpvsNetwork {
  readonly ipvs: FakeIpvs = new FakeIpvs()
  readonly nftables: FakeNftables = new FakeNftables()
  readonly sysctls: FakeSysctls
  readonly routes: FakeRouteTables
  /** Called after each single operation on IPVS that a plane makes. */
  onOperation: () => Promise<void> = async () => undefined

  constructor() {
    const off = desiredSettings().map(({ name, value }) => [name, value === '0' ? '1' : '0'])
    this.sysctls = new FakeSysctls(Object.fromEntries(off))
    const link = { isUp: true, isLoopback: false, mtu: 1500 }
    this.routes = new FakeRouteTables({
      links: [
        { ...link, index: 1, name: 'lo', isLoopback: true },
        { ...link, index: 2, name: 'eth0' },
      ],
      addresses: [
        { linkIndex: 1, address: ip('127.0.0.1'), prefixLength: 8, scope: 254 },
        { linkIndex: 2, address: NODE_IP, prefixLength: 24, scope: 0 },
        { linkIndex: 2, address: ip('fd0a::1'), prefixLength: 64, scope: 0 },
      ],
      routes: [
        {
          destination: '192.0.2.7/32',
          linkIndex: 1,
          table: 255,
          protocol: 4,
          scope: 254,
          type: 2,
        },
      ],
    })
  }

  /** A plane as after a start of the daemon. */
  plane(): IpvsPlane {
    const { ipvs, nftables, sysctls, routes } = this
    const stepped = {
      information: () => ipvs.information(),
      observe: () => ipvs.observe(),
      timeouts: () => ipvs.timeouts(),
      setTimeouts: (changes: Parameters<FakeIpvs['setTimeouts']>[0]) => ipvs.setTimeouts(changes),
      apply: async (operations: readonly IpvsOperation[]) => {
        const results = []
        for (const operation of operations) {
          results.push(...(await ipvs.apply([operation])))
          await this.onOperation()
        }
        return results
      },
    }
    const kernel = { ipvs: stepped, nftables, sysctls, routes }
    return new IpvsPlane(
      { ...kernel, watch: () => undefined, close: () => undefined },
      { ranges: RANGES, nodeIp: () => NODE_IP },
    )
  }

  /** What a plane of before left. */
  remains(): IpvsRemains {
    const { ipvs, nftables, routes } = this
    return new IpvsRemains({ ipvs, nftables, routes, close: () => undefined })
  }

  /** Makes services that are not ours. */
  async prepareForeign(): Promise<void> {
    await this.ipvs.apply(FOREIGN.map((service) => ({ kind: 'newService', service })))
  }

  /** What is not ours, as text. */
  async foreign(): Promise<string> {
    const services = (await this.ipvs.observe()).filter(
      ({ schedulerFlags }) => (schedulerFlags & 4) === 0,
    )
    const routes = (await this.routes.routes()).filter(
      ({ protocol }) => protocol !== ROUTE_PROTOCOL,
    )
    return JSON.stringify([services, routes])
  }

  /** The destinations of our routes, sorted. */
  async ownRoutes(): Promise<string[]> {
    const routes = await this.routes.routes()
    const own = routes.filter(({ protocol }) => protocol === ROUTE_PROTOCOL)
    return own.map(({ destination }) => destination).sort()
  }
}
