/**
 * The table `navstar`, family inet: what a packet meets on its way.
 *
 * A new connection to a VIP: `vips4` gives the VIP's number of slots N; `classes4` sends the
 * packet to the chain for N; that chain draws a slot, and `slots4` says which backend it is. All
 * services share these maps, so a change is a change of elements, never of rules; the verdict map
 * has one element per N, because the kernel walks verdict maps at each commit that touches them.
 *
 * What is still addressed to a VIP after translation has no backend: it is rejected at once.
 */
import type { ChainHook, Expression, SetSpec } from '../../../kernel/nftables.ts'
import { bitsOf, type Cidr } from '../../../model/cidr.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import { writeIp } from '../../../model/ip-bytes.ts'

/** The table's name; its content is ours alone. */
export const TABLE = 'navstar'

/** A rule: expressions in the order in which they run. */
export type Rule = readonly Expression[]

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

/** First of the 32-bit registers (NFT_REG32_00). */
const R0 = 8

/** Before every other destination NAT, so that no host-port rule shadows a VIP. */
const DNAT_PRIORITY = -110
const SNAT_PRIORITY = 100
const FILTER_PRIORITY = 10

/** nft's own type numbers, by which `nft list` prints elements; six bits a concatenated field. */
const TYPE = { ipv4: 7, ipv6: 8, protocol: 12, port: 13, mark: 19, interface: 14 } as const

/** Where a family keeps its addresses; lengths and offsets in bytes. */
export interface FamilyLayout {
  /** NFPROTO_IPV4 or NFPROTO_IPV6, as one byte. */
  readonly nfproto: string
  readonly addressBytes: 4 | 16
  readonly daddrOffset: number
  readonly addressType: number
  readonly dnat: 'ip' | 'ip6'
}

/** The layouts of both families. */
export const FAMILIES: Readonly<Record<Family, FamilyLayout>> = {
  4: { nfproto: '02', addressBytes: 4, daddrOffset: 16, addressType: TYPE.ipv4, dnat: 'ip' },
  6: { nfproto: '0a', addressBytes: 16, daddrOffset: 24, addressType: TYPE.ipv6, dnat: 'ip6' },
}

/** Bytes of keys and values, each field padded to four. */
export const LENGTHS = {
  4: { vipKey: 12, slotKey: 16, endpoint: 8 },
  6: { vipKey: 24, slotKey: 28, endpoint: 20 },
  class: 4,
  hairpinKey: 8,
} as const

/** The name of the chain that draws one of `slots` slots, e.g. `slots4-3`. */
export function slotChainName(family: Family, slots: number): string {
  return `slots${family}-${slots}`
}

