/** The parts of a node that spread and ask for records, on a stand, with peers that are links. */

import { Records } from '../../../src/gossip/engine/records/records.ts'
import { Links } from '../../../src/gossip/engine/spread/links.ts'
import { MissingVersions } from '../../../src/gossip/engine/spread/missing.ts'
import { Rings } from '../../../src/gossip/engine/spread/rings.ts'
import { Spread } from '../../../src/gossip/engine/spread/spread.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { Stand } from './stand.ts'

/** A node with these peers, all of them its links. */
export class Neighbourhood {
  readonly stand: Stand = new Stand('self', { partBytes: 2000 })
  readonly peers: readonly NodeId[]
  readonly rings: Rings
  readonly links: Links
  readonly records: Records
  readonly missing: MissingVersions
  readonly spread: Spread
  readonly ownAhead: number[] = []
  earlierLives = 0
  isSilent = false

  constructor(...names: readonly string[]) {
    this.peers = this.stand.meet(...names)
    const { ground } = this.stand
    this.rings = new Rings(ground.self, {
      nodes: () => ground.membership.nodes(),
      isEligible: (node) => ground.membership.stateOf(node) === 'alive',
    })
    this.links = new Links(this.rings)
    this.records = new Records(ground)
    this.missing = new MissingVersions(ground, { records: this.records, links: this.links })
    this.spread = new Spread(ground, {
      links: this.links,
      records: this.records,
      missing: this.missing,
      onOwnAhead: (version) => this.ownAhead.push(version),
      onEarlierLife: () => this.earlierLives++,
      isSilent: () => this.isSilent,
    })
  }
}
