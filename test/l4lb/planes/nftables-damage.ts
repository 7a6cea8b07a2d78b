/** What others do to our table, and to the links and routes beside it. */
import fc from 'fast-check'
import type { NftOperation } from '../../../src/kernel/nftables.ts'
import {
  addElements,
  deleteElements,
} from '../../../src/l4lb/planes/nftables/element-operations.ts'
import {
  encodeEndpoint,
  encodeNumber,
  encodeSlotKey,
  encodeVipKey,
} from '../../../src/l4lb/planes/nftables/elements.ts'
import { setDefinitions, specOf, TABLE } from '../../../src/l4lb/planes/nftables/ruleset.ts'
import { familyOf } from '../../../src/model/ip.ts'
import { ip, port } from '../records.ts'
import { anyService } from '../services.ts'
import type { FakeNetwork } from './fake-nftables.ts'

/** A change of the kernel's state; `name` shows in counterexamples. */
export interface Damage {
  readonly name: string
  readonly inflict: (network: FakeNetwork) => Promise<unknown>
}

const SETS = setDefinitions().map(({ name }) => name)
const anySet = fc.constantFrom(...SETS)
const pick = fc.nat(50)
const number = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(70_000, 0xffff_ffff))

const OTHER_HOOK = { type: 'filter', hook: 'input', priority: 77, policy: 'accept' } as const

function damage(name: string, inflict: Damage['inflict']): Damage {
  return { name, inflict }
}

/** A transaction that may well be refused: then nothing is damaged. */
function write(name: string, ...operations: readonly NftOperation[]): Damage {
  return damage(name, (network) => network.write(...operations))
}

const deletedTable = fc.constant(write('delete the table', { kind: 'deleteTable', table: TABLE }))

const flushedSet = anySet.map((set) =>
  write(`flush ${set}`, { kind: 'flushSet', table: TABLE, set }),
)

/** Elements of a set by index: gone, or with another value. */
const brokenElement = fc.tuple(anySet, pick, fc.option(fc.nat(255))).map(([set, index, fill]) =>
  damage(
    `${set} element ${index} ${fill === null ? 'deleted' : `filled with ${fill}`}`,
    async (network) => {
      const { keyLength, valueLength = 0 } = specOf(set)
      const request = { table: TABLE, set, keyLength, valueLength }
      const { keys } = await network.nftables
        .elements(request)
        .catch(() => ({ keys: new Uint8Array() }))
      const offset = (index % Math.max(1, keys.length / keyLength)) * keyLength
      const key = keys.slice(offset, offset + keyLength)
      if (key.length === 0) return
      const values = new Uint8Array(valueLength).fill(fill ?? 0)
      const again =
        fill === null ? [] : [addElements(set, { keys: key, ...(valueLength > 0 && { values }) })]
      await network.write(deleteElements(set, key), ...again)
    },
  ),
)

const junkCount = fc.tuple(anyService, number).map(([service, count]) => {
  const set = `vips${familyOf(service.address)}`
  const elements = { keys: encodeVipKey(service), values: encodeNumber(count) }
  return write(
    `${service.protocol} ${service.address} ${service.port} has ${count} slots`,
    addElements(set, elements),
  )
})

const junkSlot = fc.tuple(anyService, number).map(([service, slot]) => {
  const family = familyOf(service.address)
  const address = ip(family === 4 ? '10.66.6.6' : 'fd66::6')
  const elements = {
    keys: encodeSlotKey(service, slot),
    values: encodeEndpoint({ address, port: port(666) }),
  }
  return write(
    `${service.protocol} ${service.address} ${service.port} has a slot ${slot}`,
    addElements(`slots${family}`, elements),
  )
})

/** Elements of sets whose keys are one thing twice: the same twice, and two things. */
const junkPair = fc
  .tuple(fc.constantFrom('self4', 'self6', 'hairpin'), fc.nat(3), fc.nat(3))
  .map(([set, left, right]) => {
    const half = specOf(set).keyLength / 2
    const keys = new Uint8Array([...Array(half).fill(left), ...Array(half).fill(right)])
    return write(`${set} has ${left}, ${right}`, addElements(set, { keys }))
  })

