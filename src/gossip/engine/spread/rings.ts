/**
 * Neighbours on rings: each ring orders the nodes by other digits of their ids. The successors of
 * a node are watched by it; successors and predecessors together make an expander, which stays
 * connected when many nodes fail.
 *
 * **Source:** Rapid (Suresh et al., USENIX ATC 2018) §4.1
 */
import type { NodeId } from '../../../model/node-id.ts'
import { RING_COUNT } from '../statements.ts'

const CIRCLE = 2 ** 32

interface Neighbours {
  successor: NodeId | undefined
  successorDistance: number
  predecessor: NodeId | undefined
  predecessorDistance: number
}

/** The neighbours of one node among those that are eligible. */
export class Rings {
  readonly #self: NodeId
  readonly #isEligible: (node: NodeId) => boolean
  readonly #nodes: () => Iterable<NodeId>
  readonly #rings: readonly Neighbours[]
  #isStale = true
  #successors: ReadonlySet<NodeId> = new Set()
  #all: ReadonlySet<NodeId> = new Set()

  constructor(
    self: NodeId,
    {
      nodes,
      isEligible,
    }: {
      readonly nodes: () => Iterable<NodeId>
      readonly isEligible: (node: NodeId) => boolean
    },
  ) {
    this.#self = self
    this.#nodes = nodes
    this.#isEligible = isEligible
    this.#rings = Array.from({ length: RING_COUNT }, nobody)
  }

  /** The next eligible node on each ring; fewer when one is next on several. */
  get successors(): ReadonlySet<NodeId> {
    this.#refresh()
    return this.#successors
  }

  /** Successors and predecessors. */
  get all(): ReadonlySet<NodeId> {
    this.#refresh()
    return this.#all
  }

  /** The node appeared, vanished or changed its eligibility. */
  note(node: NodeId): void {
    if (this.#isStale || node === this.#self) return
    const isNeighbour = this.#all.has(node)
    if (isNeighbour === this.#isEligible(node)) return
    if (isNeighbour || this.#isNearer(node)) this.#isStale = true
  }

  #isNearer(node: NodeId): boolean {
    return this.#rings.some((ring, index) => {
      const distance = distanceOf(this.#self, node, index)
      return distance < ring.successorDistance || CIRCLE - distance < ring.predecessorDistance
    })
  }

  #refresh(): void {
    if (!this.#isStale) return
    this.#isStale = false
    for (const ring of this.#rings) Object.assign(ring, nobody())
    for (const node of this.#nodes()) {
      if (node !== this.#self && this.#isEligible(node)) this.#consider(node)
    }
    const successors = this.#rings.map(({ successor }) => successor)
    const predecessors = this.#rings.map(({ predecessor }) => predecessor)
    this.#successors = new Set(successors.filter((node) => node !== undefined))
    this.#all = new Set([...successors, ...predecessors].filter((node) => node !== undefined))
  }

  #consider(node: NodeId): void {
    for (const [index, ring] of this.#rings.entries()) {
      const distance = distanceOf(this.#self, node, index)
      if (distance < ring.successorDistance) {
        ring.successor = node
        ring.successorDistance = distance
      }
      if (CIRCLE - distance < ring.predecessorDistance) {
        ring.predecessor = node
        ring.predecessorDistance = CIRCLE - distance
      }
    }
  }
}

function nobody(): Neighbours {
  return {
    successor: undefined,
    successorDistance: Number.POSITIVE_INFINITY,
    predecessor: undefined,
    predecessorDistance: Number.POSITIVE_INFINITY,
  }
}

/** How far it is from one node to another along a ring. */
function distanceOf(from: NodeId, to: NodeId, ring: number): number {
  return (positionOf(to, ring) - positionOf(from, ring) + CIRCLE) % CIRCLE
}

function positionOf(node: NodeId, ring: number): number {
  return Number.parseInt(node.slice(8 * ring, 8 * ring + 8), 16)
}
