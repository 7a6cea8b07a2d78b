import { Registry } from 'prom-client'
import { expect } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { Scope } from '../../../src/base/scope.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { LookupHost } from '../../../src/mesos/agent-address.ts'
import { MESOS_DEFAULTS } from '../../../src/mesos/config.ts'
import {
  type FollowedMasters,
  type MastersParts,
  startMasters,
} from '../../../src/mesos/master/follow-masters.ts'
import type { LeaderSource } from '../../../src/mesos/master/leader.ts'
import type { LeaderListener } from '../../../src/mesos/master/leader-view.ts'
import type { MasterAddress } from '../../../src/mesos/master/master-address.ts'
import { ScriptedMaster } from './scripted-master.ts'

/** A leader that the test names. */
export class NamedLeader implements LeaderSource {
  current: MasterAddress | undefined
  refreshed = 0
  readonly #listeners = new Set<LeaderListener>()

  name(leader: MasterAddress | undefined): void {
    this.current = leader
    for (const listener of this.#listeners) listener(leader)
  }

  onChange(listener: LeaderListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  status(): ReturnType<LeaderSource['status']> {
    const { current: leader } = this
    const sinceMs = { sinceWallMs: 0, leaderSinceWallMs: 0 }
    return { source: 'test', leader, state: 'current', ...sinceMs, skipped: new Map() }
  }

  refresh(): void {
    this.refreshed++
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}

/** Masters that are followed under virtual time, over real sockets. */
export class Followed {
  readonly clock: VirtualClock = new VirtualClock()
  readonly leader: NamedLeader = new NamedLeader()
  readonly registry: Registry = new Registry()
  readonly hints: string[] = []
  readonly gone: string[] = []
  readonly errors: unknown[] = []
  readonly scope: Scope = new Scope((error) => this.errors.push(error))
  readonly #masters: ScriptedMaster[] = []
  #followed: FollowedMasters | undefined

  /** Starts to follow; the leader is the first master unless the test says otherwise. */
  start(
    leader?: MasterAddress,
    options: Partial<MastersParts['options']> = {},
    lookupHost: LookupHost = async () => [],
  ): FollowedMasters {
    this.leader.current = leader
    this.#followed = startMasters({
      options: { ...MESOS_DEFAULTS, ...options },
      leader: this.leader,
      clock: this.clock,
      random: seededRandom(1),
      log: silentLog,
      registry: this.registry,
      scope: this.scope,
      lookupHost,
    })
    this.#followed.onHint((address) => this.hints.push(address))
    this.#followed.onGone((agentId, address) => this.gone.push(`${agentId} ${address}`))
    return this.#followed
  }

  /** A master that ends with the test. */
  async master(pem?: string): Promise<ScriptedMaster> {
    const master = await ScriptedMaster.open(pem)
    this.#masters.push(master)
    return master
  }

  get masters(): FollowedMasters {
    if (this.#followed === undefined) throw new Error('not started')
    return this.#followed
  }

  get stream(): ReturnType<FollowedMasters['status']>['stream'] {
    return this.masters.status().stream
  }

  /** The keys of known tasks. */
  get tasks(): readonly string[] {
    return [...this.masters.facts.tasks.keys()].sort()
  }

  /** Waits, in real time, until somebody has subscribed so often. */
  async subscribed(master: ScriptedMaster, times = 1): Promise<void> {
    await expect.poll(() => master.streams.length).toBe(times)
  }

  /** Waits until the stream is lost for this reason. */
  async lost(code: string): Promise<void> {
    await expect.poll(() => this.stream.lastError?.code).toBe(code)
    expect(this.stream.state).toBe('connecting')
  }

  /** Lets virtual time pass, half a second at a time so that sockets keep up, until it is so. */
  async until(condition: () => boolean): Promise<void> {
    for (let step = 0; step < 2000; step++) {
      if (condition()) return
      await this.clock.advance(500)
    }
    throw new Error(`not within ${this.clock.nowMs()} ms`)
  }

  async close(): Promise<void> {
    await this.scope.close()
    for (const master of this.#masters) await master.close()
    expect(this.errors).toEqual([])
    expect(this.clock.sleeperCount).toBe(0)
  }
}
