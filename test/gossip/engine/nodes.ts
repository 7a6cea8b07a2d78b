/** Nodes for tests: identities whose signatures cost nothing, and what they state. */
import type {
  Accusation,
  Announcement,
  Head,
  Notary,
} from '../../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../../src/model/endpoint.ts'
import type { Ip } from '../../../src/model/ip.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { openFakeNotary } from '../../sim/fake-notary.ts'

const opened = new Map<string, Notary>()

/** The notary of a named node, e.g. `a`; the same name, the same node. */
export function notaryOf(name: string): Notary {
  const known = opened.get(name) ?? openFakeNotary(name)
  opened.set(name, known)
  return known
}

/** The id of a named node. */
export function nodeOf(name: string): NodeId {
  return notaryOf(name).node
}

/** Where the n-th node listens: `10.0.0.n:62080`. */
export function endpointOf(number: number): Endpoint {
  return { address: `10.0.${number >> 8}.${number & 255}` as Ip, port: 62_080 }
}

/** What a node announces of itself. */
export function announce(
  notary: Notary,
  {
    incarnation = 1,
    isLeaving = false,
    endpoint = endpointOf(1),
  }: Partial<Pick<Announcement, 'incarnation' | 'isLeaving' | 'endpoint'>> = {},
): Announcement {
  return notary.sign<Announcement>({
    kind: 'announcement',
    node: notary.node,
    publicKey: notary.publicKey,
    endpoint,
    incarnation,
    isLeaving,
    certificate: notary.certificate,
  })
}

/** What a node says against another. */
export function accuse(accuser: Notary, subject: NodeId, incarnation = 1): Accusation {
  return accuser.sign<Accusation>({
    kind: 'accusation',
    subject,
    incarnation,
    accuser: accuser.node,
  })
}

/** What a node states of its records. */
export function headOf(
  notary: Notary,
  fields: Pick<Head, 'version' | 'digest'> & Partial<Pick<Head, 'floor' | 'bucketBits'>>,
): Head {
  return notary.sign<Head>({ kind: 'head', node: notary.node, floor: 1, bucketBits: 0, ...fields })
}

/** A node id by its first digits, e.g. `4f`; the rest is zeros, or `filler` again and again. */
export function idOf(digits: string, filler = '0'): NodeId {
  return digits.padEnd(32, filler) as NodeId
}
