/**
 * Decides on each datagram: the cheap checks first, then the session. Nothing of a session is
 * believed until it answered a challenge, so a recording is worth nothing; what waits meanwhile
 * is bounded, and only who holds a key can make anything wait.
 */
import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'
import { type Challenge, isAnswer, readChallenge, readResponse } from './challenge.ts'
import type { PacketRejection } from './events.ts'
import type { KeyRing } from './key-ring.ts'
import { type ReceivedSession, ReceivedSessions, type Waiting } from './received-sessions.ts'
import {
  deriveSubkey,
  type Opened,
  type PacketHeader,
  readHeader,
  type Sealer,
  sessionOf,
} from './seal.ts'

/** A challenge is sent again to a session that is still unproven after this long. */
const CHALLENGE_AGAIN_MS = 100

/** What is to be done about a packet. */
export type Verdict =
  | { readonly kind: 'deliver'; readonly packets: readonly Waiting[] }
  /** Ask the session at `to` for proof. */
  | { readonly kind: 'challenge'; readonly to: Endpoint; readonly challenge: Challenge }
  /** A node asks this one for proof. */
  | { readonly kind: 'asked'; readonly by: NodeId; readonly challenge: Challenge }
  | { readonly kind: 'rejected'; readonly reason: PacketRejection }
  | { readonly kind: 'nothing' }

/** What {@link Reception} works with. */
export interface ReceptionParts {
  readonly node: NodeId
  readonly keys: KeyRing
  readonly sealer: Sealer
  /** Draws the random bytes of a challenge. */
  readonly draw: () => Buffer
}

/** A packet that could be opened. */
interface Arrival {
  readonly header: PacketHeader
  readonly opened: Opened
  readonly packet: Buffer
  readonly from: Endpoint
  readonly nowMs: number
}

const NOTHING: Verdict = { kind: 'nothing' }

/** Takes datagrams. */
export class Reception {
  readonly #parts: ReceptionParts
  readonly #sessions = new ReceivedSessions()

  constructor(parts: ReceptionParts) {
    this.#parts = parts
  }

  /** @param address where the packet came from */
  receive(packet: Buffer, address: Endpoint['address'], nowMs: number): Verdict {
    const header = readHeader(packet)
    if (typeof header === 'string') return rejected(header)
    if (header.type === 'open-stream') return rejected('junk')
    const key = this.#parts.keys.find(header.key)
    if (key === undefined) return rejected('unknown-key')
    const session = this.#sessions.find(header.sessionId, nowMs)
    if (session?.window.isFresh(header.counter) === false) return rejected('replayed')
    const subkey = session?.subkey ?? deriveSubkey(key, sessionOf(packet))
    const opened = this.#parts.sealer.open(packet, subkey)
    if (opened === undefined) return rejected('forged')
    if (opened.sender === this.#parts.node) return rejected('own-node')
    if (opened.port === 0) return rejected('junk')
    const from = { address, port: opened.port }
    const arrival = { header, opened, packet, from, nowMs }
    if (header.type === 'challenge') return askedBy(arrival)
    if (session !== undefined) return this.#takeInSession(session, arrival)
    if (header.type === 'response') return rejected('stray')
    return this.#hold(
      this.#sessions.open(header.sessionId, { subkey, node: opened.sender, nowMs }),
      arrival,
    )
  }

  /** Forgets what waited too long. @returns how many packets were lost with that */
  expire(nowMs: number): number {
    return this.#sessions.expire(nowMs)
  }

  #takeInSession(session: ReceivedSession, arrival: Arrival): Verdict {
    const { header, opened, from, nowMs } = arrival
    if (opened.sender !== session.node) return rejected('forged')
    if (!session.isProven) {
      if (header.type === 'response') return this.#prove(session, arrival)
      return this.#hold(session, arrival)
    }
    session.usedMs = nowMs
    session.window.take(header.counter)
    if (header.type === 'response') return NOTHING
    if (header.counter < session.freshFrom) return rejected('replayed')
    return { kind: 'deliver', packets: [{ opened, from, counter: header.counter }] }
  }

  #hold(session: ReceivedSession, { header, opened, packet, from, nowMs }: Arrival): Verdict {
    session.window.take(header.counter)
    if (!this.#sessions.hold(session, { opened, from, counter: header.counter }))
      return rejected('overflow')
    if (nowMs < session.challengedMs + CHALLENGE_AGAIN_MS) return NOTHING
    session.challengedMs = nowMs
    session.challenge ??= this.#parts.draw()
    const challenge = { random: session.challenge, session: sessionOf(packet) }
    return { kind: 'challenge', to: from, challenge }
  }

  #prove(session: ReceivedSession, { header, opened, nowMs }: Arrival): Verdict {
    const response = readResponse(opened.content)
    if (response === undefined || session.challenge === undefined) return rejected('stray')
    if (!isAnswer(response, session.challenge)) return rejected('stray')
    session.window.take(header.counter)
    const packets = this.#sessions.prove(session, { freshFrom: response.freshFrom, nowMs })
    return packets.length > 0 ? { kind: 'deliver', packets } : NOTHING
  }
}

function askedBy({ opened }: Arrival): Verdict {
  const challenge = readChallenge(opened.content)
  return challenge === undefined
    ? rejected('junk')
    : { kind: 'asked', by: opened.sender, challenge }
}

function rejected(reason: PacketRejection): Verdict {
  return { kind: 'rejected', reason }
}
