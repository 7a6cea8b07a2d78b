/** The bounded view that deltas spread over, and which of its links are eager. */
import type { NodeId } from '../../../model/node-id.ts'
import type { Have } from '../messages.ts'
import type { Rings } from './rings.ts'

interface Link {
  isEager: boolean
  /** When the peer last brought something new. */
  usefulMs: number
  /** Versions that the peer may lack; told with the next ping or ack. */
  readonly news: Map<NodeId, number>
}

const MAX_NEWS_PER_MESSAGE = 40
const MAX_SPARE_LINKS = 64

/** The links of one node. They begin eager. */
export class Links {
  readonly #rings: Rings
  readonly #links = new Map<NodeId, Link>()

  constructor(rings: Rings) {
    this.#rings = rings
  }

  /** The peers that spread for this node. */
  get peers(): ReadonlySet<NodeId> {
    return this.#rings.all
  }

  /** Whether copies come and go over any link. */
  get hasEager(): boolean {
    for (const peer of this.peers) if (this.isEager(peer)) return true
    return false
  }

  isEager(peer: NodeId): boolean {
    return this.#links.get(peer)?.isEager ?? true
  }

  setEager(peer: NodeId, isEager: boolean): void {
    this.#at(peer).isEager = isEager
  }

  /** The peer brought something new. */
  noteUseful(peer: NodeId, nowMs: number): void {
    this.#at(peer).usefulMs = nowMs
  }

  usefulMsOf(peer: NodeId): number {
    return this.#links.get(peer)?.usefulMs ?? Number.NEGATIVE_INFINITY
  }

  /** The peer will be told that this version is here, if it is this node that tells it. */
  noteNews(peer: NodeId, node: NodeId, version: number): void {
    if (this.#rings.successors.has(peer)) this.#at(peer).news.set(node, version)
  }

  /** The peer has this version. */
  noteHeld(peer: NodeId, node: NodeId, version: number): void {
    const news = this.#links.get(peer)?.news
    if ((news?.get(node) ?? Number.POSITIVE_INFINITY) <= version) news?.delete(node)
  }

  /** What goes along with the next ping or ack to a peer: nothing, or one message. */
  takeNews(peer: NodeId): readonly Have[] {
    const news = this.#links.get(peer)?.news
    if (news === undefined || news.size === 0) return []
    const entries: { node: NodeId; version: number }[] = []
    for (const [node, version] of news) {
      if (entries.length === MAX_NEWS_PER_MESSAGE) break
      entries.push({ node, version })
      news.delete(node)
    }
    return [{ kind: 'have', entries }]
  }

  #at(peer: NodeId): Link {
    const known = this.#links.get(peer)
    if (known !== undefined) return known
    if (this.#links.size > this.peers.size + MAX_SPARE_LINKS) this.#dropSpare()
    const link: Link = { isEager: true, usefulMs: Number.NEGATIVE_INFINITY, news: new Map() }
    this.#links.set(peer, link)
    return link
  }

  #dropSpare(): void {
    for (const peer of this.#links.keys()) if (!this.peers.has(peer)) this.#links.delete(peer)
  }
}
