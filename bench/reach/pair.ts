/** Two nodes of one cluster: a task's, and that of its client, whose daemon follows a master. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWell } from '../../src/bin/status.ts'
import type { StatusView } from '../../src/daemon/resources.ts'
import type { SimulatedTask } from '../../src/demo/agent/task.ts'
import { ClusterHost } from '../../src/demo/host/cluster-host.ts'
import { demoProgram, firstLine, spawnOnHost } from '../../src/demo/host/host-process.ts'
import type { MasterInstruction } from '../../src/demo/mesos/instruction.ts'
import { addRoutes } from '../../src/demo/network/topology.ts'
import { changeKeys } from '../../src/gossip/gossip.ts'
import { serveIn } from '../load.ts'
import type { Places } from '../places.ts'

/** How a pair is made. */
export interface PairOptions {
  readonly plane: ClusterHostOptions['plane']
  /** Its hosts have this number and the next. */
  readonly number: number
  /** Where the backend in the container listens. */
  readonly port: number
  readonly pollIntervalMs: number
}

type ClusterHostOptions = ConstructorParameters<typeof ClusterHost>[1]

const MASTER_PORT = 5050
const PATIENCE_MS = 60_000

/** The two nodes; {@link Pair.open} makes them. */
export class Pair {
  /** Where the client is. */
  readonly near: ClusterHost
  /** Where tasks run. */
  readonly far: ClusterHost
  #master: ChildProcess | undefined

  private constructor(places: Places, options: PairOptions) {
    const { plane, number } = options
    this.near = new ClusterHost(places, { number, containers: 0, plane })
    this.far = new ClusterHost(places, { number: number + 1, containers: 1, plane })
  }

  /** Makes both hosts with agent and daemon; the master that one daemon looks for is not there yet. */
  static async open(places: Places, options: PairOptions): Promise<Pair> {
    const pair = new Pair(places, options)
    const { near, far } = pair
    for (const host of [near, far]) {
      await host.create()
      await host.startAgent()
    }
    await addRoutes(near.places, [far.number])
    await addRoutes(far.places, [near.number])
    await serveIn(far.places, far.places.container(1), options.port)
    const keyFile = join(places.stateDirectory, `reach-${options.number}.key`)
    await changeKeys(keyFile, { kind: 'add' })
    const cluster = ['--cluster-id', `reach-${options.number}`, '--gossip-key-file', keyFile]
    const polls = ['--mesos-poll-interval-ms', String(options.pollIntervalMs)]
    const seed = ['--gossip-seed', `${near.ip}:62501`]
    const masters = ['--masters', `http://${near.ip}:${MASTER_PORT}`]
    await near.startDaemon('--ip', near.ip, ...cluster, ...polls, ...seed, ...masters)
    await far.startDaemon('--ip', far.ip, ...cluster, ...polls, ...seed)
    const hasBoth = (text: string) => (JSON.parse(text) as StatusView).gossip.members.alive === 2
    for (const host of [near, far]) await host.waitFor('/v1/navstar/status', hasBoth, PATIENCE_MS)
    return pair
  }

  /** Starts the master, and waits until it is followed and has the far agent. */
  async startMaster(): Promise<void> {
    const { near, far } = this
    const listen = `${near.ip}:${MASTER_PORT}`
    this.#master = spawnOnHost(near.places, demoProgram('mesos/main.ts', '--listen', listen))
    await firstLine(this.#master, 'ready')
    await this.#tellMaster({ kind: 'agent', ip: far.ip })
    await near.waitFor(
      '/v1/navstar/status',
      (text) => {
        const status = JSON.parse(text) as StatusView
        return isWell(status) && status.mesos.master?.agents === 1
      },
      PATIENCE_MS,
    )
  }

  /** A task runs on the far agent; the master hears of it a moment later. */
  async run(task: SimulatedTask): Promise<void> {
    const id = await this.far.tellAgent({ kind: 'add', task })
    if (this.#master === undefined) return
    await this.#tellMaster({ kind: 'add', ip: this.far.ip, task: { ...task, id } })
  }

  async close(): Promise<void> {
    this.#master?.kill('SIGKILL')
    await this.near.killDaemon()
    await this.far.killDaemon()
  }

  /** Tells the master something, again while an agent is not registered yet. */
  async #tellMaster(instruction: MasterInstruction): Promise<string> {
    const master = this.#master
    if (master?.stdin == null || master.stdout == null) throw new Error('no master runs')
    for (let attempt = 0; ; attempt++) {
      const { promise, resolve } = Promise.withResolvers<string>()
      master.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
      master.stdin.write(`${JSON.stringify(instruction)}\n`)
      const answer = await promise
      if (!answer.startsWith('failed')) return answer
      if (attempt === MOST_ATTEMPTS) throw new Error(`the master says: ${answer}`)
      await sleep(ATTEMPT_MS)
    }
  }
}

const MOST_ATTEMPTS = 100
const ATTEMPT_MS = 50
