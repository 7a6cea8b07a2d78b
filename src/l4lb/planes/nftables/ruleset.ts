/**
 * The table `navstar`, family inet: what a packet meets on its way.
 *
 * A new connection to a VIP: `vips4` gives the VIP's number of slots N and how one is drawn; chain
 * `services` has a rule for each such pair in use, which leads to a chain, e.g. `slots4-N`; that chain
 * draws a slot, and `slots4` says which backend it is. All services share these maps, so a change is a
 * change of elements. Rules change only when a number or way comes into use or goes out of it.
 *
 * No packet meets `draining4`, `drains4` and `left4`: they record for the daemon, also the next one,
 * which backends take no new connections, how their open ones end, and whose flows are to be ended.
 *
 * A verdict map from VIP to chain would need no such rules, but the kernel walks verdict maps as
 * a whole at each commit; a map from N to chain, keyed by the result of the first look-up, makes
 * the nft command of Debian 12 abort when it lists the table.
 *
 * A packet asks several maps one after another, and a commit can fall between: it then has drawn a
 * slot that is gone. So untranslated packets pass `services` a second time.
 *
 * What is still addressed to a VIP after translation has no backend: it is rejected at once.
 */
import type { ChainHook, SetSpec } from '../../../kernel/nftables.ts'
import type { Cidr } from '../../../model/cidr.ts'
import type { Family } from '../../../model/ip.ts'
import type { SlotDraw } from './draw.ts'
import {
  acceptKnownRule,
  FAMILIES,
  goto,
  hairpinRule,
  jump,
  type Rule,
  rejectRules,
  selfRule,
  slotChainName,
  slotRule,
  TYPE,
} from './rules.ts'

/** The table's name; its content is ours alone. */
export const TABLE = 'navstar'

/** A chain with its rules; a hook makes it a base chain. */
export interface Chain {
  readonly name: string
  readonly hook?: ChainHook
  readonly rules: readonly Rule[]
}

/** A set or map without its elements. */
export interface SetDefinition {
  readonly name: string
  readonly spec: SetSpec
}

/** Before every other destination NAT, so that no host-port rule shadows a VIP. */
const DNAT_PRIORITY = -110
const SNAT_PRIORITY = 100
const FILTER_PRIORITY = 10

/** Bytes of keys and values, each field padded to four. */
export const LENGTHS = {
  4: { vipKey: 12, slotKey: 16, endpoint: 8, memberKey: 20, selfKey: 8 },
  6: { vipKey: 24, slotKey: 28, endpoint: 20, memberKey: 44, selfKey: 32 },
  hairpinKey: 8,
} as const

/** The sets and maps of the table. */
export function setDefinitions(): SetDefinition[] {
  const families = ([4, 6] as const).flatMap((family): SetDefinition[] => {
    const { addressType } = FAMILIES[family]
    const vipType = concatenation(addressType, TYPE.protocol, TYPE.port)
    const { vipKey, slotKey, endpoint, memberKey } = LENGTHS[family]
    const shared = { isMap: true } as const
    const wordByVip = {
      ...shared,
      ...{ keyLength: vipKey, keyType: vipType, valueLength: 4, valueType: TYPE.mark },
    }
    const memberType = concatenation(addressType, TYPE.protocol, TYPE.port, addressType, TYPE.port)
    const members = { keyLength: memberKey, keyType: memberType }
    return [
      { name: `vips${family}`, spec: wordByVip },
      {
        name: `slots${family}`,
        spec: {
          ...shared,
          keyLength: slotKey,
          keyType: concatenation(addressType, TYPE.protocol, TYPE.port, TYPE.mark),
          valueLength: endpoint,
          valueType: concatenation(addressType, TYPE.port),
        },
      },
      {
        name: `self${family}`,
        spec: {
          keyLength: LENGTHS[family].selfKey,
          keyType: concatenation(addressType, addressType),
        },
      },
      { name: `drains${family}`, spec: wordByVip },
      { name: `draining${family}`, spec: members },
      { name: `left${family}`, spec: members },
    ]
  })
  const hairpinType = concatenation(TYPE.interface, TYPE.interface)
  const hairpin = { keyLength: LENGTHS.hairpinKey, keyType: hairpinType }
  return [...families, { name: 'hairpin', spec: hairpin }]
}

/** The shape of one of the table's sets. */
export function specOf(set: string): SetSpec {
  const definition = SPECS.get(set)
  if (definition === undefined) throw new Error(`the table has no set ${set}`)
  return definition
}

/** Named so that nft can address it: `reject` is a word of its language. */
const REJECT_CHAIN = 'reject-untranslated'

/** The chain whose rules lead from a VIP's number of slots to the chain that draws one. */
export const SERVICES_CHAIN = 'services'

/**
 * The chains that are always there, with their rules; chain `services` has others at each time.
 *
 * @param ranges blocks of named VIPs: an address in them that is no VIP is rejected too
 */
export function fixedChains(ranges: readonly Cidr[]): Chain[] {
  const reject = { name: REJECT_CHAIN, rules: rejectRules(ranges) }
  const translate = [[jump(SERVICES_CHAIN)], [jump(SERVICES_CHAIN)]]
  const masquerade = [hairpinRule(4), hairpinRule(6), selfRule(4), selfRule(6)]
  return [
    reject,
    { name: 'prerouting', hook: nat('prerouting', DNAT_PRIORITY), rules: translate },
    { name: 'output', hook: nat('output', DNAT_PRIORITY), rules: translate },
    { name: 'postrouting', hook: nat('postrouting', SNAT_PRIORITY), rules: masquerade },
    ...(['input', 'forward', 'output'] as const).map((hook) => ({
      name: `reject-${hook}`,
      hook: { type: 'filter', hook, priority: FILTER_PRIORITY, policy: 'accept' } as const,
      rules: [acceptKnownRule(), [goto(REJECT_CHAIN)]],
    })),
  ]
}

/** The chain that draws a slot and sends the packet to its backend. */
export function slotChain(family: Family, draw: SlotDraw): Chain {
  return { name: slotChainName(family, draw), rules: [slotRule(family, draw)] }
}

function nat(hook: ChainHook['hook'], priority: number): ChainHook {
  return { type: 'nat', hook, priority, policy: 'accept' }
}

function concatenation(...types: readonly number[]): number {
  return types.reduce((packed, type) => (packed << 6) | type, 0)
}

const SPECS: ReadonlyMap<string, SetSpec> = new Map(
  setDefinitions().map(({ name, spec }) => [name, spec]),
)
