/** Delay, loss, duplication, reordering and cuts between hosts. */
import type { Random } from '../../src/base/random.ts'
import type { Host } from './host.ts'

/** How packets travel. Times in milliseconds, rates from 0 to 1. */
export interface NetworkSettings {
  /** Each ordered pair of hosts has a delay of its own in this range. */
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Mean of what each packet takes longer, exponentially distributed. */
  readonly jitterMs: number
  readonly lossRate: number
  readonly duplicateRate: number
  /** Packets that are held up, and for how long at most. */
  readonly reorderRate: number
  readonly reorderMs: number
  readonly streamBytesPerMs: number
  /** A stream whose peer is silent breaks after this long. */
  readonly streamTimeoutMs: number
  /** Datagrams that wait for a daemon that stands still. */
  readonly socketBufferDatagrams: number
  /** Timers fire up to this late. */
  readonly timerLatenessMs: number
}

/** A data centre. */
export const LAN: NetworkSettings = Object.freeze({
  minDelayMs: 0.3,
  maxDelayMs: 1.5,
  jitterMs: 0.1,
  lossRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  reorderMs: 20,
  streamBytesPerMs: 125_000,
  streamTimeoutMs: 2000,
  socketBufferDatagrams: 256,
  timerLatenessMs: 1,
})

/** Sites around the world. */
export const WAN: NetworkSettings = Object.freeze({
  ...LAN,
  minDelayMs: 5,
  maxDelayMs: 120,
  jitterMs: 2,
  streamBytesPerMs: 12_500,
})

/** How long a lost segment of a stream takes to come again: the least that Linux waits. */
const RETRANSMIT_MS = 200

/** The network; {@link Network.settings} may be exchanged at any time. */
export class Network {
  settings: NetworkSettings
  readonly #random: Random
  readonly #seed: number
  #usedCuts = 0

  constructor(settings: NetworkSettings, random: Random) {
    this.settings = settings
    this.#random = random
    this.#seed = Math.floor(random.next() * 2 ** 32)
  }

  /** Whether nothing gets from the one to the other. */
  isCut(from: Host, to: Host): boolean {
    return (from.cutFrom & to.cutTo) !== 0
  }

  /**
   * Cuts one direction between two sets of hosts.
   *
   * @returns a function that heals it
   */
  cut(from: Iterable<Host>, to: Iterable<Host>): () => void {
    const free = ~this.#usedCuts & -~this.#usedCuts
    if (free === 0) return () => {}
    this.#usedCuts |= free
    const [senders, receivers] = [[...from], [...to]]
    for (const host of senders) host.cutFrom |= free
    for (const host of receivers) host.cutTo |= free
    return () => {
      this.#usedCuts &= ~free
      for (const host of senders) host.cutFrom &= ~free
      for (const host of receivers) host.cutTo &= ~free
    }
  }

  isLost(): boolean {
    return this.#hits(this.settings.lossRate)
  }

  isDuplicated(): boolean {
    return this.#hits(this.settings.duplicateRate)
  }

  /** How late a timer fires. */
  latenessMs(): number {
    return this.#random.next() * this.settings.timerLatenessMs
  }

  /** What one packet takes. */
  delayMs(from: Host, to: Host): number {
    const { jitterMs, reorderRate, reorderMs } = this.settings
    const jitter = -Math.log(1 - this.#random.next()) * jitterMs
    const heldUp = this.#hits(reorderRate) ? this.#random.next() * reorderMs : 0
    return this.baseDelayMs(from, to) + jitter + heldUp
  }

  /** What a packet takes at least. */
  baseDelayMs(from: Host, to: Host): number {
    const { minDelayMs, maxDelayMs } = this.settings
    let mixed = Math.imul(from.index ^ this.#seed, 0x9e3779b1) + Math.imul(to.index, 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    const share = ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32
    return minDelayMs + (maxDelayMs - minDelayMs) * share
  }

  /** What a message of a stream takes, beside those before it. */
  streamDelayMs(from: Host, to: Host, sizeBytes: number): number {
    const { lossRate, streamBytesPerMs } = this.settings
    let delay = this.baseDelayMs(from, to) + sizeBytes / streamBytesPerMs
    for (let segments = Math.min(20, 1 + sizeBytes / 1448); segments > 0; segments--) {
      while (this.#hits(Math.min(lossRate, 0.9))) delay += RETRANSMIT_MS
    }
    return delay
  }

  #hits(rate: number): boolean {
    return rate > 0 && this.#random.next() < rate
  }
}
