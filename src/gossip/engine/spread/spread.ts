/**
 * How news travels: statements are flooded over all links, deltas go over eager links with their
 * names on the lazy ones.
 *
 * **Source:** Plumtree (Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees, SRDS 2007)
 */
import type { NodeId } from '../../../model/node-id.ts'
import { messageSize } from '../../wire/size.ts'
import { destinationOf, type Ground } from '../ground.ts'
import type { Delta, Have, Message, Want } from '../messages.ts'
import { MAX_AGE_MS, type Records } from '../records/records.ts'
import type { Accusation, Announcement, Eviction, Head } from '../statements.ts'
import type { Links } from './links.ts'
import type { MissingVersions } from './missing.ts'

/** What a hop adds to the age of a delta, at least. */
const HOP_MS = 1

/** More of one question is not answered. */
const MAX_WANTED = 32

/** A link that brought something new so recently stays eager. */
const USEFUL_MS = 300

/** What {@link Spread} works with. */
export interface SpreadParts {
  readonly links: Links
  readonly records: Records
  readonly missing: MissingVersions
  /** A later version of this node's own records is out there than it knows. */
  readonly onOwnAhead: (version: number) => void
  /** Records of this node's earlier life were taken over. */
  readonly onEarlierLife: () => void
  /** This node's records were not stated yet in this life. */
  readonly isSilent: () => boolean
}

/** Spreads what is new. */
export class Spread {
  readonly #ground: Ground
  readonly #parts: SpreadParts

  constructor(ground: Ground, parts: SpreadParts) {
    this.#ground = ground
    this.#parts = parts
  }

  /** Sends a statement over all links but that where it came from. */
  flood(statement: Announcement | Accusation | Eviction, source?: NodeId): void {
    for (const peer of this.#parts.links.peers) {
      const to = peer === source ? undefined : destinationOf(this.#ground, peer)
      if (to !== undefined) this.#ground.outbox.patient(to, statement)
    }
  }

  /** Sends a delta over the eager links, and its name over the lazy ones. */
  spread(delta: Delta, source?: NodeId): void {
    const { links } = this.#parts
    const { node, version } = delta.head
    const isPart = delta.through < version
    for (const peer of links.peers) {
      if (peer === source) continue
      const to = destinationOf(this.#ground, peer)
      if (to === undefined) continue
      if (!links.isEager(peer)) links.noteNews(peer, node, version)
      else if (!isPart) this.#ground.outbox.urgent(to, delta)
      else this.#ground.outbox.urgent(to, { kind: 'have', entries: [{ node, version }] })
    }
  }

  onDelta(from: NodeId, delta: Delta): void {
    const { head, through } = delta
    const { self, membership, turn } = this.#ground
    const { records, missing, links } = this.#parts
    links.noteHeld(from, head.node, head.version)
    if (head.node === self && !this.#parts.isSilent()) {
      this.#onOwn(head)
      return
    }
    const held = membership.heldOf(head.node)
    const isAsked = missing.isAskedOf(head.node, from)
    const receipt = records.receive(delta)
    switch (receipt.kind) {
      case 'applied':
        missing.settle(head.node, from)
        if (head.node === self) this.#parts.onEarlierLife()
        links.noteUseful(from, turn.nowMs)
        turn.emit({
          kind: 'delta-applied',
          node: head.node,
          ageMs: delta.ageMs,
          isWhole: receipt.isWhole,
        })
        this.#forward(delta, held, from)
        break
      case 'duplicate':
        turn.emit({ kind: 'delta-duplicate', node: head.node })
        missing.settle(head.node, from)
        if (!isAsked && through === head.version) this.#prune(from)
        break
      case 'staged':
        missing.note(head.node, head.version, from)
        missing.goOn(head.node, from)
        break
      case 'gap':
        missing.askNow(head.node, head.version, from)
        break
      case 'rejected':
        turn.emit({ kind: 'rejected', from, reason: receipt.reason, message: 'delta' })
        missing.settle(head.node, from)
        break
    }
  }

  /** A head of this node's own, perhaps of an earlier life. */
  #onOwn(head: Head): void {
    const { self, membership, notary } = this.#ground
    if (head.version <= membership.heldOf(self) || !notary.isValid(head, notary.publicKey)) return
    this.#parts.missing.drop(self)
    this.#parts.onOwnAhead(head.version)
  }

  onHave(from: NodeId, { entries }: Have): void {
    const { membership } = this.#ground
    for (const { node, version } of entries) {
      this.#parts.links.noteHeld(from, node, version)
      // a version of this node's own that it does not know is asked for: only a head proves it
      if (membership.announcementOf(node) !== undefined) {
        this.#parts.missing.note(node, version, from)
      }
    }
  }

  onWant(from: NodeId, { isGraft, entries }: Want): void {
    const to = destinationOf(this.#ground, from)
    if (to === undefined) return
    if (isGraft) this.#parts.links.setEager(from, true)
    const taken = entries.slice(0, MAX_WANTED)
    const parts = taken.map((entry) => this.#parts.records.partFor(entry))
    for (const delta of parts) if (delta !== undefined) this.#answer(to, delta)
  }

  /** The last eager link is kept: nodes that speak at once can prune each other's ways to a third. */
  onPrune(from: NodeId): void {
    const { links } = this.#parts
    links.setEager(from, false)
    const to = destinationOf(this.#ground, from)
    if (to === undefined || links.hasEager) return
    links.setEager(from, true)
    this.#ground.outbox.patient(to, { kind: 'want', isGraft: true, entries: [] })
  }

  #answer(to: NonNullable<ReturnType<typeof destinationOf>>, message: Message): void {
    const { outbox, settings } = this.#ground
    if (messageSize(message) > settings.datagramBytes) outbox.bulk(to, message)
    else outbox.urgent(to, message)
  }

  /** Passes on what makes of an older version the present one; of what is held, not of what came. */
  #forward(delta: Delta, heldBefore: number, source: NodeId): void {
    const { node, floor } = delta.head
    const isWider = delta.from < heldBefore && delta.from >= Math.max(floor, 1)
    const held = isWider ? delta.from : heldBefore
    const part = this.#parts.records.partFor({ node, held, isStaged: false })
    if (part === undefined) return
    this.spread({ ...part, ageMs: Math.min(MAX_AGE_MS, part.ageMs + HOP_MS) }, source)
  }

  #prune(peer: NodeId): void {
    const { links } = this.#parts
    const to = destinationOf(this.#ground, peer)
    if (to === undefined || !links.peers.has(peer)) return
    // when many nodes speak at once, a link that is superfluous for one is needed for another
    if (this.#ground.turn.nowMs - links.usefulMsOf(peer) < USEFUL_MS) return
    links.setEager(peer, false)
    if (links.hasEager) this.#ground.outbox.patient(to, { kind: 'prune' })
    else links.setEager(peer, true)
  }
}
