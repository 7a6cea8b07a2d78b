/** Claims as the plan sees them: who said when that a name shall have which offset. */
import type { NodeId } from '../model/node-id.ts'

/** A node's claim. */
export interface Bid {
  readonly node: NodeId
  readonly offset: bigint
  readonly claimedAtMs: number
}

/** All claims of names, by name; of one name the earliest counts. */
export class Bids {
  /** Earliest first. */
  readonly #byName = new Map<string, readonly Bid[]>()

  /** The bid that counts. @param except a node that is not asked */
  of(name: string, except?: NodeId): Bid | undefined {
    const bids = this.#byName.get(name)
    return except === undefined ? bids?.[0] : bids?.find(({ node }) => node !== except)
  }

  /** A node bids for the name, or no more. */
  set(name: string, node: NodeId, bid: Bid | undefined): void {
    const others = (this.#byName.get(name) ?? []).filter((each) => each.node !== node)
    const bids = bid === undefined ? others : [...others, bid].sort(compareBids)
    if (bids.length === 0) this.#byName.delete(name)
    else this.#byName.set(name, bids)
  }

  /** The names in the order in which they get addresses: by the time of their bid, then by text. */
  order(names: Iterable<string>): string[] {
    const bidding: (readonly [name: string, bid: Bid])[] = []
    const others: string[] = []
    for (const name of names) {
      const bid = this.of(name)
      if (bid === undefined) others.push(name)
      else bidding.push([name, bid])
    }
    bidding.sort(([left, one], [right, other]) => {
      return one.claimedAtMs - other.claimedAtMs || (left < right ? -1 : 1)
    })
    return [...bidding.map(([name]) => name), ...others.sort()]
  }
}

function compareBids(left: Bid, right: Bid): number {
  if (left.claimedAtMs !== right.claimedAtMs) return left.claimedAtMs - right.claimedAtMs
  return left.node < right.node ? -1 : 1
}
