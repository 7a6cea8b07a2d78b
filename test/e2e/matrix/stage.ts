/** Two hosts with real daemons: all tasks on the first, clients on every network of both. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { VipsView } from '../../../src/daemon/vip-resources.ts'
import { ClusterHost } from '../../../src/demo/host/cluster-host.ts'
import { firstLine, spawnOnHost } from '../../../src/demo/host/host-process.ts'
import { DemoMesos } from '../../../src/demo/mesos/hosted/demo-mesos.ts'
import { addFabric } from '../../../src/demo/network/fabric.ts'
import { addRoutes } from '../../../src/demo/network/topology.ts'
import { holdPlaces } from '../../../src/demo/places/hold.ts'
import type { DemoPlaces, HostPlaces } from '../../../src/demo/places/places.ts'
import { changeKeys } from '../../../src/gossip/gossip.ts'
import type { PlaneKind } from '../../../src/l4lb/plane.ts'
import { addBridge, bridged, mapPorts } from './bridge.ts'
import { type Cell, NETWORKS, type Network } from './cells.ts'
import { MatrixClient } from './client.ts'
import { ADDRESS_PORT, matrixTasks, oddTasks, type PlacedTask } from './tasks.ts'

/** A port that is served with a name. */
export interface Listener {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly name: string
}

/** The stage of one plane. */
export interface MatrixStage {
  client(place: Cell['place'], network: Network): MatrixClient
  close(): Promise<void>
}

/** On each host and network; number 1 is the client's. */
const CONTAINERS = 4
/** What answers behind the other host's mapped port that has the number of VIPs' ports. */
export const DECOY = 'decoy'

/** Makes hosts, networks, tasks, daemons and clients. */
export async function openMatrix(plane: PlaneKind): Promise<MatrixStage> {
  const held = await holdPlaces(`m${process.pid.toString(36)}${plane}`)
  try {
    const clients = await build(held.places, plane)
    return {
      client: (place, network) => {
        const client = clients.get(`${place}/${network}`)
        if (client === undefined)
          throw new Error(`there is no client on ${network} of the ${place}`)
        return client
      },
      close: held.close,
    }
  } catch (error) {
    await held.close()
    throw error
  }
}

async function build(demo: DemoPlaces, plane: PlaneKind): Promise<Map<string, MatrixClient>> {
  await addFabric(demo)
  const mesos = await DemoMesos.start(demo)
  const hosts = [1, 2].map(
    (number) =>
      new ClusterHost(demo, {
        number,
        containers: CONTAINERS,
        plane,
        mesos,
        hasMaster: number === 1,
      }),
  )
  const [first, second] = hosts as [ClusterHost, ClusterHost]
  for (const host of hosts) {
    await host.create()
    await host.startAgent()
    await addBridge(host.places, CONTAINERS)
  }
  await addRoutes(first.places, [2])
  await addRoutes(second.places, [1])
  const tasks = [...matrixTasks(first.places, 1), ...oddTasks(first.places, 1)]
  await mapPorts(
    first.places,
    tasks.flatMap(({ mapping }) => mapping ?? []),
  )
  const decoy = bridged(second.places, 2)
  await mapPorts(second.places, [{ hostPort: ADDRESS_PORT, address: decoy.ip, port: 8080 }])
  const decoyListener = { protocol: 'tcp', address: decoy.ip, port: 8080, name: DECOY } as const
  const [clients] = await Promise.all([
    startClients(first, second),
    serve(second.places, decoy.namespace, [decoyListener]),
    ...serveTasks(first.places, tasks),
    ...tasks.map(({ task }) => first.launch(task)),
    startDaemons(demo, hosts),
  ])
  for (const host of hosts) await untilServed(host, tasks)
  return clients
}

async function startDaemons(demo: DemoPlaces, hosts: readonly ClusterHost[]): Promise<void> {
  const keyFile = join(demo.stateDirectory, 'cluster.key')
  await changeKeys(keyFile, { kind: 'add' })
  const seed = `${hosts[0]?.ip}:62501`
  await Promise.all(
    hosts.map((host) =>
      host.startDaemon(
        ...['--ip', host.ip, '--cluster-id', demo.id, '--gossip-key-file', keyFile],
        ...['--gossip-seed', seed],
      ),
    ),
  )
}

async function startClients(
  first: ClusterHost,
  second: ClusterHost,
): Promise<Map<string, MatrixClient>> {
  const places = { 'same host': first.places, 'other host': second.places }
  const starting = Object.entries(places).flatMap(([place, host]) =>
    NETWORKS.map(async (network) => {
      const client = await MatrixClient.start(host, namespaceOf(host, network))
      return [`${place}/${network}`, client] as const
    }),
  )
  return new Map(await Promise.all(starting))
}

function namespaceOf(host: HostPlaces, network: Network): string {
  if (network === 'host') return host.namespace
  return network === 'bridge' ? bridged(host, 1).namespace : host.container(1)
}

/** A process per namespace. */
function serveTasks(host: HostPlaces, tasks: readonly PlacedTask[]): readonly Promise<void>[] {
  const byNamespace = Map.groupBy(tasks, ({ namespace }) => namespace)
  return [...byNamespace].map(([namespace, own]) =>
    serve(host, namespace, own.flatMap(listenersOf)),
  )
}

function listenersOf({ task, addresses }: PlacedTask): Listener[] {
  return addresses.flatMap((address) =>
    (task.ports ?? []).map(({ port, protocol = 'tcp' }) => {
      const name = task.name === 'split' ? `split-${protocol}` : task.name
      return { protocol, address, port, name }
    }),
  )
}

async function serve(
  host: HostPlaces,
  namespace: string,
  listeners: readonly Listener[],
): Promise<void> {
  const program = fileURLToPath(new URL('server-main.ts', import.meta.url))
  const server = spawnOnHost(host, [process.execPath, program], { namespace })
  server.stdin?.write(`${JSON.stringify(listeners)}\n`)
  await firstLine(server, 'ready')
}

/** Waits until the host serves every VIP of the tasks, and its DNS every name. */
async function untilServed(host: ClusterHost, tasks: readonly PlacedTask[]): Promise<void> {
  const labels = tasks.flatMap(({ task }) => task.ports?.flatMap(({ vips = [] }) => vips) ?? [])
  const names = new Set(labels.filter((label) => label.startsWith('/')).map(nameOf))
  const backends = tasks.reduce((sum, task) => sum + countOf(task), 0)
  await host.waitFor('/v1/navstar/vips', (text) => {
    const { vips } = JSON.parse(text) as VipsView
    const served = vips.filter(({ state }) => state === 'served')
    return served.reduce((sum, vip) => sum + vip.backends.length, 0) === backends
  })
  await host.waitFor('/metrics', (text) =>
    text.includes(`\nnavstar_dns_zone_names ${names.size}\n`),
  )
}

function nameOf(label: string): string {
  return label.slice(0, label.lastIndexOf(':'))
}

/** How many backends a task makes: a named VIP has one per family. */
function countOf({ task, mapping, addresses }: PlacedTask): number {
  const labels = task.ports?.flatMap(({ vips = [] }) => vips) ?? []
  const perName = mapping === undefined ? addresses.length : 1
  return labels.reduce((sum, label) => sum + (label.startsWith('/') ? perName : 1), 0)
}
