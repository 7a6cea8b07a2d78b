import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Digest } from '../engine/messages.ts'

/**
 * What the fields of a message are written into, one after another: bytes, or only their number.
 * Integers are big-endian; `docs/gossip.md` gives the layouts.
 */
export interface Sink {
  u8(value: number): void
  /** One byte, 0 or 1. */
  flag(value: boolean): void
  u16(value: number): void
  u32(value: number): void
  /** Eight bytes, an integer from 0 to 2^53 − 1. */
  u53(value: number): void
  /** The bytes alone: their number is part of the layout. */
  bytes(value: Uint8Array): void
  /** The number of bytes (u16), and the bytes. */
  bytes16(value: Uint8Array): void
  /** The number of bytes (u32), and the bytes. */
  bytes32(value: Uint8Array): void
  /** The number of bytes in UTF-8 (u16), and the bytes. */
  text(value: string): void
  /** 16 bytes. */
  id(value: NodeId): void
  /** 16 bytes of address, IPv4 mapped, and the port (u16). */
  endpoint(value: Endpoint): void
  /** Eight bytes. */
  digest(value: Digest): void
}
