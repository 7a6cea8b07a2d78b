import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Endpoint } from '../../model/endpoint.ts'
import type { Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Channel, Destination } from '../engine/effects.ts'
import type { Challenge } from './challenge.ts'
import type { PacketRejection, SendDrop } from './events.ts'
import type { KeyRing } from './key-ring.ts'
import type { Opened, Sealer } from './seal.ts'

/** What both channels work with. */
export interface TransportContext {
  readonly node: NodeId
  readonly keys: KeyRing
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  /** Where this node listens. */
  readonly listen: Endpoint
  /** Seals a challenge. */
  readonly challenge: (challenge: Challenge) => Buffer
  /** Messages that are proven to come from a member. */
  readonly deliver: (opened: Opened, from: Endpoint, channel: Channel) => void
  readonly onRejected: (reason: PacketRejection, from: Ip) => void
  readonly onDropped: (reason: SendDrop) => void
  readonly onUnreachable: (to: Destination) => void
}
