import type { FuzzedDecoder } from './decoder.ts'
import { GOSSIP_DECODERS } from './gossip-decoders.ts'
import { L4LB_DECODERS } from './l4lb-decoders.ts'
import { MESOS_DECODERS } from './mesos-decoders.ts'

/** Every decoder that reads bytes of other nodes. A new one is one line. */
export const DECODERS: readonly FuzzedDecoder[] = [
  ...GOSSIP_DECODERS,
  ...L4LB_DECODERS,
  ...MESOS_DECODERS,
]
