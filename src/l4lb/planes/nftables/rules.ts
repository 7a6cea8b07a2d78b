/** The rules of the table, as the expressions that the kernel runs. */
import type { Expression } from '../../../kernel/nftables.ts'
import { bitsOf, type Cidr } from '../../../model/cidr.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import { writeIp } from '../../../model/ip-bytes.ts'
import { encodeSlotDraw, formatSlotDraw, type SlotDraw } from './draw.ts'

/** A rule: expressions in the order in which they run. */
export type Rule = readonly Expression[]

/** First of the 32-bit registers (NFT_REG32_00). */
const R0 = 8

/** nft's own type numbers, by which `nft list` prints elements; six bits a concatenated field. */
export const TYPE = { ipv4: 7, ipv6: 8, protocol: 12, port: 13, mark: 19, interface: 20 } as const

/** Where a family keeps its addresses; lengths and offsets in bytes. */
export interface FamilyLayout {
  /** NFPROTO_IPV4 or NFPROTO_IPV6, as one byte. */
  readonly nfproto: string
  readonly addressBytes: 4 | 16
  readonly daddrOffset: number
  /** The key of `ct` for the destination before translation. */
  readonly originalDaddr: 'dstIp' | 'dstIp6'
  readonly addressType: number
  readonly dnat: 'ip' | 'ip6'
}

/** The layouts of both families. */
export const FAMILIES: Readonly<Record<Family, FamilyLayout>> = {
  4: {
    nfproto: '02',
    addressBytes: 4,
    daddrOffset: 16,
    originalDaddr: 'dstIp',
    addressType: TYPE.ipv4,
    dnat: 'ip',
  },
  6: {
    nfproto: '0a',
    addressBytes: 16,
    daddrOffset: 24,
    originalDaddr: 'dstIp6',
    addressType: TYPE.ipv6,
    dnat: 'ip6',
  },
}

/** Goes to a chain and does not come back. */
export function goto(chain: string): Expression {
  return { expr: 'verdict', code: 'goto', chain }
}

/** Goes to a chain and comes back unless a verdict falls there. */
export function jump(chain: string): Expression {
  return { expr: 'verdict', code: 'jump', chain }
}

/** Loads destination address, protocol and port into registers from R0 on. */
function loadVipKey(family: Family): { key: Expression[]; next: number } {
  const { addressBytes, daddrOffset } = FAMILIES[family]
  const protocol = R0 + addressBytes / 4
  const key: Expression[] = [
    ...familyMatch(family),
    { expr: 'payload', base: 'network', offset: daddrOffset, length: addressBytes, dreg: R0 },
    { expr: 'meta', key: 'l4proto', dreg: protocol },
    { expr: 'payload', base: 'transport', offset: 2, length: 2, dreg: protocol + 1 },
  ]
  return { key, next: protocol + 2 }
}

/** The name of the chain that draws a slot, e.g. `slots4-3` or `slots6-64-client`. */
export function slotChainName(family: Family, draw: SlotDraw): string {
  return `slots${family}-${formatSlotDraw(draw)}`
}

/** The rule of chain `services` that leads VIPs whose slots are drawn so to their chain. */
export function dispatchRule(family: Family, draw: SlotDraw): Rule {
  const { key, next } = loadVipKey(family)
  const value = Buffer.from(Uint32Array.of(encodeSlotDraw(draw)).buffer).toString('hex')
  return [
    ...key,
    { expr: 'lookup', set: `vips${family}`, sreg: R0, dreg: next },
    { expr: 'cmp', op: 'eq', sreg: next, bytes: value },
    goto(slotChainName(family, draw)),
  ]
}

/** Draws a slot and sends the packet to its backend. */
export function slotRule(family: Family, draw: SlotDraw): Rule {
  const { key, next } = loadVipKey(family)
  const { dnat, addressBytes } = FAMILIES[family]
  const value = next + 1
  return [
    ...key,
    ...drawInto(next, family, draw),
    { expr: 'lookup', set: `slots${family}`, sreg: R0, dreg: value },
    {
      expr: 'nat',
      type: 'dnat',
      family: dnat,
      addressRegister: value,
      portRegister: value + addressBytes / 4,
    },
  ]
}

/** The same on every node, so that a client has one backend wherever its packets come in. */
const CLIENT_SEED = 0x6e76_7374

function drawInto(dreg: number, family: Family, { slots, by }: SlotDraw): Expression[] {
  if (by !== 'client') {
    const type = by === 'random' ? 'random' : 'inc'
    return [{ expr: 'numgen', type, modulus: slots, dreg }]
  }
  const { addressBytes: length, daddrOffset } = FAMILIES[family]
  return [
    { expr: 'payload', base: 'network', offset: daddrOffset - length, length, dreg },
    { expr: 'hash', type: 'jhash', sreg: dreg, length, modulus: slots, seed: CLIENT_SEED, dreg },
  ]
}

