/** What all parts of the engine stand on. */
import type { Random } from '../../base/random.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Destination } from './effects.ts'
import type { Membership } from './membership/membership.ts'
import type { Outbox } from './outbox.ts'
import type { EngineSettings } from './settings.ts'
import type { Notary } from './statements.ts'
import type { Timers } from './timers.ts'
import type { Turn } from './turn.ts'

/** The shared parts. */
export interface Ground {
  readonly self: NodeId
  readonly settings: EngineSettings
  readonly notary: Notary
  readonly random: Random
  readonly turn: Turn
  readonly timers: Timers
  readonly outbox: Outbox
  readonly membership: Membership
}

/** Where a member is; undefined for strangers. */
export function destinationOf({ membership }: Ground, node: NodeId): Destination | undefined {
  const announcement = membership.announcementOf(node)
  return announcement && { node, endpoint: announcement.endpoint }
}

/** Draws up to `count` distinct items. */
export function draw<T>(random: Random, items: readonly T[], count: number): T[] {
  const pool = [...items]
  const drawn: T[] = []
  while (drawn.length < count && pool.length > 0) {
    const index = Math.floor(random.next() * pool.length)
    const [item] = pool.splice(index, 1)
    if (item !== undefined) drawn.push(item)
  }
  return drawn
}

/** A time around `meanMs`, so that nodes do not march in step. */
export function jittered(random: Random, meanMs: number): number {
  return meanMs * (0.75 + 0.5 * random.next())
}
