import type { Brand } from './brand.ts'

/**
 * A node of the cluster: 32 lower-case hex digits, the first 16 bytes of the SHA-256 of its
 * Ed25519 public key. Only the holder of that key can speak for it; addresses may change.
 */
export type NodeId = Brand<string, 'NodeId'>

/** Parses a node id. @returns undefined when the text is none */
export function parseNodeId(text: string): NodeId | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as NodeId) : undefined
}
