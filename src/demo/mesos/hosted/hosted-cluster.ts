/** A simulated Mesos on the hosts of a demo, under the machine's clock: one truth for all of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
import type { Closeable } from '../../../base/scope.ts'
import { monotonicMs } from '../../load/monotonic.ts'
import type { MasterRole } from '../cluster.ts'
import { SimulatedCluster } from '../cluster.ts'
import { scheduleOf } from '../schedule.ts'
import type { MesosInstruction, MesosOutcome, MesosPlace } from './instruction.ts'
import { MesosHost, type OpenSockets } from './mesos-host.ts'
import { chooseLeader } from './quorum.ts'

/** What it works with. */
export interface HostedClusterParts {
  readonly clock: Clock
  readonly random: Random
  readonly openSockets: OpenSockets
}

const FRAMEWORK_ID = '5f3d1f0e-0000-4000-8000-000000000000-0001'
const HEALTH = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'
/** An executor that has nothing to fetch. */
const PACE = { startingMs: 5, runningMs: 40 }
/** How long nobody leads; real masters wait for the end of a ZooKeeper session, 10 s by default. */
const FAILOVER_MS = 500
/** Agents and frameworks come back within; real ones take up to 10 s. */
const RETURN_WITHIN_MS = 500
const OFFER_WITHIN_MS = 30_000
const OFFER_POLL_MS = 10

/** Masters, agents and the framework `marathon` of a demo. */
export class HostedCluster implements Closeable {
  readonly #parts: HostedClusterParts
  readonly #cluster: SimulatedCluster
  readonly #ended: AbortController = new AbortController()
  readonly #hosts: MesosHost[] = []
  /** Those with a master, in the order in which they came. */
  readonly #masters: MesosHost[] = []
  /** What looks again when a task changes, by its key. */
  readonly #looks = new Map<string, () => void>()
  #sides: readonly (readonly string[])[] = []
  #hasLed = false

  constructor(parts: HostedClusterParts) {
    this.#parts = parts
    const schedule = scheduleOf(parts.clock, this.#ended.signal)
    const world = { schedule, random: parts.random }
    this.#cluster = new SimulatedCluster({ world, version: '1.11' })
    // Before the election: it subscribes as soon as there is a leader.
    this.#cluster.addFramework({ id: FRAMEWORK_ID, name: 'marathon' })
  }

  /** @throws Error when there is no such host */
  host(ip: string): MesosHost {
    const host = this.#hosts.find(({ place }) => place.ip === ip)
    if (host === undefined) throw new Error(`there is no host ${ip}`)
    return host
  }

  /** Does what it is told; resolves when it is done. @throws Error when it cannot be */
  async follow(instruction: MesosInstruction): Promise<MesosOutcome> {
    switch (instruction.kind) {
      case 'host':
        return this.#add(instruction.place)
      case 'off':
        return this.#switchOff(this.host(instruction.ip))
      case 'on':
        return this.#switchOn(this.host(instruction.ip))
      case 'end-master':
        return this.#settleAfter(this.host(instruction.ip).endMaster())
      case 'start-master':
        return this.#settleAfter(this.host(instruction.ip).startMaster())
      case 'sides':
        this.#sides = instruction.sides
        return this.#settle()
      case 'launch':
        return this.#launch(instruction)
      case 'report':
        return this.#report(instruction)
      case 'kill':
        return this.#kill(instruction.taskId)
      case 'leader':
        return this.#leader()
      default:
        throw new Error(`not understood: ${JSON.stringify(instruction satisfies never)}`)
    }
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await Promise.all(this.#hosts.map((host) => host.switchOff()))
  }

  async #add(place: MesosPlace): Promise<MesosOutcome> {
    const agent = this.#cluster.addAgent({ ip: place.ip })
    agent.tasks.onChange = (key) => this.#looks.get(key)?.()
    const role = (): MasterRole => this.#roleOn(host)
    const addressOf = (index: number): string => this.#masters[index]?.masterAddress ?? ''
    const { openSockets } = this.#parts
    const master = place.hasMaster ? { role, addressOf } : undefined
    const host = new MesosHost({ place, agent, master, openSockets })
    this.#hosts.push(host)
    await host.switchOn()
    if (place.hasMaster) this.#masters.push(host)
    return this.#settle()
  }

  async #switchOff(host: MesosHost): Promise<MesosOutcome> {
    this.#cluster.stop(host.agent)
    await host.switchOff()
    return this.#settle()
  }

