/** Two masters, ZooKeeper and an agent that can each be lost, and the product that reads them. */
import { Registry } from 'prom-client'
import { expect } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { Scope } from '../../../src/base/scope.ts'
import { mesosStatusView, type SourceView } from '../../../src/daemon/mesos-status.ts'
import { launchedTask, type SimulatedTask } from '../../../src/demo/agent/task.ts'
import { keyOfTask, type SimulatedAgent } from '../../../src/demo/mesos/agent.ts'
import { AgentServer } from '../../../src/demo/mesos/agent-server.ts'
import { SimulatedCluster } from '../../../src/demo/mesos/cluster.ts'
import { MasterServer } from '../../../src/demo/mesos/master-server.ts'
import { scheduleOf } from '../../../src/demo/mesos/schedule.ts'
import { MESOS_DEFAULTS } from '../../../src/mesos/config.ts'
import { type FollowedMasters, startMasters } from '../../../src/mesos/master/follow-masters.ts'
import { STREAM_TIMING } from '../../../src/mesos/master/stream-timing.ts'
import { type Mesos, startMesos } from '../../../src/mesos/mesos.ts'
import type { Election } from './elections.ts'

/** What can be lost. */
export type Part = 'leader' | 'masters' | 'zookeeper' | 'agent'

/** How a source should stand: its state, and who leads as far as that source knows. */
export type Expected = readonly [source: string, state: string, about?: string | undefined]

interface Product {
  readonly mesos: Mesos
  readonly masters: FollowedMasters
}

interface Master {
  readonly port: number
  server: MasterServer | undefined
  withdraw: (() => Promise<void>) | undefined
}

const FRAMEWORK_ID = '5f3d1f0e-0000-4000-8000-000000000001-0000'
const TIMING = { ...STREAM_TIMING, backoff: { baseMs: 20, maxMs: 60 } }
const BRISK = { pollIntervalMs: 20, maxBackoffMs: 60 }
const PACE = { startingMs: 0, runningMs: 1 }
const ELECTION = { recoveryMs: 10, returnWithinMs: 20 }

/** One order of losses. */
export class LossesStage {
  readonly #scope = new Scope((error) => this.#errors.push(error))
  readonly #errors: unknown[] = []
  readonly #election: Election
  readonly #cluster: SimulatedCluster
  readonly #masters: Master[] = []
  /** Numbers of masters in the order in which they announced themselves. */
  readonly #announced: number[] = []
  /** What masters could not tell ZooKeeper yet. */
  readonly #untold: (() => Promise<void>)[] = []
  readonly #lost = new Map<Part, readonly number[]>()
  /** Who leads as far as this node can know. */
  #knownLeader: number | undefined
  #agentServer: AgentServer | undefined
  #agentUrl = ''
  #parts: Product | undefined

