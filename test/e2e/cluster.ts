/** A demo host for end-to-end tests; removed at the end, and by a reaper should the test die. */
import { ClusterHost, type ClusterHostOptions } from '../../src/demo/host/cluster-host.ts'
import { demoProgram, firstLine, outputOf, spawnOnHost } from '../../src/demo/host/host-process.ts'
import type { LoadReport } from '../../src/demo/load/load-report.ts'
import { DemoMesos } from '../../src/demo/mesos/hosted/demo-mesos.ts'
import { addFabric } from '../../src/demo/network/fabric.ts'
import { holdPlaces } from '../../src/demo/places/hold.ts'

/** A host under test. */
export interface TestCluster {
  readonly host: ClusterHost
  readonly mesos: DemoMesos
  /** Reads a metric's value: the sum over its labels. */
  metric(name: string): Promise<number>
  /** The VIPs as the API tells them. */
  vips(): Promise<readonly TestVip[]>
  /** Where the reconcile loop stands. */
  sync(): Promise<Sync>
  untilSync(isWanted: (sync: Sync) => boolean): Promise<void>
  /** Address and port of the first IPv4 VIP, e.g. `11.225.36.193:80`. */
  webAddress(): Promise<string>
  close(): Promise<void>
}

/** A VIP as the API tells it. */
export interface TestVip {
  readonly name?: string
  readonly address: string
  readonly protocol: string
  readonly state: string
  readonly backends: readonly { readonly address: string; readonly state: string }[]
}

/** The state of the reconcile loop. */
export interface Sync {
  readonly isInSync: boolean
  readonly drifts: number
}

let serial = 0

/** Makes a host with agent and master and nothing else running. */
export async function openCluster(
  options: Omit<ClusterHostOptions, 'number' | 'mesos' | 'hasMaster'>,
): Promise<TestCluster> {
  const { places: demo, close } = await holdPlaces(
    `t${process.pid.toString(36)}${(serial++).toString(36)}`,
  )
  const start = async (): Promise<Pick<TestCluster, 'host' | 'mesos'>> => {
    await addFabric(demo)
    const mesos = await DemoMesos.start(demo)
    const host = new ClusterHost(demo, { number: 1, mesos, hasMaster: true, ...options })
    await host.create()
    await host.startAgent()
    return { host, mesos }
  }
  const { host, mesos } = await start().catch(async (error: unknown) => {
    await close()
    throw error
  })
  const vips = async () =>
    (JSON.parse(await host.waitFor('/v1/navstar/vips')) as { vips: readonly TestVip[] }).vips
  return {
    host,
    mesos,
    close,
    metric: async (name) => sumMetric(await host.waitFor('/metrics'), name),
    sync: async () => syncOf(await host.waitFor('/v1/navstar/status')),
    untilSync: async (isWanted) => {
      await host.waitFor('/v1/navstar/status', (text) => isWanted(syncOf(text)))
    },
    vips,
    webAddress: async () => {
      const address = (await vips()).find(
        (vip) => vip.name?.startsWith('web.') && vip.address.startsWith('11.'),
      )?.address
      if (address === undefined) throw new Error('no IPv4 VIP is served')
      return address
    },
  }
}

function syncOf(status: string): Sync {
  return (JSON.parse(status) as { l4lb: Sync }).l4lb
}

/** Starts the daemon and `count` backends of `/web:80`. @returns the VIP's IPv4 address */
export async function startBackends(cluster: TestCluster, count: number): Promise<string> {
  const { host } = cluster
  for (let index = 1; index <= count; index++) {
    await host.startBackend(index, { name: 'web', ports: [{ port: 8080, vips: ['/web:80'] }] })
  }
  await host.startDaemon()
  await host.waitFor('/v1/navstar/vips', (text) => text.includes('"served"'))
  return cluster.webAddress()
}

/** Requests that go on until they are stopped. */
export interface EndlessLoad {
  stop(): Promise<LoadReport>
}

/** Starts clients on the host, or in one of its containers. */
export async function startLoad(
  host: ClusterHost,
  url: string,
  { clients, container }: { readonly clients: number; readonly container?: number },
): Promise<EndlessLoad> {
  const namespace = container === undefined ? undefined : host.places.container(container)
  const command = demoProgram(
    'load/load-main.ts',
    '--endless',
    '--clients',
    String(clients),
    '--url',
    url,
  )
  const child = spawnOnHost(host.places, command, { ...(namespace && { namespace }) })
  const output = outputOf(child)
  await firstLine(child, 'running')
  return {
    stop: async () => {
      child.stdin?.end()
      return JSON.parse((await output).replace(/^running\n/, '')) as LoadReport
    },
  }
}

function sumMetric(text: string, name: string): number {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
