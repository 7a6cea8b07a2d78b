import { NavstarError } from '../base/error.ts'

/** What the kernel said to one operation of a batch. */
export interface OperationResult {
  /** 0, or the positive error number. */
  readonly errno: number
  /** `OK`, or the symbol of the error number, e.g. `EEXIST`. */
  readonly name: string
  /** False when the operation failed or the batch that held it was rolled back. */
  readonly applied: boolean
  /** The kernel's own words, where it gave any (extended ack). */
  readonly message?: string
}

/** What the kernel reports when someone changes its state. */
export interface KernelEvent {
  /** `overflow`: events were lost; whoever listens reads everything anew. */
  readonly kind: 'link' | 'address' | 'route' | 'nftables' | 'overflow'
  /** The table, link or route concerned. */
  readonly subject: string
  readonly isRemoval: boolean
}

/** Wraps a failed read of kernel state. */
export function readFailure(attempt: string, cause: unknown): NavstarError {
  return new NavstarError('KERNEL_READ_FAILED', { attempt, cause })
}
