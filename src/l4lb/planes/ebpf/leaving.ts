/**
 * Sockets of backends that are gone, or whose time to finish is over.
 *
 * The programs choose when a socket connects; a socket that is connected stays with its backend. One of
 * UDP would send to a removed backend for ever, so it is destroyed at once: its owner gets
 * `ECONNABORTED` and opens another. TCP connections are left alone unless the service asks for an end
 * of them. Only sockets that the programs sent there through this very VIP are meant.
 */

import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/error.ts'
import type { Log } from '../../../base/log.ts'
import type { DestroyedSockets, SocketTarget } from '../../../kernel/sockets.ts'
import type { Protocol } from '../../../model/port.ts'
import { type Backend, parseServiceKey, type ServiceKey } from '../../../model/vip.ts'
import { openSockets, type SocketMaps } from './open-sockets.ts'

/** A backend of a service. */
export interface Leaver {
  readonly key: ServiceKey
  readonly backend: Pick<Backend, 'address' | 'port'>
}

/** What {@link Leaving} works with. */
export interface LeavingParts {
  readonly maps: SocketMaps
  readonly destroy: (
    protocol: Protocol,
    targets: readonly SocketTarget[],
  ) => Promise<DestroyedSockets>
  readonly clock: Clock
  readonly log: Log
}

const RETRY_MS = 1_000
const ATTEMPTS = 10

interface Deadline {
  readonly leaver: Leaver
  readonly dueMs: number
  readonly attempt: number
}

/** Ends the sockets of backends when their time has come. */
export class Leaving {
  readonly #parts: LeavingParts
  readonly #deadlines = new Map<string, Deadline>()
  #cancelTimer: (() => void) | undefined
  #isRunning = false
  #isClosed = false

  constructor(parts: LeavingParts) {
    this.#parts = parts
  }

  /** Ends its sockets after this long, or earlier where that was said before. */
  schedule(leaver: Leaver, delayMs: number): void {
    this.#schedule({ leaver, dueMs: this.#parts.clock.nowMs() + delayMs, attempt: 1 })
  }

  /** It takes connections again, or is no longer to be ended. */
  cancel(leaver: Leaver): void {
    this.#deadlines.delete(textOf(leaver))
  }

  /**
   * Ends what a daemon that died did not: sockets of UDP to backends that are none any more.
   *
   * @param has whether the service has this backend
   */
  async endStrays(has: (leaver: Leaver) => boolean): Promise<void> {
    try {
      const strays = await openSockets(this.#parts.maps).strays(has)
      if (strays.length > 0) await this.#destroy('udp', strays)
    } catch (error) {
      this.#parts.log.warn('sockets left by an earlier daemon stay', { cause: messageOf(error) })
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
  }

  #schedule(deadline: Deadline): void {
    const text = textOf(deadline.leaver)
    const known = this.#deadlines.get(text)
    if (known !== undefined && known.dueMs <= deadline.dueMs) return
    this.#deadlines.set(text, deadline)
    this.#arm()
  }

  #arm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#isClosed || this.#isRunning || this.#deadlines.size === 0) return
    const dueMs = Math.min(...[...this.#deadlines.values()].map((each) => each.dueMs))
    const delayMs = dueMs - this.#parts.clock.nowMs()
    if (delayMs > 0) this.#cancelTimer = this.#parts.clock.after(delayMs, () => this.#arm())
    else void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    const nowMs = this.#parts.clock.nowMs()
    const due = [...this.#deadlines.values()].filter(({ dueMs }) => dueMs <= nowMs)
    for (const { leaver } of due) this.#deadlines.delete(textOf(leaver))
    try {
      await this.#end(due.map(({ leaver }) => leaver))
    } catch (error) {
      this.#retry(due, error)
    }
    this.#isRunning = false
    this.#arm()
  }

  #retry(due: readonly Deadline[], error: unknown): void {
    if (this.#isClosed) return
    const { clock, log } = this.#parts
    const dueMs = clock.nowMs() + RETRY_MS
    const left = due.filter(({ attempt }) => attempt < ATTEMPTS)
    for (const { leaver, attempt } of left) {
      this.#schedule({ leaver, dueMs, attempt: attempt + 1 })
    }
    const fields = { cause: messageOf(error), retried: left.length, left: due.length - left.length }
    log.warn('sockets of backends that left could not be ended', fields)
  }

  async #end(leavers: readonly Leaver[]): Promise<void> {
    const sockets = openSockets(this.#parts.maps)
    for (const protocol of ['udp', 'tcp'] as const) {
      const own = leavers.filter(({ key }) => parseServiceKey(key).protocol === protocol)
      if (own.length === 0) continue
      const targets = await sockets.targetsOf(protocol, own)
      if (targets.length > 0) await this.#destroy(protocol, targets)
      if (protocol === 'udp') await sockets.forgetFlows(own)
      await sockets.forgetClients(own)
    }
  }

  async #destroy(protocol: Protocol, targets: readonly SocketTarget[]): Promise<void> {
    const { sockets } = await this.#parts.destroy(protocol, targets)
    if (sockets > 0) {
      this.#parts.log.info('sockets of backends that left are ended', { protocol, sockets })
    }
  }
}

function textOf({ key, backend: { address, port } }: Leaver): string {
  return `${key} ${address} ${port}`
}
