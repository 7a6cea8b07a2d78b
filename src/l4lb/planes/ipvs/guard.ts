/** Compares the table of guard-rules.ts with the kernel's. */
import { NavstarError } from '../../../base/error.ts'
import type { Nftables, NftOperation, NftTable } from '../../../kernel/nftables.ts'
import type { Link } from '../../../kernel/routes.ts'
import type { Cidr } from '../../../model/cidr.ts'
import { familyOf, type Ip } from '../../../model/ip.ts'
import { writeIp } from '../../../model/ip-bytes.ts'
import { canonical } from '../canonical.ts'
import { encodeHairpin, pack } from '../nftables/elements.ts'
import { GUARD_SETS, GUARD_TABLE, type GuardChain, guardChains } from './guard-rules.ts'

/** What the table follows from. */
export interface GuardGround {
  readonly ranges: readonly Cidr[]
  /** Literal VIPs outside of the ranges. */
  readonly literals: readonly Ip[]
  readonly links: readonly Link[]
}

/** What {@link planGuard} found, and one transaction that mends it. */
export interface GuardPlan {
  readonly defects: readonly string[]
  readonly operations: readonly NftOperation[]
}

type SetName = keyof typeof GUARD_SETS
const SET_NAMES = Object.keys(GUARD_SETS) as readonly SetName[]

/** What IPVS does not do on a kernel without this table. */
export const WITHOUT_GUARD: readonly string[] = [
  'connections that leave by the link on which they came, such as between containers of one bridge',
  'unused addresses and ports of the VIP blocks where a program listens on all addresses',
]

/** The table as it is; undefined without one, and on a kernel without nf_tables. */
export async function guardTable(nftables: Nftables): Promise<NftTable | undefined> {
  try {
    return await nftables.table(GUARD_TABLE)
  } catch (error) {
    if (error instanceof NavstarError && error.code === 'KERNEL_READ_FAILED') return undefined
    throw error
  }
}

/**
 * Whether this kernel can have the table: a kernel may have nf_tables, but not for IPv4 and IPv6.
 * Tries in one transaction that ends with its removal, unless it is there.
 */
export async function canGuard(nftables: Nftables): Promise<boolean> {
  if ((await guardTable(nftables)) !== undefined) return true
  const chains = guardChains([])
  const results = await nftables.transaction([
    ...renewal(undefined, chains, elementsOf({ ranges: [], literals: [], links: [] })),
    { kind: 'deleteTable', table: GUARD_TABLE },
  ])
  return results.every(({ errno }) => errno === 0)
}

/** Compares. @throws NavstarError `KERNEL_READ_FAILED` */
export async function planGuard(nftables: Nftables, ground: GuardGround): Promise<GuardPlan> {
  const table = await nftables.table(GUARD_TABLE)
  const wanted = elementsOf(ground)
  const chains = guardChains(ground.ranges)
  if (table === undefined || !isWhole(table, chains)) {
    const defect = table === undefined ? 'is missing' : 'is not as wanted'
    return {
      defects: [`table ${GUARD_TABLE} ${defect}`],
      operations: renewal(table, chains, wanted),
    }
  }
  const defects: string[] = []
  const operations: NftOperation[] = []
  for (const set of SET_NAMES) {
    const held = await elementsIn(nftables, set)
    const missing = [...wanted[set]].filter(([text]) => !held.has(text))
    const stale = [...held].filter(([text]) => !wanted[set].has(text))
    if (missing.length + stale.length === 0) continue
    defects.push(`set ${GUARD_TABLE} ${set} differs by ${missing.length + stale.length}`)
    operations.push(...change('deleteElements', set, new Map(stale)))
    operations.push(...change('addElements', set, new Map(missing)))
  }
  return { defects, operations }
}

type Elements = ReadonlyMap<string, Uint8Array>

function elementsOf({ literals, links }: GuardGround): Readonly<Record<SetName, Elements>> {
  const outer = links.filter(({ isLoopback }) => !isLoopback)
  const literal = (family: 4 | 6) => literals.filter((address) => familyOf(address) === family)
  return {
    hairpin: byText(outer.map(({ index }) => encodeHairpin(index))),
    vips4: byText(literal(4).map(encodeAddress)),
    vips6: byText(literal(6).map(encodeAddress)),
  }
}

async function elementsIn(nftables: Nftables, set: SetName): Promise<Elements> {
  const { keyLength } = GUARD_SETS[set]
  const request = { table: GUARD_TABLE, set, keyLength, valueLength: 0 }
  const { keys } = await nftables.elements(request)
  const count = keys.length / keyLength
  return byText(
    Array.from({ length: count }, (_, at) => keys.slice(at * keyLength, (at + 1) * keyLength)),
  )
}

function byText(elements: readonly Uint8Array[]): Elements {
  return new Map(elements.map((each) => [Buffer.from(each).toString('hex'), each]))
}

function encodeAddress(address: Ip): Uint8Array {
  const bytes = new Uint8Array(familyOf(address) === 4 ? 4 : 16)
  writeIp(address, bytes, 0)
  return bytes
}

function isWhole(table: NftTable, chains: readonly GuardChain[]): boolean {
  const hasSets = SET_NAMES.every((name) => {
    const found = table.sets.find((set) => set.name === name)
    return found?.keyLength === GUARD_SETS[name].keyLength && !found.isMap && !found.isVerdictMap
  })
  const found = table.chains.map(({ name, hook }) => ({
    name,
    hook,
    rules: table.rules.filter(({ chain }) => chain === name).map(({ expressions }) => expressions),
  }))
  const byName = (left: { name: string }, right: { name: string }) =>
    left.name < right.name ? -1 : 1
  return hasSets && canonical(found.sort(byName)) === canonical([...chains].sort(byName))
}

function renewal(
  table: NftTable | undefined,
  chains: readonly GuardChain[],
  elements: Readonly<Record<SetName, Elements>>,
): NftOperation[] {
  const named = { table: GUARD_TABLE }
  return [
    ...(table === undefined ? [] : [{ kind: 'deleteTable', ...named } as const]),
    { kind: 'addTable', ...named },
    ...SET_NAMES.map(
      (set) => ({ kind: 'addSet', ...named, set, setSpec: GUARD_SETS[set] }) as const,
    ),
    ...SET_NAMES.flatMap((set) => change('addElements', set, elements[set])),
    ...chains.map(({ name, hook }) => ({ kind: 'addChain', ...named, chain: name, hook }) as const),
    ...chains.flatMap(({ name, rules }) =>
      rules.map(
        (expressions) => ({ kind: 'addRule', ...named, chain: name, expressions }) as const,
      ),
    ),
  ]
}

function change(
  kind: 'addElements' | 'deleteElements',
  set: SetName,
  elements: Elements,
): NftOperation[] {
  if (elements.size === 0) return []
  const keys = pack([...elements.values()])
  return [{ kind, table: GUARD_TABLE, set, setSpec: GUARD_SETS[set], keys }]
}