/** The sets and maps of the table. */
export function setDefinitions(): SetDefinition[] {
  const families = ([4, 6] as const).flatMap((family): SetDefinition[] => {
    const { addressType } = FAMILIES[family]
    const vipType = concatenation(addressType, TYPE.protocol, TYPE.port)
    const { vipKey, slotKey, endpoint } = LENGTHS[family]
    const shared = { isMap: true } as const
    return [
      {
        name: `vips${family}`,
        spec: {
          ...shared,
          keyLength: vipKey,
          keyType: vipType,
          valueLength: 4,
          valueType: TYPE.mark,
        },
      },
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
        name: `classes${family}`,
        spec: { keyLength: LENGTHS.class, keyType: TYPE.mark, isVerdictMap: true },
      },
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

/**
 * The chains that are always there.
 *
 * @param ranges blocks of named VIPs: an address in them that is no VIP is rejected too
 */
export function fixedChains(ranges: readonly Cidr[]): Chain[] {
  const reject = { name: 'reject', rules: rejectRules(ranges) }
  const services = { name: 'services', rules: [serviceRule(4), serviceRule(6)] }
  const translate = [[goto('services')]]
  return [
    services,
    reject,
    { name: 'prerouting', hook: nat('prerouting', DNAT_PRIORITY), rules: translate },
    { name: 'output', hook: nat('output', DNAT_PRIORITY), rules: translate },
    { name: 'postrouting', hook: nat('postrouting', SNAT_PRIORITY), rules: [hairpinRule()] },
    ...(['input', 'forward', 'output'] as const).map((hook) => ({
      name: `reject-${hook}`,
      hook: { type: 'filter', hook, priority: FILTER_PRIORITY, policy: 'accept' } as const,
      rules: [acceptKnownRule(), [goto('reject')]],
    })),
  ]
}

/** The chain that sends a packet to one of `slots` backends. */
export function slotChain(family: Family, slots: number): Chain {
  const { key, next } = loadVipKey(family)
  const { dnat, addressBytes } = FAMILIES[family]
  const value = next + 1
  const rule: Rule = [
    ...key,
    { expr: 'numgen', type: 'random', modulus: slots, dreg: next },
    { expr: 'lookup', set: `slots${family}`, sreg: R0, dreg: value },
    {
      expr: 'nat',
      type: 'dnat',
      family: dnat,
      addressRegister: value,
      portRegister: value + addressBytes / 4,
    },
  ]
  return { name: slotChainName(family, slots), rules: [rule] }
}

function nat(hook: ChainHook['hook'], priority: number): ChainHook {
  return { type: 'nat', hook, priority, policy: 'accept' }
}

function goto(chain: string): Expression {
  return { expr: 'verdict', code: 'goto', chain }
}

/** Loads destination address, protocol and port into registers from R0 on. */
function loadVipKey(family: Family): { key: Expression[]; next: number } {
  const { nfproto, addressBytes, daddrOffset } = FAMILIES[family]
  const protocol = R0 + addressBytes / 4
  const key: Expression[] = [
    { expr: 'meta', key: 'nfproto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: nfproto },
    { expr: 'payload', base: 'network', offset: daddrOffset, length: addressBytes, dreg: R0 },
    { expr: 'meta', key: 'l4proto', dreg: protocol },
    { expr: 'payload', base: 'transport', offset: 2, length: 2, dreg: protocol + 1 },
  ]
  return { key, next: protocol + 2 }
}

function serviceRule(family: Family): Rule {
  const { key, next } = loadVipKey(family)
  return [
    ...key,
    { expr: 'lookup', set: `vips${family}`, sreg: R0, dreg: next },
    { expr: 'lookup', set: `classes${family}`, sreg: next, isVerdict: true },
  ]
}

/** Packets of known connections need no look-up; new ones go on. */
function acceptKnownRule(): Rule {
  return [
    { expr: 'ct', key: 'state', dreg: R0 },
    { expr: 'bitwise', sreg: R0, dreg: R0, mask: CT_STATE_ESTABLISHED_RELATED, xor: '00000000' },
    { expr: 'cmp', op: 'neq', sreg: R0, bytes: '00000000' },
    { expr: 'verdict', code: 'accept' },
  ]
}

/** NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), in the machine's order. */
const CT_STATE_ESTABLISHED_RELATED = '06000000'

/** IPS_DST_NAT, in the machine's order. **Source:** linux/netfilter/nf_conntrack_common.h */
const CT_STATUS_DNAT = '20000000'

function rejectRules(ranges: readonly Cidr[]): Rule[] {
  const matches = [vipMatch(4), vipMatch(6), ...ranges.map(rangeMatch)]
  return matches.flatMap((match): Rule[] => [
    [...match, ...protocolMatch('06'), { expr: 'reject', type: 'tcpReset' }],
    [...match, { expr: 'reject', type: 'icmpx', code: ICMPX_PORT_UNREACHABLE }],
  ])
}

/** NFT_REJECT_ICMPX_PORT_UNREACH */
const ICMPX_PORT_UNREACHABLE = 1

function vipMatch(family: Family): Expression[] {
  const { key, next } = loadVipKey(family)
  return [...key, { expr: 'lookup', set: `vips${family}`, sreg: R0, dreg: next }]
}

function rangeMatch(range: Cidr): Expression[] {
  const family = familyOf(range.base)
  const { nfproto, addressBytes, daddrOffset } = FAMILIES[family]
  const zero = '00'.repeat(addressBytes)
  return [
    { expr: 'meta', key: 'nfproto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: nfproto },
    { expr: 'payload', base: 'network', offset: daddrOffset, length: addressBytes, dreg: R0 },
    { expr: 'bitwise', sreg: R0, dreg: R0, mask: maskOf(range), xor: zero },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: addressHex(range) },
  ]
}

function protocolMatch(protocol: string): Expression[] {
  return [
    { expr: 'meta', key: 'l4proto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: protocol },
  ]
}

/**
 * A translated packet that leaves through the interface it came from: the backend would answer
 * the client directly, past the translation, so its source becomes this host.
 */
function hairpinRule(): Rule {
  return [
    { expr: 'meta', key: 'iif', dreg: R0 },
    { expr: 'meta', key: 'oif', dreg: R0 + 1 },
    { expr: 'lookup', set: 'hairpin', sreg: R0 },
    { expr: 'ct', key: 'status', dreg: R0 },
    { expr: 'bitwise', sreg: R0, dreg: R0, mask: CT_STATUS_DNAT, xor: '00000000' },
    { expr: 'cmp', op: 'neq', sreg: R0, bytes: '00000000' },
    { expr: 'masquerade' },
  ]
}

function addressHex({ base }: Cidr): string {
  const bytes = Buffer.alloc(FAMILIES[familyOf(base)].addressBytes)
  writeIp(base, bytes, 0)
  return bytes.toString('hex')
}

function maskOf({ base, prefixLength }: Cidr): string {
  const bits = bitsOf(familyOf(base))
  const mask = ((1n << BigInt(prefixLength)) - 1n) << BigInt(bits - prefixLength)
  return mask.toString(16).padStart(bits / 4, '0')
}

function concatenation(...types: readonly number[]): number {
  return types.reduce((packed, type) => (packed << 6) | type, 0)
}

const SPECS: ReadonlyMap<string, SetSpec> = new Map(
  setDefinitions().map(({ name, spec }) => [name, spec]),
)
