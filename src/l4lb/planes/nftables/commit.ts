/** Carries changes to the kernel in transactions of bounded size. */
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import type { OperationResult } from '../../../kernel/operation.ts'

/** The operations of one change; they succeed or fail together. */
export interface Change {
  readonly index: number
  readonly operations: readonly NftOperation[]
}

/** Bytes of elements per transaction: larger ones hold the kernel's lock for long. */
const TRANSACTION_BYTES = 512 * 1024

/**
 * Commits changes. One that the kernel refuses is taken out, and the others of its transaction
 * are tried again without it.
 *
 * @returns the kernel's refusal by the index of the change
 */
export async function commitChanges(
  nftables: Nftables,
  changes: readonly Change[],
): Promise<Map<number, OperationResult>> {
  const refusals = new Map<number, OperationResult>()
  for (const batch of batchesOf(changes)) {
    let rest = batch
    while (rest.length > 0) {
      const refused = await commit(nftables, rest)
      for (const [index, result] of refused) refusals.set(index, result)
      rest = refused.size === 0 ? [] : rest.filter(({ index }) => !refused.has(index))
    }
  }
  return refusals
}

/** One transaction. @returns the changes that the kernel refused; all when it named none */
async function commit(
  nftables: Nftables,
  changes: readonly Change[],
): Promise<Map<number, OperationResult>> {
  const results = await nftables.transaction(changes.flatMap(({ operations }) => operations))
  const failed = results.find(({ errno }) => errno !== 0)
  if (failed === undefined) return new Map()
  const owners = changes.flatMap(({ index, operations }) => operations.map(() => index))
  const refused = new Map<number, OperationResult>()
  results.forEach((result, position) => {
    const owner = owners[position]
    if (owner !== undefined && result.errno !== 0 && !refused.has(owner)) refused.set(owner, result)
  })
  return refused.size > 0 ? refused : new Map(changes.map(({ index }) => [index, failed]))
}

function batchesOf(changes: readonly Change[]): Change[][] {
  const batches: Change[][] = []
  let sizeBytes = TRANSACTION_BYTES
  for (const change of changes.filter(({ operations }) => operations.length > 0)) {
    if (sizeBytes >= TRANSACTION_BYTES) {
      batches.push([])
      sizeBytes = 0
    }
    batches.at(-1)?.push(change)
    sizeBytes += change.operations.reduce((total, operation) => total + sizeOf(operation), 0)
  }
  return batches
}

/** An estimate of the message's size: per element a key, a value and their attributes. */
function sizeOf(operation: NftOperation): number {
  if (operation.kind !== 'addElements' && operation.kind !== 'deleteElements') return 128
  const { keyLength } = operation.setSpec
  const count = operation.keys.length / keyLength
  return 64 + count * (keyLength + (operation.setSpec.valueLength ?? 16) + 32)
}