  private constructor(election: Election) {
    this.#election = election
    const schedule = scheduleOf(systemClock, this.#scope.signal)
    const world = { schedule, random: seededRandom(1) }
    this.#cluster = new SimulatedCluster({ world, version: '1.11' })
  }

  static async open(election: Election): Promise<LossesStage> {
    const stage = new LossesStage(election)
    for (const index of [0, 1]) {
      const server = await stage.#listen(index)
      const port = Number(server.address.split(':')[1])
      stage.#masters.push({ port, server, withdraw: undefined })
      await stage.#announce(index)
    }
    stage.#elect()
    stage.#cluster.addFramework({ id: FRAMEWORK_ID, name: 'marathon' })
    stage.#cluster.addAgent({ ip: '10.0.0.1' })
    await stage.#serveAgent(0)
    await expect.poll(() => stage.#agent.id).toBeDefined()
    stage.#start()
    return stage
  }

  get mesos(): Mesos {
    return this.#started.mesos
  }

  /** Keys of the tasks that the leading master told. */
  get told(): readonly string[] {
    return [...this.#started.masters.facts.tasks.keys()].sort()
  }

  get sources(): readonly SourceView[] {
    const { mesos, masters } = this.#started
    const agentUrl = this.#agentUrl
    return mesosStatusView({ agentUrl, status: mesos.status(), masters }).sources
  }

  /** How the sources stand, as {@link expected} has them. */
  get standing(): readonly Expected[] {
    return this.sources.map(({ source, state, from, leader }): Expected => {
      if (source === 'agent') return [source, state]
      if (source === 'leader') return [source, state, leader]
      return [source, state, state === 'current' ? from : undefined]
    })
  }

  /** How the sources should stand. */
  get expected(): readonly Expected[] {
    const isCut = this.#lost.has('zookeeper')
    const known = this.#knownLeader === undefined ? undefined : this.#addressOf(this.#knownLeader)
    const leading = this.#cluster.leader
    const isFollowed = leading !== undefined && leading === this.#knownLeader
    return [
      ['agent', this.#lost.has('agent') ? 'stale' : 'current'],
      ['leader', isCut ? 'stale' : known === undefined ? 'missing' : 'current', known],
      ['stream', isFollowed ? 'current' : 'stale', isFollowed ? known : undefined],
    ]
  }

  /** A task is launched through the leader. @returns its key */
  launch(name: string): string {
    const place = { agent: this.#agent, frameworkId: FRAMEWORK_ID, pace: PACE }
    const key = this.#cluster.launch({ name, network: 'host' }, place)
    if (key === undefined) throw new Error('nobody launches it')
    return key
  }

  /** A task starts on the agent, whoever can see that. @returns its key */
  startTask(name: string): string {
    const spec: SimulatedTask = {
      name,
      network: 'host',
      ports: [{ port: 80, vips: [`/${name}:80`] }],
    }
    const place = { taskId: name, frameworkId: FRAMEWORK_ID, agentId: this.#agent.id ?? '' }
    const message = launchedTask(spec, { ...place, agentIp: '10.0.0.1' })
    const framework = this.#cluster.schedulers.get(FRAMEWORK_ID)?.info ?? {}
    const key = keyOfTask(message)
    this.#agent.launch({ key, message, framework, spec, pace: PACE })
    return key
  }

  async lose(part: Part): Promise<void> {
    this.#lost.set(part, [])
    if (part === 'zookeeper') this.#election.lose()
    else if (part === 'agent') await this.#agentServer?.close()
    else await this.#loseMasters(part)
  }

  async restore(part: Part): Promise<void> {
    const killed = this.#lost.get(part) ?? []
    this.#lost.delete(part)
    if (part === 'zookeeper') {
      this.#election.restore()
      for (const tell of this.#untold.splice(0)) await tell()
    } else if (part === 'agent') {
      await this.#serveAgent(Number(new URL(this.#agentUrl).port))
    }
    for (const index of killed) {
      this.#master(index).server = await this.#listen(index)
      await this.#tell(() => this.#announce(index))
    }
    this.#elect()
  }

  async close(): Promise<void> {
    if (this.#lost.has('zookeeper')) this.#election.restore()
    await this.#scope.close()
    for (const { server, withdraw } of this.#masters) {
      await withdraw?.()
      await server?.close()
    }
    if (!this.#lost.has('agent')) await this.#agentServer?.close()
    expect(this.#errors).toEqual([])
  }

  get #started(): Product {
    if (this.#parts === undefined) throw new Error('not started')
    return this.#parts
  }

  get #agent(): SimulatedAgent {
    const [agent] = this.#cluster.agents
    if (agent === undefined) throw new Error('there is no agent')
    return agent
  }

  async #serveAgent(port: number): Promise<void> {
    this.#agentServer = await AgentServer.listen(this.#agent, { port })
    this.#agentUrl = this.#agentServer.url
  }

  #start(): void {
    const agentUrl = this.#agentUrl
    const options = { ...MESOS_DEFAULTS, ...BRISK, agentUrl }
    const world = {
      clock: systemClock,
      random: seededRandom(2),
      log: silentLog,
      scope: this.#scope,
    }
    const registry = new Registry()
    const mesos = startMesos({ ...world, options, registry })
    const leader = this.#scope.own(this.#election.open())
    const masters = startMasters({ ...world, options, registry, leader, timing: TIMING })
    masters.onHint(mesos.pollSoon)
    this.#parts = { mesos, masters }
  }

  async #loseMasters(part: 'leader' | 'masters'): Promise<void> {
    const { leader } = this.#cluster
    const alive = [0, 1].filter((index) => this.#master(index).server !== undefined)
    const killed = part === 'masters' ? alive : alive.filter((index) => index === leader)
    this.#lost.set(part, killed)
    if (leader !== undefined && killed.includes(leader)) this.#cluster.failLeader()
    for (const index of killed) {
      const master = this.#master(index)
      await master.server?.close()
      master.server = undefined
      await this.#tell(() => this.#withdraw(index))
    }
    this.#elect()
  }

  /** ZooKeeper is told now, or once it is back. */
  async #tell(tell: () => Promise<void>): Promise<void> {
    if (this.#lost.has('zookeeper')) this.#untold.push(tell)
    else await tell()
  }

  async #announce(index: number): Promise<void> {
    const { port } = this.#master(index)
    const content = JSON.stringify({ address: { ip: '127.0.0.1', port } })
    this.#master(index).withdraw = await this.#election.announce(content)
    this.#announced.push(index)
  }

  async #withdraw(index: number): Promise<void> {
    this.#announced.splice(this.#announced.indexOf(index), 1)
    await this.#master(index).withdraw?.()
    this.#master(index).withdraw = undefined
  }

  /** Masters too learn from ZooKeeper who leads. */
  #elect(): void {
    if (this.#lost.has('zookeeper')) return
    const [first] = this.#announced
    this.#knownLeader = first
    if (first !== undefined && first !== this.#cluster.leader) this.#cluster.elect(first, ELECTION)
  }

  #listen(index: number): Promise<MasterServer> {
    const role = () => this.#cluster.roleOf(index)
    const port = this.#masters[index]?.port ?? 0
    return MasterServer.listen({
      role,
      addressOf: (other) => this.#addressOf(other),
      listen: { port },
    })
  }

  #addressOf(index: number): string {
    return `127.0.0.1:${this.#master(index).port}`
  }

  #master(index: number): Master {
    const master = this.#masters[index]
    if (master === undefined) throw new Error(`there is no master ${index}`)
    return master
  }
}
