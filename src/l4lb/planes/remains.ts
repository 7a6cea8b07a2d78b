import type { PlaneKind } from '../plane.ts'

/**
 * What a plane has in the kernel when another one is to serve VIPs: of this daemon before a
 * switch, or of one before it that ran with another plane.
 */
export interface Remains {
  readonly kind: PlaneKind
  /**
   * Lets it take no new connection any more; those that are open go on. Changes nothing where it
   * was done before.
   *
   * @returns whether anything is there that {@link Remains.sweep} would remove
   * @throws NavstarError `KERNEL_READ_FAILED`, `KERNEL_OPERATION_FAILED`; what was there goes on
   */
  retire(): Promise<boolean>
  /**
   * Removes all of it, unless a connection is known to need it.
   *
   * @returns whether nothing is left
   * @throws NavstarError `KERNEL_READ_FAILED`, `KERNEL_OPERATION_FAILED`
   */
  sweep(): Promise<boolean>
  close(): void
}
