/** What challenges and their responses say. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { SESSION_BYTES } from './seal.ts'

const RANDOM_BYTES = 16

/** "Show that this session lives: give these random bytes back in it." */
export interface Challenge {
  readonly random: Buffer
  /** The session that is asked. */
  readonly session: Buffer
}

/** The answer, in the session that was asked. */
export interface Response {
  readonly random: Buffer
  /** Packets with lower counters are older than those that can wait for this. */
  readonly freshFrom: number
}

/** Random bytes that nobody saw before. */
export function drawChallenge(): Buffer {
  return randomBytes(RANDOM_BYTES)
}

export function writeChallenge({ random, session }: Challenge): Buffer {
  return Buffer.concat([random, session])
}

/** @returns undefined when it is too short */
export function readChallenge(content: Buffer): Challenge | undefined {
  if (content.length < RANDOM_BYTES + SESSION_BYTES) return undefined
  return {
    random: content.subarray(0, RANDOM_BYTES),
    session: content.subarray(RANDOM_BYTES, RANDOM_BYTES + SESSION_BYTES),
  }
}

export function writeResponse({ random, freshFrom }: Response): Buffer {
  const content = Buffer.alloc(RANDOM_BYTES + 8)
  content.set(random)
  content.writeBigUInt64BE(BigInt(freshFrom), RANDOM_BYTES)
  return content
}

/** @returns undefined when it is too short */
export function readResponse(content: Buffer): Response | undefined {
  if (content.length < RANDOM_BYTES + 8) return undefined
  return {
    random: content.subarray(0, RANDOM_BYTES),
    freshFrom: Number(content.readBigUInt64BE(RANDOM_BYTES)),
  }
}

/** Whether a response answers the challenge with these random bytes. */
export function isAnswer({ random }: Response, challenge: Uint8Array): boolean {
  return timingSafeEqual(random, challenge)
}
