/** What the `nftables` plane needs of the kernel, in memory; planes come and go, it stays. */
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { FakeConntrack } from '../../../src/kernel/fake/conntrack.ts'
import { FakeNftables } from '../../../src/kernel/fake/nftables.ts'
import { FakeRouteTables } from '../../../src/kernel/fake/routes.ts'
import type { NftOperation } from '../../../src/kernel/nftables.ts'
import type { KernelEvent, OperationResult } from '../../../src/kernel/operation.ts'
import type { SlotDraw } from '../../../src/l4lb/planes/nftables/draw.ts'
import { NftablesPlane } from '../../../src/l4lb/planes/nftables/plane.ts'
import { slotChainName } from '../../../src/l4lb/planes/nftables/rules.ts'
import { setDefinitions, TABLE } from '../../../src/l4lb/planes/nftables/ruleset.ts'
import { ip } from '../records.ts'
import { RANGES } from './fake-ebpf.ts'

const NODE_IP = ip('10.0.0.1')

/** A table of someone else. */
const FOREIGN = 'docker'

/** A namespace with the node's address on eth0. */
export class FakeNetwork {
  readonly nftables: FakeNftables
  readonly routes: FakeRouteTables
  readonly clock: VirtualClock = new VirtualClock()
  readonly conntrack: FakeConntrack = new FakeConntrack()
  readonly #listeners: ((event: KernelEvent) => void)[] = []

  /** @param limits the most elements of a set */
  constructor(limits: Readonly<Record<string, number>> = {}) {
    this.nftables = new FakeNftables(limits)
    const link = { isUp: true, isLoopback: false, mtu: 1500 }
    this.routes = new FakeRouteTables({
      links: [
        { ...link, index: 1, name: 'lo', isLoopback: true },
        { ...link, index: 2, name: 'eth0' },
        { ...link, index: 3, name: 'veth1', kind: 'veth' },
      ],
      addresses: [
        { linkIndex: 1, address: ip('127.0.0.1'), prefixLength: 8, scope: 254 },
        { linkIndex: 2, address: NODE_IP, prefixLength: 24, scope: 0 },
        { linkIndex: 2, address: ip('fd0a::1'), prefixLength: 64, scope: 0 },
      ],
      routes: [
        {
          destination: '0.0.0.0/0',
          gateway: '10.0.0.254',
          linkIndex: 2,
          table: 254,
          protocol: 3,
          scope: 0,
          type: 1,
        },
      ],
    })
  }

  /** A plane as after a start of the daemon. */
  plane({ isListening = true }: { readonly isListening?: boolean } = {}): NftablesPlane {
    const plane = new NftablesPlane(
      {
        nftables: this.nftables,
        routes: this.routes,
        conntrack: this.conntrack,
        watch: (listener) => void this.#listeners.push(listener),
        close: () => undefined,
      },
      { ranges: RANGES, nodeIp: () => NODE_IP, clock: this.clock },
    )
    if (isListening) plane.onChange(() => undefined)
    return plane
  }

  /** A transaction of someone else; planes hear of it. */
  async write(...operations: readonly NftOperation[]): Promise<readonly OperationResult[]> {
    const results = await this.nftables.transaction(operations)
    this.tell({ kind: 'nftables', subject: TABLE, isRemoval: false })
    return results
  }

  /** Tells planes of a change. */
  tell(event: KernelEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Makes a table and a route that are not ours. */
  async prepareForeign(): Promise<void> {
    await this.nftables.transaction([
      { kind: 'addTable', table: FOREIGN },
      { kind: 'addChain', table: FOREIGN, chain: 'services' },
      { kind: 'addSet', table: FOREIGN, set: 'vips4', setSpec: { keyLength: 4, keyType: 7 } },
    ])
  }

  /** What is not ours, as text. */
  async foreign(): Promise<string> {
    const routes = (await this.routes.routes()).filter(({ protocol }) => protocol !== 117)
    return JSON.stringify([
      await this.nftables.table(FOREIGN),
      this.nftables.tableNames.filter((name) => name !== TABLE),
      routes,
    ])
  }

  /**
   * Where packets of a family go that belong to a service whose slots are drawn so: one way in, to a
   * chain that draws one of as many.
   */
  async leadsToSlots(family: 4 | 6, draw: SlotDraw): Promise<boolean> {
    const rules = (await this.nftables.table(TABLE))?.rules ?? []
    const target = slotChainName(family, draw)
    const ways = rules.filter(({ chain, expressions }) => {
      const [last] = expressions.slice(-1)
      return chain === 'services' && last?.expr === 'verdict' && last.chain === target
    })
    const drawn = rules
      .filter(({ chain }) => chain === target)
      .flatMap(({ expressions }) => expressions.filter((each) => 'modulus' in each))
    const isDrawn = drawn.length === 1 && drawn[0]?.modulus === draw.slots
    return ways.length === 1 && isDrawn
  }

  /** The elements of the sets that tell what is served, as text. */
  async picture(): Promise<string> {
    const sets: [string, unknown][] = []
    for (const { name, spec } of setDefinitions()) {
      if (name.startsWith('left')) continue
      const { keyLength, valueLength = 0 } = spec
      const request = { table: TABLE, set: name, keyLength, valueLength }
      const { keys, values } = await this.nftables.elements(request)
      const parts = Array.from({ length: keys.length / keyLength }, (_, index) => [
        Buffer.from(keys.subarray(index * keyLength, (index + 1) * keyLength)).toString('hex'),
        Buffer.from(values.subarray(index * valueLength, (index + 1) * valueLength)).toString(
          'hex',
        ),
      ])
      sets.push([name, parts.sort()])
    }
    return JSON.stringify(sets)
  }
}
