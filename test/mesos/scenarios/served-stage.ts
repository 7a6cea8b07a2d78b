/** Simulated masters on ports, and the product that follows them; both under virtual time. */
import { expect } from 'vitest'
import type { MasterServer } from '../../../src/demo/mesos/master-server.ts'
import type { MasterAddress } from '../../../src/mesos/master/master-address.ts'
import { parsePort } from '../../../src/model/port.ts'
import { truthOf } from '../../sim/mesos/oracle.ts'
import { ServedCluster, type ServedClusterOptions } from '../../sim/mesos/served-cluster.ts'
import { Followed } from '../master/followed.ts'

/** Steps in which time passes for both sides. */
const STEP_MS = 500

/** One scenario over sockets. */
export class ServedStage {
  readonly served: ServedCluster
  readonly followed: Followed = new Followed()

  private constructor(served: ServedCluster) {
    this.served = served
  }

  /** The product has not started: the test may change manners first. */
  static async open(options: ServedClusterOptions = {}): Promise<ServedStage> {
    return new ServedStage(await ServedCluster.open(options))
  }

  /** Starts to follow a master, whether it leads or not. */
  follow(index = 0): void {
    this.followed.start(this.addressOf(index))
  }

  addressOf(index: number): MasterAddress {
    const [address = '', portText = ''] = this.served.server(index).address.split(':')
    const port = parsePort(portText)
    if (port === undefined) throw new Error(`${portText} is no port`)
    return { address, port, isTls: false }
  }

  /** The newest stream of a master. */
  stream(index = 0): MasterServer['streams'][number] {
    const stream = this.served.server(index).streams.at(-1)
    if (stream === undefined) throw new Error(`nobody has subscribed at master ${index}`)
    return stream
  }

  /** Lets time pass for both, in small steps so that sockets keep up, until it is so. */
  async until(condition: () => boolean, mostMs = 600_000): Promise<void> {
    for (let ms = 0; ms <= mostMs; ms += STEP_MS) {
      if (condition()) return
      await this.pass(STEP_MS)
    }
    const { stream } = this.followed.masters.status()
    throw new Error(`not within ${mostMs} ms: ${JSON.stringify(stream)}`)
  }

  /** Lets time pass for both. */
  async pass(durationMs: number): Promise<void> {
    this.served.runFor(durationMs)
    await this.followed.clock.advance(durationMs)
  }

  /** Lets time pass for the product alone: the master is silent. */
  async silence(durationMs: number): Promise<void> {
    await this.followed.clock.advance(durationMs)
  }

  /** The stream is followed. */
  async current(): Promise<void> {
    await this.until(() => this.followed.stream.state === 'current')
  }

  /** The stream was lost for this reason. */
  async lost(code: string): Promise<void> {
    await this.until(() => this.followed.stream.lastError?.code === code)
  }

  /** What is known becomes, and stays, what the leader knows. */
  async expectTruth(): Promise<void> {
    const known = () =>
      [...this.followed.masters.facts.tasks]
        .filter(([, { state }]) => state !== 'TASK_UNREACHABLE')
        .map(([key, { agentId, state }]) => `${key} ${state} on ${agentId}`)
        .sort()
    const truth = () => {
      const { master } = this.served.cluster
      const tasks = master === undefined ? [] : [...truthOf(master).tasks]
      return tasks.map(([key, { agentId, state }]) => `${key} ${state} on ${agentId}`).sort()
    }
    await this.current()
    await this.until(() => JSON.stringify(known()) === JSON.stringify(truth()), 30_000).catch(
      () => undefined,
    )
    expect(known()).toEqual(truth())
  }

  async close(): Promise<void> {
    await this.followed.close()
    await this.served.close()
  }
}
