/** Gossip over real sockets of this machine: nodes on 127.0.0.1, each with a port of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { systemClock } from '../../src/base/clock.ts'
import { openLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { Table } from '../../src/base/table.ts'
import { GOSSIP_DEFAULTS, type GossipOptions } from '../../src/gossip/config.ts'
import { type Gossip, startGossip } from '../../src/gossip/gossip.ts'
import { clusterKey, formatKeyFile, keySet } from '../../src/gossip/transport/key-ring.ts'
import { type Ip, parseIp } from '../../src/model/ip.ts'
import { type OwnRecord, type OwnRecordId, ownRecordIdOf } from '../../src/model/record.ts'

export const LOOPBACK: Ip = parseIp('127.0.0.1') as Ip

/** A node that runs in this process. */
export interface RunningNode {
  readonly gossip: Gossip
  /** What it states. */
  readonly own: Table<OwnRecordId, OwnRecord>
  readonly registry: Registry
  /** The lines that it logged. */
  readonly lines: readonly string[]
  /** Ends it as a stop of the daemon does. */
  stop(): Promise<void>
}

/** Nodes that share a key, in a directory of their own. */
export class RunningNodes {
  readonly directory: string
  readonly #stops: (() => Promise<void>)[] = []

  private constructor(directory: string) {
    this.directory = directory
  }

  static async open(): Promise<RunningNodes> {
    const nodes = new RunningNodes(await mkdtemp(join(tmpdir(), 'nsv-gossip-')))
    await nodes.writeKeys('keys.json', 1)
    return nodes
  }

  async writeKeys(name: string, byte: number): Promise<void> {
    const key = clusterKey(Buffer.alloc(32, byte))
    const path = join(this.directory, name)
    await writeFile(path, formatKeyFile(keySet([key], key)), { mode: 0o600 })
  }

  /** Options of a node whose state is kept under its name. */
  options(name: string, options: Partial<GossipOptions> = {}): GossipOptions {
    return {
      ...GOSSIP_DEFAULTS,
      clusterId: 'blue',
      keyFile: join(this.directory, 'keys.json'),
      listen: { port: 0 },
      stateDirectory: join(this.directory, name),
      ...options,
    }
  }

  async start(
    name: string,
    options: Partial<GossipOptions> = {},
    address: Ip | (() => Ip | undefined) = LOOPBACK,
  ): Promise<RunningNode> {
    const lines: string[] = []
    const log = openLog('debug', { write: (line) => void lines.push(line) })
    const scope = new Scope((error) => log.error('failed', { error }))
    const registry = new Registry()
    const world = { clock: systemClock, random: systemRandom, log, scope, registry }
    const stop = () => scope.close()
    this.#stops.push(stop)
    const gossip = await startGossip({ ...world, options: this.options(name, options), address })
    const own = new Table<OwnRecordId, OwnRecord>()
    gossip.publish(own)
    return { gossip, own, registry, lines, stop }
  }

  async close(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()))
    await rm(this.directory, { recursive: true })
  }
}

/** Where a node can be joined. */
export function seedOf({ gossip }: RunningNode): NonNullable<ReturnType<Gossip['endpoint']>> {
  const endpoint = gossip.endpoint()
  if (endpoint === undefined) throw new Error('the node does not listen')
  return endpoint
}

/** A record of a kind that only tests have. */
export function fact(key: string, value: string): [OwnRecordId, OwnRecord] {
  const record = { kind: 4, schema: 1, key, value: Buffer.from(value) }
  return [ownRecordIdOf(record), record]
}

/** The records that a node holds of all, as text: `<first digits of the node> <key> <value>`. */
export function heldBy({ gossip }: RunningNode): string[] {
  const rows = [...gossip.records.snapshot.rows.values()]
  return rows
    .map(({ node, key, value }) => `${node} ${key} ${Buffer.from(value).toString()}`)
    .sort()
}

/** Three nodes; the second and third know only the first. */
export async function startThree(
  nodes: RunningNodes,
): Promise<[RunningNode, RunningNode, RunningNode]> {
  const first = await nodes.start('a')
  const seeds = [seedOf(first)]
  return [first, await nodes.start('b', { seeds }), await nodes.start('c', { seeds })]
}

/** The states of all members in a node's eyes, in the order of the alphabet. */
export function statesSeenBy({ gossip }: RunningNode): string[] {
  return [...gossip.members.snapshot.rows.values()].map(({ state }) => state).sort()
}

/** The sum of a metric over its labels. */
export async function metricOf({ registry }: RunningNode, name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0)
}
