/**
 * The table `navstar-ipvs`, family inet: what IPVS leaves to do.
 *
 * Chain `postrouting`: a connection that IPVS translated and that leaves by the link on which it
 * came. The backend would answer the client directly, past IPVS, so it gets this host for a client.
 *
 * Chain `input`: VIPs are local addresses, so a program that listens on all addresses would answer
 * for those that have no service. IPVS saw the packet before: what is still addressed to a VIP here
 * is nobody's.
 *
 * **Source:** `net/netfilter/ipvs/ip_vs_core.c` (`ip_vs_ops4`: priorities 98 and 99 on input)
 */
import type { ChainHook, Expression, SetSpec } from '../../../kernel/nftables.ts'
import { bitsOf, type Cidr } from '../../../model/cidr.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import { writeIp } from '../../../model/ip-bytes.ts'
import { FAMILIES, type Rule, TYPE } from '../nftables/rules.ts'

/** The table's name; its content is ours alone. */
export const GUARD_TABLE = 'navstar-ipvs'

/** A base chain with its rules. */
export interface GuardChain {
  readonly name: string
  readonly hook: ChainHook
  readonly rules: readonly Rule[]
}

/** Sets: each link with itself, and literal VIPs outside of the blocks. */
export const GUARD_SETS: Readonly<Record<'hairpin' | 'vips4' | 'vips6', SetSpec>> = {
  hairpin: { keyLength: 8, keyType: (TYPE.interface << 6) | TYPE.interface },
  vips4: { keyLength: 4, keyType: TYPE.ipv4 },
  vips6: { keyLength: 16, keyType: TYPE.ipv6 },
}

const SNAT_PRIORITY = 100
const AFTER_IPVS_PRIORITY = 110

/** First of the 32-bit registers (NFT_REG32_00). */
const R0 = 8

/** NFT_REJECT_ICMPX_PORT_UNREACH */
const ICMPX_PORT_UNREACHABLE = 1

/** The chains, with the rules for these blocks of VIPs. */
export function guardChains(ranges: readonly Cidr[]): readonly GuardChain[] {
  const vips = [...ranges.map(inRange), inLiterals(4), inLiterals(6)]
  return [
    {
      name: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: SNAT_PRIORITY, policy: 'accept' },
      rules: vips.map(({ family, match }) => [
        { expr: 'meta', key: 'iif', dreg: R0 },
        { expr: 'meta', key: 'oif', dreg: R0 + 1 },
        { expr: 'lookup', set: 'hairpin', sreg: R0 },
        ...familyMatch(family),
        { expr: 'ct', key: FAMILIES[family].originalDaddr, direction: 'original', dreg: R0 },
        ...match,
        { expr: 'masquerade' },
      ]),
    },
    {
      name: 'input',
      hook: { type: 'filter', hook: 'input', priority: AFTER_IPVS_PRIORITY, policy: 'accept' },
      rules: vips.flatMap(({ family, match }): Rule[] => {
        const { addressBytes, daddrOffset } = FAMILIES[family]
        const address: Expression[] = [
          ...familyMatch(family),
          { expr: 'payload', base: 'network', offset: daddrOffset, length: addressBytes, dreg: R0 },
          ...match,
        ]
        return [
          [...address, ...protocolMatch('06'), { expr: 'reject', type: 'tcpReset' }],
          [
            ...address,
            ...protocolMatch('11'),
            { expr: 'reject', type: 'icmpx', code: ICMPX_PORT_UNREACHABLE },
          ],
        ]
      }),
    },
  ]
}

interface VipMatch {
  readonly family: Family
  /** Goes on when the address in the registers from R0 on is a VIP's. */
  readonly match: readonly Expression[]
}

function inRange(range: Cidr): VipMatch {
  const family = familyOf(range.base)
  const bytes = Buffer.alloc(FAMILIES[family].addressBytes)
  writeIp(range.base, bytes, 0)
  return {
    family,
    match: [
      { expr: 'bitwise', sreg: R0, dreg: R0, mask: maskOf(range), xor: '00'.repeat(bytes.length) },
      { expr: 'cmp', op: 'eq', sreg: R0, bytes: bytes.toString('hex') },
    ],
  }
}

function inLiterals(family: Family): VipMatch {
  return { family, match: [{ expr: 'lookup', set: `vips${family}`, sreg: R0 }] }
}

function familyMatch(family: Family): Expression[] {
  return [
    { expr: 'meta', key: 'nfproto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: FAMILIES[family].nfproto },
  ]
}

function protocolMatch(protocol: string): Expression[] {
  return [
    { expr: 'meta', key: 'l4proto', dreg: R0 },
    { expr: 'cmp', op: 'eq', sreg: R0, bytes: protocol },
  ]
}

function maskOf({ base, prefixLength }: Cidr): string {
  const bits = bitsOf(familyOf(base))
  const mask = ((1n << BigInt(prefixLength)) - 1n) << BigInt(bits - prefixLength)
  return mask.toString(16).padStart(bits / 4, '0')
}
