/**
 * The sessions that this node sends datagrams in: one per destination, so that what was meant for
 * one node cannot be given to another, which could not get it proven.
 */
import { randomBytes } from 'node:crypto'
import type { Destination } from '../engine/effects.ts'
import type { ClusterKey } from './key-ring.ts'
import { deriveSubkey, type PacketType, SESSION_BYTES, type Sealer } from './seal.ts'

/** Sessions that are kept; the one unused for longest goes first and is drawn anew if needed. */
const MAX_SESSIONS = 4096

/** Sessions of an earlier key that are kept. */
const MAX_RETIRED = 256

/** Packets older than this are not fresh any more when a session is proven. */
const FRESH_MS = 2000

/** A session of this node: draws counters, seals. */
export class SendingSession {
  readonly key: ClusterKey
  readonly id: Uint8Array
  readonly #sealer: Sealer
  readonly #subkey: ReturnType<typeof deriveSubkey>
  #counter = 0
  /** The counters at the begin of the last two stretches of {@link FRESH_MS}. */
  #fresh: { readonly atMs: number; readonly counter: number; readonly earlier: number }

  constructor(key: ClusterKey, sealer: Sealer, nowMs: number) {
    this.key = key
    this.id = randomBytes(SESSION_BYTES)
    this.#sealer = sealer
    this.#subkey = deriveSubkey(key, this.id)
    this.#fresh = { atMs: nowMs, counter: 0, earlier: 0 }
  }

  /** @param nowMs when, so that what is fresh can be told later */
  seal(type: PacketType, content: Uint8Array, nowMs: number): Buffer {
    this.#age(nowMs)
    return this.#sealer.seal({
      type,
      key: this.key,
      subkey: this.#subkey,
      session: this.id,
      counter: this.#counter++,
      content,
    })
  }

  /** Counters below this were drawn more than {@link FRESH_MS} ago. */
  freshFrom(nowMs: number): number {
    this.#age(nowMs)
    return this.#fresh.earlier
  }

  #age(nowMs: number): void {
    const { atMs, counter } = this.#fresh
    const ageMs = nowMs - atMs
    if (ageMs < FRESH_MS) return
    const earlier = ageMs < 2 * FRESH_MS ? counter : this.#counter
    this.#fresh = { atMs: nowMs, counter: this.#counter, earlier }
  }
}

/** A session and where it goes. */
export interface Directed {
  readonly to: Destination
  readonly session: SendingSession
}

/** The session for each destination. */
export class SendingSessions {
  readonly #byDestination = new Map<string, Directed>()
  readonly #byId = new Map<string, Directed>()
  /** Sessions of an earlier key, for what is still under way in them. */
  readonly #retired = new Map<string, Directed>()

  /** The session to a destination with the key that holds now, drawn when there is none. */
  to(to: Destination, key: ClusterKey, draw: () => SendingSession): SendingSession {
    const name = destinationKey(to)
    const known = this.#byDestination.get(name)
    this.#byDestination.delete(name)
    if (known?.session.key.id === key.id) {
      this.#byDestination.set(name, known)
      return known.session
    }
    const drawn = { to, session: draw() }
    if (known !== undefined) this.#retire(known)
    this.#byDestination.set(name, drawn)
    this.#byId.set(textOf(drawn.session.id), drawn)
    if (this.#byDestination.size > MAX_SESSIONS) this.#evict()
    return drawn.session
  }

  /** The session with this id and where it goes. */
  find(id: Uint8Array): Directed | undefined {
    return this.#byId.get(textOf(id)) ?? this.#retired.get(textOf(id))
  }

  #retire(directed: Directed): void {
    const id = textOf(directed.session.id)
    this.#byId.delete(id)
    this.#retired.set(id, directed)
    if (this.#retired.size > MAX_RETIRED) this.#retired.delete(firstOf(this.#retired))
  }

  #evict(): void {
    const name = firstOf(this.#byDestination)
    const directed = this.#byDestination.get(name)
    this.#byDestination.delete(name)
    if (directed !== undefined) this.#byId.delete(textOf(directed.session.id))
  }
}

function firstOf(map: ReadonlyMap<string, unknown>): string {
  for (const key of map.keys()) return key
  return ''
}

/** A destination as a key of a map. */
export function destinationKey({ node, endpoint: { address, port } }: Destination): string {
  return `${address} ${port} ${node ?? ''}`
}

function textOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}
