/** A node's own records on a stand, as far as tests of other nodes need them: the owner's side. */
import type { Delta } from '../../../src/gossip/engine/messages.ts'
import { OwnRecords } from '../../../src/gossip/engine/records/own-records.ts'
import { Records } from '../../../src/gossip/engine/records/records.ts'
import type { EngineSettings } from '../../../src/gossip/engine/settings.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { announce } from './nodes.ts'
import { change } from './records/record-sets.ts'
import { Stand } from './stand.ts'

/** What an {@link Owner} begins with. */
export interface OwnerOptions {
  readonly firstVersion?: number
  readonly isJoined?: boolean
  readonly settings?: Partial<EngineSettings>
}

/** A node that states records; what it would spread is kept. */
export class Owner {
  readonly stand: Stand
  readonly records: Records
  readonly own: OwnRecords
  readonly deltas: Delta[] = []
  isJoined: boolean

  constructor(
    name: string,
    { firstVersion = 1, isJoined = true, settings = {} }: OwnerOptions = {},
  ) {
    this.stand = new Stand(name, settings)
    this.isJoined = isJoined
    this.records = new Records(this.stand.ground)
    this.own = new OwnRecords(this.stand.ground, {
      firstVersion,
      records: this.records,
      isJoined: () => this.isJoined,
      spread: (delta) => this.deltas.push(delta),
    })
  }

  get node(): NodeId {
    return this.stand.ground.self
  }

  /** Publishes `{ key: value }`; an undefined value removes. */
  publish(values: Readonly<Record<string, string | undefined>>, isComplete = true): this {
    const changes = Object.entries(values).map(([key, value]) => change(key, value))
    this.stand.call(() => this.own.publish(changes, isComplete))
    this.stand.pass(10)
    return this
  }

  /** All that someone lacks who holds this much, in one delta. */
  deltaFrom(held: number): Delta {
    const delta = this.records.partFor({ node: this.node, held, isStaged: false })
    if (delta === undefined) throw new Error(`nothing is newer than ${held}`)
    return delta
  }

  /** All parts of what someone lacks who holds this much, as they are asked for one by one. */
  partsFrom(held: number): Delta[] {
    const parts = [this.deltaFrom(held)]
    for (let last = parts[0]; last !== undefined && last.through < last.head.version; ) {
      const isStaged = parts[0]?.from === 0
      last = this.records.partFor({ node: this.node, held: last.through, isStaged })
      if (last !== undefined) parts.push(last)
    }
    return parts
  }

  /** The live records by key. */
  live(node: NodeId = this.node): Record<string, string> {
    const rows = [...this.records.live()].filter((row) => row.node === node)
    return Object.fromEntries(rows.map(({ key, value }) => [key, Buffer.from(value).toString()]))
  }
}

/** What a set of records is said to be, for comparing two nodes. */
export function statedBy(records: Records, node: NodeId): unknown {
  const holding = records.of(node)
  if (holding === undefined) return undefined
  const { version, floor } = holding.head
  const digest = Buffer.from(holding.set.digest()).toString('hex')
  return { version, floor, digest, size: holding.set.size }
}

/** A node that takes what an owner spreads. */
export interface Peer {
  readonly stand: Stand
  readonly records: Records
  /** Takes what was spread since the last time. @returns what became of each delta */
  follow(): string[]
}

/** A peer of the owner. */
export function peerOf(owner: Owner): Peer {
  const stand = new Stand('peer')
  const records = new Records(stand.ground)
  stand.ground.membership.announce(announce(owner.stand.ground.notary))
  const follow = () =>
    owner.deltas.splice(0).map((delta) => stand.call(() => records.receive(delta)).kind)
  return { stand, records, follow }
}
