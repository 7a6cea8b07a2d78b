/**
 * nf_tables as plain data: what crosses the seam. One table of family inet per caller.
 *
 * **Source:** `include/uapi/linux/netfilter/nf_tables.h`
 */
import type { OperationResult } from './operation.ts'

/** A 32-bit register, NFT_REG32_00 = 8 to NFT_REG32_15 = 23. */
export type Register = number

/** One expression of a rule; bytes are hexadecimal. */
export type Expression =
  | { readonly expr: 'meta'; readonly key: string; readonly dreg: Register }
  | {
      readonly expr: 'payload'
      readonly base: 'network' | 'transport'
      readonly offset: number
      readonly length: number
      readonly dreg: Register
    }
  | {
      readonly expr: 'cmp'
      readonly op: 'eq' | 'neq'
      readonly sreg: Register
      readonly bytes: string
    }
  | {
      readonly expr: 'bitwise'
      readonly sreg: Register
      readonly dreg: Register
      readonly mask: string
      readonly xor: string
    }
  | {
      readonly expr: 'lookup'
      readonly set: string
      readonly sreg: Register
      readonly dreg?: Register
      readonly isInverted?: boolean
      readonly isVerdict?: boolean
    }
  | { readonly expr: 'immediate'; readonly dreg: Register; readonly bytes: string }
  | {
      readonly expr: 'verdict'
      readonly code: 'accept' | 'drop' | 'return' | 'goto' | 'jump'
      readonly chain?: string
    }
  | {
      readonly expr: 'numgen'
      readonly type: 'random' | 'inc'
      readonly modulus: number
      readonly dreg: Register
    }
  | {
      /** A number below the modulus, the same for the same bytes. */
      readonly expr: 'hash'
      readonly type: 'jhash'
      readonly sreg: Register
      /** How many bytes are hashed. */
      readonly length: number
      readonly modulus: number
      readonly seed: number
      readonly dreg: Register
    }
  | {
      readonly expr: 'nat'
      readonly type: 'dnat' | 'snat'
      readonly family: 'ip' | 'ip6'
      readonly addressRegister: Register
      readonly portRegister?: Register
    }
  | { readonly expr: 'masquerade' }
  | {
      readonly expr: 'reject'
      readonly type: 'tcpReset' | 'icmpx' | 'icmp' | 'icmpv6'
      readonly code?: number
    }
  | {
      readonly expr: 'ct'
      readonly key: string
      /** For addresses and ports: of the first packet, or of the answers to it. */
      readonly direction?: 'original' | 'reply'
      readonly dreg: Register
    }
  | { readonly expr: 'counter' }
  | { readonly expr: 'unknown'; readonly name: string }

/** Where a base chain hangs in the packet path. */
export interface ChainHook {
  readonly type: 'nat' | 'filter'
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  readonly priority: number
  readonly policy: 'accept' | 'drop'
}

/** How a set or map is made; type numbers are those that `nft` prints by. */
export interface SetSpec {
  readonly keyLength: number
  readonly keyType: number
  readonly valueLength?: number
  readonly valueType?: number
  readonly isMap?: boolean
  /** Keys lead to a chain; excludes `isMap`. */
  readonly isVerdictMap?: boolean
}

/** One step of a transaction. Elements are packed: n × key length, n × value length. */
export type NftOperation =
  | { readonly kind: 'addTable' | 'deleteTable'; readonly table: string }
  | {
      readonly kind: 'addChain'
      readonly table: string
      readonly chain: string
      readonly hook?: ChainHook
    }
  | { readonly kind: 'deleteChain' | 'flushChain'; readonly table: string; readonly chain: string }
  | {
      readonly kind: 'addRule'
      readonly table: string
      readonly chain: string
      readonly expressions: readonly Expression[]
      readonly comment?: string
    }
  | {
      readonly kind: 'addSet'
      readonly table: string
      readonly set: string
      readonly setSpec: SetSpec
    }
  | { readonly kind: 'deleteSet' | 'flushSet'; readonly table: string; readonly set: string }
  | {
      readonly kind: 'addElements' | 'deleteElements'
      readonly table: string
      readonly set: string
      /** Tells where one element ends. */
      readonly setSpec: SetSpec
      readonly keys: Uint8Array
      readonly values?: Uint8Array
      /** Targets of a verdict map, one per key. */
      readonly chains?: readonly string[]
    }

/** A table as the kernel has it, without the elements of its sets. */
export interface NftTable {
  readonly chains: readonly { readonly name: string; readonly hook?: ChainHook }[]
  readonly rules: readonly {
    readonly chain: string
    readonly expressions: readonly Expression[]
    readonly comment?: string
  }[]
  readonly sets: readonly (SetSpec & { readonly name: string })[]
}

/** The elements of a set, packed; `chains` for verdict maps. */
export interface NftElements {
  readonly keys: Uint8Array
  readonly values: Uint8Array
  readonly chains?: readonly string[]
}

/** Which elements to read. */
export interface ElementRequest {
  readonly table: string
  readonly set: string
  readonly keyLength: number
  readonly valueLength: number
}

/** The nf_tables of one network namespace. */
export interface Nftables {
  /** A number that differs after every transaction, also those of others on tables of theirs. */
  generation(): Promise<number>
  /** The table with this name in family inet, or undefined. */
  table(name: string): Promise<NftTable | undefined>
  elements(request: ElementRequest): Promise<NftElements>
  /** One kernel transaction: all or nothing. */
  transaction(operations: readonly NftOperation[]): Promise<readonly OperationResult[]>
}