/** Packets of known connections need no look-up; new ones go on. */
export function acceptKnownRule(): Rule {
  return [
    { expr: 'ct', key: 'state', dreg: R0 },
    { expr: 'bitwise', sreg: R0, dreg: R0, mask: CT_STATE_ESTABLISHED_RELATED, xor: '00000000' },
    { expr: 'cmp', op: 'neq', sreg: R0, bytes: '00000000' },
    { expr: 'verdict', code: 'accept' },
  ]
}

/** NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), in the machine's order. */
const CT_STATE_ESTABLISHED_RELATED = '06000000'

/** LOOPBACK_IFINDEX, the same in every namespace, in the machine's order. **Source:** net/flow.h */
const LOOPBACK_INDEX = '01000000'

/** IPS_DST_NAT, in the machine's order. **Source:** linux/netfilter/nf_conntrack_common.h */
const CT_STATUS_DNAT = '20000000'

/** Rejects what is addressed to a VIP or to a block of them. */
export function rejectRules(ranges: readonly Cidr[]): Rule[] {
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
  return [...key, ...vipLookup(family, next)]
}

/**
 * Goes on when the key in the registers is a VIP's. The comparison always holds: it is there for
 * `nft list`, which leaves out a look-up whose value nothing uses.
 */
function vipLookup(family: Family, value: number): Expression[] {
  return [
    { expr: 'lookup', set: `vips${family}`, sreg: R0, dreg: value },
    { expr: 'cmp', op: 'neq', sreg: value, bytes: 'ffffffff' },
  ]
}

function rangeMatch(range: Cidr): Expression[] {
  const family = familyOf(range.base)
  const { addressBytes, daddrOffset } = FAMILIES[family]
  const zero = '00'.repeat(addressBytes)
  return [
    ...familyMatch(family),
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
 * A packet that we translated and that leaves through the interface it came from: the backend
 * would answer the client directly, past the translation, so its source becomes this host.
 */
export function hairpinRule(family: Family): Rule {
  return [
    { expr: 'meta', key: 'iif', dreg: R0 },
    { expr: 'meta', key: 'oif', dreg: R0 + 1 },
    { expr: 'lookup', set: 'hairpin', sreg: R0 },
    ...ownTranslationMatch(family),
    { expr: 'masquerade' },
  ]
}

/**
 * A backend that drew itself: it must not see a packet with its own source address. The rule for
 * hairpins does not see this on a bridge with bridge-nf-call-iptables, which has no iif here.
 * A process of the host may: its packet never leaves the loopback.
 */
export function selfRule(family: Family): Rule {
  const { addressBytes, daddrOffset } = FAMILIES[family]
  const load = { expr: 'payload', base: 'network', length: addressBytes } as const
  return [
    ...familyMatch(family),
    { ...load, offset: daddrOffset - addressBytes, dreg: R0 },
    { ...load, offset: daddrOffset, dreg: R0 + addressBytes / 4 },
    { expr: 'lookup', set: `self${family}`, sreg: R0 },
    { expr: 'meta', key: 'oif', dreg: R0 },
    { expr: 'cmp', op: 'neq', sreg: R0, bytes: LOOPBACK_INDEX },
    ...ownTranslationMatch(family),
    { expr: 'masquerade' },
  ]
}

/** The connection was translated, and by us: what it was addressed to is a VIP. */
function ownTranslationMatch(family: Family): Expression[] {
  const { addressBytes, originalDaddr } = FAMILIES[family]
  const protocol = R0 + addressBytes / 4
  return [
    ...dnatStatusMatch(),
    ...familyMatch(family),
    { expr: 'ct', key: originalDaddr, direction: 'original', dreg: R0 },
    { expr: 'meta', key: 'l4proto', dreg: protocol },
    { expr: 'ct', key: 'protoDst', direction: 'original', dreg: protocol + 1 },
    ...vipLookup(family, protocol + 2),
  ]
}

function familyMatch(family: Family): Expression[] {
  return [
    { expr: 'meta', key: 'nfproto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: FAMILIES[family].nfproto },
  ]
}

function dnatStatusMatch(): Expression[] {
  return [
    { expr: 'ct', key: 'status', dreg: R0 },
    { expr: 'bitwise', sreg: R0, dreg: R0, mask: CT_STATUS_DNAT, xor: '00000000' },
    { expr: 'cmp', op: 'neq', sreg: R0, bytes: '00000000' },
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