  /** What ran before is gone: the agent comes back with its id and without tasks. */
  async #switchOn(host: MesosHost): Promise<MesosOutcome> {
    await host.switchOn()
    this.#cluster.reboot(host.agent, { keepsId: true })
    return this.#settle()
  }

  async #settleAfter(work: Promise<void>): Promise<MesosOutcome> {
    await work
    return this.#settle()
  }

  /** Elects a leader where the present one is lost, and tells agents whether they reach it. */
  #settle(): MesosOutcome {
    const cluster = this.#cluster
    const standings = this.#masters.map((host) => ({
      isUp: host.hasRunningMaster,
      side: this.#sideOf(host),
    }))
    const leader = chooseLeader(standings, cluster.leader)
    const isNew = leader !== cluster.leader
    if (isNew && cluster.leader !== undefined) cluster.failLeader()
    for (const host of this.#hosts) {
      const isReachable = leader === undefined || this.#isHeard(host, leader)
      if (isReachable === host.agent.isReachable) continue
      if (isReachable) cluster.heal(host.agent)
      else cluster.cut(host.agent)
    }
    if (!isNew || leader === undefined) return {}
    const [recoveryMs, returnWithinMs] = this.#hasLed ? [FAILOVER_MS, RETURN_WITHIN_MS] : [0, 0]
    this.#hasLed = true
    cluster.elect(leader, { recoveryMs, returnWithinMs })
    return {}
  }

  /** A master that does not hear the leader knows of none. */
  #roleOn(host: MesosHost): MasterRole {
    const role = this.#cluster.roleOf(this.#masters.indexOf(host))
    if (role.kind !== 'standby' || role.leader === undefined) return role
    return this.#isHeard(host, role.leader) ? role : { kind: 'standby', leader: undefined }
  }

  #isHeard(host: MesosHost, leader: number): boolean {
    const leading = this.#masters[leader]
    return leading !== undefined && this.#sideOf(leading) === this.#sideOf(host)
  }

  #sideOf({ place }: MesosHost): number {
    return this.#sides.findIndex((side) => side.includes(place.ip))
  }

  #leader(): MesosOutcome {
    const { leader, master } = this.#cluster
    const host = leader === undefined || master === undefined ? undefined : this.#masters[leader]
    return host === undefined ? {} : { leader: host.place.ip }
  }

  /** Waits for an offer, launches, and waits until the agent has the task running. */
  async #launch({
    ip,
    task,
  }: Extract<MesosInstruction, { kind: 'launch' }>): Promise<MesosOutcome> {
    const { agent } = this.host(ip)
    const launch = () =>
      this.#cluster.launch(task, { agent, frameworkId: FRAMEWORK_ID, pace: PACE })
    const key = await this.#untilLed(launch, `${task.name} cannot be launched on ${ip}`)
    await this.#until(key, () => agent.tasks.message(key)?.['state'] === 'TASK_RUNNING')
    return { taskId: key.slice(FRAMEWORK_ID.length + 1), runningMs: monotonicMs() }
  }

  #report({
    taskId,
    state,
    isHealthy,
  }: Extract<MesosInstruction, { kind: 'report' }>): MesosOutcome {
    const key = `${FRAMEWORK_ID}/${taskId}`
    const agent = this.#cluster.agentOf(key)
    if (agent === undefined) throw new Error(`no agent has the task ${taskId}`)
    const health = isHealthy === undefined ? {} : { isHealthy, reason: HEALTH }
    agent.tasks.report(key, { state, ...health })
    return {}
  }

  async #kill(taskId: string): Promise<MesosOutcome> {
    const key = `${FRAMEWORK_ID}/${taskId}`
    const agent = this.#cluster.agentOf(key)
    if (agent === undefined) throw new Error(`no agent has the task ${taskId}`)
    const master = await this.#untilLed(() => this.#cluster.master, `${taskId} cannot be killed`)
    const isForgotten = this.#until(key, () => !agent.tasks.has(key))
    master.kill(key, 0)
    await isForgotten
    return {}
  }

  /** Tries again and again: between two leaders nothing can be done. */
  async #untilLed<T>(attempt: () => T | undefined, problem: string): Promise<T> {
    const deadlineMs = monotonicMs() + OFFER_WITHIN_MS
    while (monotonicMs() < deadlineMs) {
      const done = attempt()
      if (done !== undefined) return done
      await sleep(OFFER_POLL_MS, undefined, { signal: this.#ended.signal })
    }
    throw new Error(problem)
  }

  /** Waits until something holds of a task. */
  async #until(key: string, holds: () => boolean): Promise<void> {
    if (holds()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#looks.set(key, () => {
      if (holds()) resolve()
    })
    await promise
    this.#looks.delete(key)
  }
}
