import { hash } from 'node:crypto'
import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { type NavstarError, toNavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { Table } from '../base/table.ts'
import { Wakeup } from '../base/wakeup.ts'
import type { Ip } from '../model/ip.ts'
import type { Task, TaskKey } from '../model/task.ts'
import { agentAddress, type LookupHost } from './agent-address.ts'
import type { AgentApi } from './agent-client.ts'
import type { MesosOptions } from './config.ts'
import { textOf } from './content.ts'
import { GoneAgentWatch, type GoneNotice } from './gone-agent.ts'
import type { MesosMetrics, PollResult } from './metrics.ts'
import { Rest } from './rest.ts'
import { keepUnchanged } from './state/same-task.ts'
import { type Skipped, skippedIdentityOf } from './state/skipped.ts'
import { readState } from './state/state.ts'

/** How polling goes. */
export interface PollStatus {
  /** `Clock.nowMs` at the end of the last poll that worked. */
  readonly lastSuccessMs: number | undefined
  /** Since when the tasks may be out of date, milliseconds since 1970; undefined: they are not. */
  readonly staleSinceWallMs: number | undefined
  /** Polls that failed since then. */
  readonly consecutiveFailures: number
  /** Why the last poll failed; undefined when it worked. */
  readonly lastError: NavstarError | undefined
  /** What was left out of the newest state. */
  readonly skipped: readonly Skipped[]
  /** The agent is gone for good and its tasks were withdrawn; undefined: it is not. */
  readonly goneAgent?: GoneNotice | undefined
}

/** What the poller works with. */
export interface PollerParts {
  readonly options: Pick<
    MesosOptions,
    'agentIp' | 'pollIntervalMs' | 'maxBackoffMs' | 'maxStateBytes'
  >
  readonly agent: AgentApi
  readonly lookupHost: LookupHost
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: MesosMetrics
}

/** An agent whose answer stayed the same for so long is asked less often, until it changes. */
const QUIET_AFTER_MS = 60_000
const QUIET_INTERVAL_MS = 1_000

/**
 * Reads the agent's state again and again into a table of tasks.
 *
 * The table is complete from the first success on. A failed poll changes nothing: the last known
 * tasks stay, unless the agent is said to be gone for good. An answer that equals the one before,
 * byte by byte as it came (compressed or not), is not even decompressed; this is what an idle agent
 * gives.
 */
export class Poller {
  readonly tasks: Table<TaskKey, Task> = new Table<TaskKey, Task>()
  readonly #parts: PollerParts
  #agentIp: Ip | undefined
  #mustAskAddress = true
  readonly #wakeup = new Wakeup()
  #isWanted = false
  #lastChangeMs: number
  readonly #rest: Rest = new Rest()
  readonly #gone: GoneAgentWatch
  /** Mesos' id of the agent, as its tasks told last. */
  #agentId: string | undefined
  /** Digest of the last answer that was read, and the address it was read with. */
  #seen = ''
  #known: ReadonlyMap<TaskKey, Task> = new Map()
  #skippedIdentities: ReadonlySet<string> = new Set()
  #status: PollStatus

  constructor(parts: PollerParts) {
    this.#parts = parts
    this.#agentIp = parts.options.agentIp
    this.#lastChangeMs = parts.clock.nowMs()
    this.#gone = new GoneAgentWatch(parts.clock, parts.log)
    this.#status = {
      lastSuccessMs: undefined,
      staleSinceWallMs: parts.clock.wallMs(),
      consecutiveFailures: 0,
      lastError: undefined,
      skipped: [],
    }
  }

  get agentIp(): Ip | undefined {
    return this.#agentIp
  }

  get status(): PollStatus {
    return this.#status
  }

  /** The agent has news: polls now, or after a short rest; several calls before that count once. */
  pollSoon(): void {
    this.#isWanted = true
    this.#wakeup.wake()
  }

  /** The agent is gone for good, somebody says: sees now whether it answers. */
  agentGone(gone: GoneNotice): void {
    this.#gone.note(gone, this.#agentId)
    this.pollSoon()
  }

  /** Polls until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { random, options } = this.#parts
    for (;;) {
      this.#isWanted = false
      await this.poll(signal)
      const { consecutiveFailures } = this.#status
      const policy = { baseMs: options.pollIntervalMs, maxMs: options.maxBackoffMs }
      const waitMs =
        consecutiveFailures === 0
          ? this.#intervalMs() * (0.9 + random.next() / 5)
          : backoffMs(policy, consecutiveFailures, random)
      await this.#pause(waitMs, signal)
    }
  }

  /** Where nothing changed for a while, hardly anything will in the next moment. */
  #intervalMs(): number {
    const { clock, options } = this.#parts
    const isQuiet = clock.nowMs() - this.#lastChangeMs >= QUIET_AFTER_MS
    return isQuiet ? Math.max(options.pollIntervalMs, QUIET_INTERVAL_MS) : options.pollIntervalMs
  }

  /** Waits until the next poll is due, or wanted and the agent had its rest. */
  async #pause(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#parts
    const sinceMs = clock.nowMs()
    // A wake-up may be left of a wish that was fulfilled already.
    for (let leftMs = timeoutMs; !this.#isWanted && leftMs >= 1; ) {
      await this.#wakeup.wait({ signal, limit: { clock, timeoutMs: leftMs } })
      leftMs = timeoutMs - (clock.nowMs() - sinceMs)
    }
    // A silent agent is not asked more often by hints than a healthy one without.
    const isSilent = this.#status.consecutiveFailures > 0
    const restMs = isSilent ? options.pollIntervalMs : this.#rest.durationMs
    const leftMs = Math.min(timeoutMs, restMs) - (clock.nowMs() - sinceMs)
    if (leftMs > 0) await clock.sleep(leftMs, { signal })
  }

  /** Polls once; failures go into {@link status}. @throws the signal's reason when aborted */
  async poll(signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#parts
    const startMs = clock.nowMs()
    let result: PollResult = 'failed'
    try {
      result = await this.#read(signal)
      this.#succeed()
    } catch (error) {
      signal.throwIfAborted()
      this.#fail(toNavstarError(error, 'poll the Mesos agent'))
    }
    const durationMs = clock.nowMs() - startMs
    this.#rest.note(durationMs)
    metrics.onPoll(result, durationMs)
  }

  async #read(signal: AbortSignal): Promise<PollResult> {
    const { agent, options, metrics } = this.#parts
    const agentIp = await this.#address(signal)
    const answer = await agent.call('GET_STATE', { signal })
    const seen = `${agentIp} ${answer.contentEncoding} ${hash('sha256', answer.body)}`
    if (seen === this.#seen) return 'unchanged'
    const state = readState(await textOf(answer, options.maxStateBytes), agentIp)
    signal.throwIfAborted()
    this.#lastChangeMs = this.#parts.clock.nowMs()
    this.#known = keepUnchanged(this.#known, state.tasks)
    this.#agentId = state.agentId ?? this.#agentId
    this.#seen = seen
    this.#report(state.skipped)
    metrics.onTasks(this.#known.values())
    this.tasks.replace(this.#known)
    return 'changed'
  }

  /** The agent's address: configured, else asked for at the start and after each failure. */
  async #address(signal: AbortSignal): Promise<Ip> {
    const { agent, options, lookupHost, log } = this.#parts
    if (options.agentIp !== undefined) return options.agentIp
    const known = this.#agentIp
    if (known !== undefined && !this.#mustAskAddress) return known
    const answer = await agent.call('GET_AGENT', { signal })
    let agentIp: Ip
    try {
      agentIp = await agentAddress(await textOf(answer, options.maxStateBytes), lookupHost)
    } catch (error) {
      if (known === undefined) throw error
      log.warn('agent address kept: it could not be read again', { agentIp: known, error })
      agentIp = known
    }
    signal.throwIfAborted()
    this.#agentIp = agentIp
    this.#mustAskAddress = false
    return agentIp
  }

  #succeed(): void {
    const { clock, log } = this.#parts
    const lastSuccessMs = clock.nowMs()
    if (this.#status.lastError !== undefined) {
      log.info('mesos agent answers again')
      this.#lastChangeMs = lastSuccessMs
    }
    this.#gone.onAnswer(this.#agentId)
    this.#status = {
      ...this.#status,
      lastSuccessMs,
      staleSinceWallMs: undefined,
      consecutiveFailures: 0,
      lastError: undefined,
      goneAgent: undefined,
    }
  }

  #fail(error: NavstarError): void {
    const { log, metrics, clock } = this.#parts
    const { lastSuccessMs } = this.#status
    const sinceMs = clock.nowMs() - (lastSuccessMs ?? clock.nowMs())
    // Once per kind of failure: an agent that is down for a day is one line.
    if (this.#status.lastError?.code !== error.code) {
      log.warn('mesos agent cannot be read, last known tasks are kept', { error })
    }
    metrics.onError(error.code)
    this.#mustAskAddress = true
    this.#status = {
      ...this.#status,
      staleSinceWallMs: this.#status.staleSinceWallMs ?? clock.wallMs() - sinceMs,
      consecutiveFailures: this.#status.consecutiveFailures + 1,
      lastError: error,
    }
    const gone = this.#gone.onFailure(error)
    if (gone !== undefined) this.#withdraw(gone)
  }

  /** Nothing of this agent runs any more. What is not known yet stays unknown. */
  #withdraw(gone: GoneNotice): void {
    const { log, metrics } = this.#parts
    if (this.#status.lastSuccessMs === undefined || this.#status.goneAgent !== undefined) return
    log.warn('the agent is gone for good: its tasks are withdrawn', {
      ...gone,
      tasks: this.#known.size,
    })
    this.#status = { ...this.#status, goneAgent: gone }
    this.#known = new Map()
    this.#seen = '' // should it come back with the same answer, that is news
    metrics.onTasks([])
    this.tasks.replace(this.#known)
  }

  /** Logs and counts what was not skipped in the state before. */
  #report(skipped: readonly Skipped[]): void {
    const { log, metrics } = this.#parts
    const identities = new Map(skipped.map((part) => [skippedIdentityOf(part), part]))
    const fresh = [...identities].filter(([identity]) => !this.#skippedIdentities.has(identity))
    for (const [, { reason, owner, detail, error }] of fresh) {
      log.warn('part of the mesos state is skipped', { reason, owner, detail, error })
    }
    metrics.onSkipped(
      [...identities.values()],
      fresh.map(([, part]) => part),
    )
    this.#skippedIdentities = new Set(identities.keys())
    this.#status = { ...this.#status, skipped: [...identities.values()] }
  }
}
