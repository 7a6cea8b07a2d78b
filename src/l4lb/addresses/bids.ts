/** Claims as the plan sees them: who said when that a name shall have which offset. */
import type { NodeId } from '../../model/node-id.ts'

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

  /**
   * The order in which names get addresses: those with a bid by its time, then the others; each by
   * the order of the text.
   */
  compare(left: string, right: string): number {
    const [one, other] = [this.of(left), this.of(right)]
    const never = Number.POSITIVE_INFINITY
    const [time, otherTime] = [one?.claimedAtMs ?? never, other?.claimedAtMs ?? never]
    if (time !== otherTime) return time < otherTime ? -1 : 1
    return left < right ? -1 : 1
  }
}

function compareBids(left: Bid, right: Bid): number {
  if (left.claimedAtMs !== right.claimedAtMs) return left.claimedAtMs - right.claimedAtMs
  return left.node < right.node ? -1 : 1
}