type ChainChange = readonly [name: string, (chain: string) => readonly NftOperation[]]

const CHAIN_CHANGES: readonly ChainChange[] = [
  ['flush', (chain) => [{ kind: 'flushChain', table: TABLE, chain }]],
  [
    'delete',
    (chain) => [
      { kind: 'flushChain', table: TABLE, chain },
      { kind: 'deleteChain', table: TABLE, chain },
    ],
  ],
  [
    'add a rule to',
    (chain) => [{ kind: 'addRule', table: TABLE, chain, expressions: [{ expr: 'counter' }] }],
  ],
  [
    'hang elsewhere',
    (chain) => [
      { kind: 'flushChain', table: TABLE, chain },
      { kind: 'deleteChain', table: TABLE, chain },
      { kind: 'addChain', table: TABLE, chain, hook: OTHER_HOOK },
    ],
  ],
]

const brokenChain = fc
  .tuple(fc.constantFrom(...CHAIN_CHANGES), pick)
  .map(([[name, change], index]) =>
    damage(`${name} chain ${index}`, async (network) => {
      const chains = (await network.nftables.table(TABLE))?.chains ?? []
      const chain = chains[index % Math.max(1, chains.length)]
      if (chain !== undefined) await network.write(...change(chain.name))
    }),
  )

const extraChain = fc
  .constantFrom('slots4-9', 'slots6-1', 'slots4-0', 'mine')
  .map((chain) =>
    write(
      `add chain ${chain}`,
      { kind: 'addChain', table: TABLE, chain },
      { kind: 'addRule', table: TABLE, chain, expressions: [{ expr: 'counter' }] },
    ),
  )

/** Deletes sets, which needs all rules to go first; some come back in another shape. */
const brokenSets = fc
  .tuple(fc.subarray(SETS, { minLength: 1 }), fc.boolean())
  .map(([sets, isReshaped]) =>
    damage(`${isReshaped ? 'reshape' : 'delete'} ${sets.join(', ')}`, async (network) => {
      const chains = (await network.nftables.table(TABLE))?.chains ?? []
      const setSpec = { keyLength: 4, keyType: 19 }
      await network.write(
        ...chains.map(({ name }) => ({ kind: 'flushChain', table: TABLE, chain: name }) as const),
        ...sets.map((set) => ({ kind: 'deleteSet', table: TABLE, set }) as const),
        ...(isReshaped
          ? sets.map((set) => ({ kind: 'addSet', table: TABLE, set, setSpec }) as const)
          : []),
      )
    }),
  )

const brokenRoutes = fc.constantFrom('lost', 'elsewhere').map((change) =>
  damage(`our routes are ${change}`, async (network) => {
    const routes = await network.routes.routes()
    const kept = routes.flatMap((route) => {
      if (route.protocol !== 117) return [route]
      return change === 'lost' ? [] : [{ ...route, linkIndex: 3 }]
    })
    network.routes.edit({ routes: kept })
    network.tell({ kind: 'route', subject: '11.0.0.0/8', isRemoval: true })
  }),
)

const otherLinks = fc.subarray([3, 4, 5]).map((others) =>
  damage(`links beside eth0 are ${others.join(', ')}`, async (network) => {
    const link = { isUp: true, isLoopback: false, mtu: 1500 }
    network.routes.edit({
      links: [2, ...others].map((index) => ({ ...link, index, name: `veth${index}` })),
    })
    network.tell({ kind: 'link', subject: 'veth', isRemoval: false })
  }),
)

/** Any damage. */
export const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  deletedTable,
  flushedSet,
  brokenElement,
  brokenElement,
  junkCount,
  junkSlot,
  junkPair,
  brokenChain,
  brokenChain,
  extraChain,
  brokenSets,
  brokenRoutes,
  otherLinks,
)
