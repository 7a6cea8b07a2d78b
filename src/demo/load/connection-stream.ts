/** New connections that are opened all the time on a host of a demo, as its parent sees them. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { demoProgram, spawnOnHost } from '../host/host-process.ts'
import type { HostPlaces } from '../places/places.ts'
import type { Attempt } from './attempt.ts'
import { monotonicMs } from './monotonic.ts'

/** What is asked, and how often. */
export interface StreamOptions {
  readonly url: string
  readonly perSecond?: number
  readonly timeoutMs?: number
}

/** A running stream; {@link ConnectionStream.start} starts it. */
export class ConnectionStream {
  readonly #child: ChildProcess
  readonly #timeoutMs: number
  readonly #attempts: Attempt[] = []

  private constructor(child: ChildProcess, timeoutMs: number) {
    this.#child = child
    this.#timeoutMs = timeoutMs
    let rest = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#attempts.push(JSON.parse(line) as Attempt)
    })
  }

  /** Starts connections from a host. */
  static start(host: HostPlaces, options: StreamOptions): ConnectionStream {
    const { url, perSecond = 200, timeoutMs = TIMEOUT_MS } = options
    const args = ['--url', url, '--per-second', String(perSecond)]
    const program = demoProgram(
      'load/connections-main.ts',
      ...[...args, '--timeout-ms', String(timeoutMs)],
    )
    return new ConnectionStream(spawnOnHost(host, program, { isClient: true }), timeoutMs)
  }

  /** The attempts that were started at or after `sinceMs` and have ended, in the order of their ends. */
  since(sinceMs: number): readonly Attempt[] {
    return this.#attempts.filter(({ startedMs }) => startedMs >= sinceMs)
  }

  /** Waits until the attempts are as wanted. @returns whether they became so in time */
  async until(isReached: (stream: this) => boolean, withinMs: number): Promise<boolean> {
    const deadlineMs = monotonicMs() + withinMs
    while (!isReached(this)) {
      if (monotonicMs() >= deadlineMs) return false
      await sleep(POLL_MS)
    }
    return true
  }

  /** Waits until no attempt that began in the last `calmMs` failed or may yet fail. */
  untilCalm(calmMs: number, withinMs: number): Promise<boolean> {
    const startMs = monotonicMs()
    return this.until(() => {
      const endMs = monotonicMs() - this.#timeoutMs
      const window = this.since(endMs - calmMs).filter(({ startedMs }) => startedMs < endMs)
      return endMs - calmMs > startMs && window.length > 0 && window.every(isAnswered)
    }, withinMs)
  }

  /** Stops it. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.once('exit', () => resolve())
    this.#child.stdin?.end()
    await promise
  }
}

const POLL_MS = 10
/** Just before the kernel sends its first SYN again; an answer on a busy machine takes part of that. */
const TIMEOUT_MS = 900

/** Whether a backend answered. */
export function isAnswered({ failure }: Attempt): boolean {
  return failure === undefined
}
