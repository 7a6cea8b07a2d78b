import type { KeyObject } from 'node:crypto'
import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'
import { ReplayWindow } from './replay-window.ts'
import type { Opened } from './seal.ts'

/** Packets of one session that wait for its proof. */
export const MAX_WAITING_PACKETS = 16

/** Bytes of all packets that wait for proof. */
const MAX_WAITING_BYTES = 1 << 22

/** Sessions without proof; the oldest goes first. */
export const MAX_UNPROVEN = 1024

/** Proven sessions; the one unused for longest goes first, and proves itself again if needed. */
export const MAX_PROVEN = 4096

/** A session without proof is given up after this long. */
export const UNPROVEN_MS = 2000

/** A proven session that says nothing for this long has to prove itself again. */
export const IDLE_MS = 120_000

/** Sessions per node: by the address of a seed and by the announced one. */
const MAX_PER_NODE = 2

/** A packet that waits for the proof of its session, or is through. */
export interface Waiting {
  readonly opened: Opened
  readonly from: Endpoint
  readonly counter: number
}

/** A session of another node. */
export interface ReceivedSession {
  readonly id: string
  readonly node: NodeId
  readonly subkey: KeyObject
  readonly window: ReplayWindow
  isProven: boolean
  /** Counters below were not fresh when the session was proven. */
  freshFrom: number
  /** When it was first seen; once proven: last used. */
  usedMs: number
  challenge: Buffer | undefined
  challengedMs: number
  waiting: Waiting[]
}

/** The sessions of all other nodes, proven or not. */
export class ReceivedSessions {
  readonly #proven = new Map<string, ReceivedSession>()
  readonly #provenByNode = new Map<NodeId, ReceivedSession[]>()
  /** In the order of {@link ReceivedSession.usedMs}. */
  readonly #unproven = new Map<string, ReceivedSession>()
  #waitingBytes = 0
  /** Packets that were given up since {@link expire} said so last. */
  #lost = 0

  /** How many sessions are kept, and how much waits. */
  get sizes(): {
    readonly proven: number
    readonly unproven: number
    readonly waitingBytes: number
  } {
    return {
      proven: this.#proven.size,
      unproven: this.#unproven.size,
      waitingBytes: this.#waitingBytes,
    }
  }

  /** The session, unless it is unknown or out of date. */
  find(id: string, nowMs: number): ReceivedSession | undefined {
    const proven = this.#proven.get(id)
    if (proven !== undefined) {
      if (nowMs - proven.usedMs < IDLE_MS) return proven
      this.#forget(proven)
    }
    const unproven = this.#unproven.get(id)
    if (unproven === undefined || nowMs - unproven.usedMs < UNPROVEN_MS) return unproven
    this.#giveUp(unproven)
    return undefined
  }

  /** A session that was not known before. */
  open(
    id: string,
    { subkey, node, nowMs }: { subkey: KeyObject; node: NodeId; nowMs: number },
  ): ReceivedSession {
    const session: ReceivedSession = {
      id,
      node,
      subkey,
      window: new ReplayWindow(),
      isProven: false,
      freshFrom: 0,
      usedMs: nowMs,
      challenge: undefined,
      challengedMs: Number.NEGATIVE_INFINITY,
      waiting: [],
    }
    this.#unproven.set(id, session)
    if (this.#unproven.size > MAX_UNPROVEN) this.#giveUp(oldestOf(this.#unproven))
    return session
  }

  /** Keeps a packet until its session is proven. @returns false when too much waits already */
  hold(session: ReceivedSession, packet: Waiting): boolean {
    const bytes = packet.opened.content.length
    if (session.waiting.length >= MAX_WAITING_PACKETS) return false
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return false
    session.waiting.push(packet)
    this.#waitingBytes += bytes
    return true
  }

  /** The session answered. @returns what waited for that and is fresh, in the order of arrival */
  prove(
    session: ReceivedSession,
    { freshFrom, nowMs }: { freshFrom: number; nowMs: number },
  ): readonly Waiting[] {
    const waiting = this.#release(session)
    session.isProven = true
    session.freshFrom = freshFrom
    session.usedMs = nowMs
    session.challenge = undefined
    this.#proven.set(session.id, session)
    const ofNode = [...(this.#provenByNode.get(session.node) ?? []), session]
    this.#provenByNode.set(session.node, ofNode)
    if (ofNode.length > MAX_PER_NODE) this.#forget(leastUsedOf(ofNode))
    if (this.#proven.size > MAX_PROVEN) this.#forget(leastUsedOf(this.#proven.values()))
    const fresh = waiting.filter(({ counter }) => counter >= freshFrom)
    this.#lost += waiting.length - fresh.length
    return fresh
  }

  /** Forgets what is out of date. @returns how many packets were given up since the last call */
  expire(nowMs: number): number {
    for (const session of this.#unproven.values()) {
      if (nowMs - session.usedMs < UNPROVEN_MS) break
      this.#giveUp(session)
    }
    for (const session of this.#proven.values())
      if (nowMs - session.usedMs >= IDLE_MS) this.#forget(session)
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  #giveUp(session: ReceivedSession | undefined): void {
    if (session !== undefined) this.#lost += this.#release(session).length
  }

  /** Takes an unproven session out, with what waits. */
  #release(session: ReceivedSession): readonly Waiting[] {
    const { waiting } = session
    this.#unproven.delete(session.id)
    session.waiting = []
    for (const { opened } of waiting) this.#waitingBytes -= opened.content.length
    return waiting
  }

  #forget(session: ReceivedSession | undefined): void {
    if (session === undefined) return
    this.#proven.delete(session.id)
    const others = this.#provenByNode.get(session.node)?.filter((other) => other !== session) ?? []
    if (others.length > 0) this.#provenByNode.set(session.node, others)
    else this.#provenByNode.delete(session.node)
  }
}

function oldestOf(sessions: ReadonlyMap<string, ReceivedSession>): ReceivedSession | undefined {
  for (const session of sessions.values()) return session
  return undefined
}

function leastUsedOf(sessions: Iterable<ReceivedSession>): ReceivedSession | undefined {
  let least: ReceivedSession | undefined
  for (const session of sessions)
    if (least === undefined || session.usedMs < least.usedMs) least = session
  return least
}
