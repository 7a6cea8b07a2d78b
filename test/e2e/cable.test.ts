import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { Cluster } from '../../src/demo/cluster/cluster.ts'
import { backendAddresses, untilServed } from '../../src/demo/cluster/view.ts'
import type { ClusterHost } from '../../src/demo/host/cluster-host.ts'
import { navstarProgram as navstar } from '../../src/demo/host/host-process.ts'
import { type Attempt, answeringHost } from '../../src/demo/load/attempt.ts'
import { ConnectionStream, isAnswered } from '../../src/demo/load/connection-stream.ts'
import { monotonicMs } from '../../src/demo/load/monotonic.ts'
import { type HeldPlaces, holdPlaces } from '../../src/demo/places/hold.ts'
import { run } from '../../src/demo/run.ts'
import { requireFeature } from '../feature.ts'
import { shownBackends, untilShown } from './shown-backends.ts'

/** What is promised is a second. */
const OUT_MS = 1_000
/** A second or two; on two busy cores a probe takes longer. */
const BACK_MS = 4_000

/** The tests follow one cluster of three hosts, in this order; Mesos says nothing in any of them. */
describe('a cluster on plane ebpf whose clients open connections all the time', () => {
  let held: HeldPlaces | undefined
  let opening: Promise<Cluster> | undefined
  const streams: ConnectionStream[] = []
  const open = async (ctx: TestContext): Promise<Cluster> => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, 'ebpf')
    opening ??= holdPlaces(`c${process.pid.toString(36)}`).then((places) => {
      held = places
      return startCluster(places)
    })
    return opening
  }
  afterAll(async () => {
    await opening?.catch(() => undefined) // its test has failed
    for (const stream of streams) await stream.stop()
    await held?.close()
  })
  const connect = async (host: ClusterHost): Promise<ConnectionStream> => {
    const stream = ConnectionStream.start(host.places, { url: await webUrl(host), perSecond: 100 })
    streams.push(stream)
    expect(await stream.untilCalm(500, 20_000)).toBe(true)
    return stream
  }

  it('sends no new one to a backend whose cable is pulled, within a second, and says why', async (ctx) => {
    const cluster = await open(ctx)
    const [first, victim] = [cluster.host('h1'), cluster.host('h3')]
    const stream = await connect(first)
    const pulledMs = monotonicMs()
    await setCable(victim, 'down')
    await untilShown(first, ({ address, state }) => address !== ENDPOINT || state === 'out')
    expect(await stream.untilCalm(1_000, 20_000)).toBe(true)
    const lastMs = lastFailureMs(stream, pulledMs) - pulledMs
    console.log(`plane ebpf: the last connection to a pulled cable began after ${ms(lastMs)}`)
    expect(lastMs).toBeLessThan(OUT_MS)
    const shown = await first.run(navstar('vips', 'show', 'web'))
    const line = shown.split('\n').find((text) => text.includes(ENDPOINT)) ?? ''
    expect(line).toMatch(/ out +0 % +\d+ s .*(nobody gets through|connections got no answer)/)
    const metrics = await first.waitFor('/metrics')
    expect(metrics).toMatch(
      new RegExp(`navstar_l4lb_backend_failures_total\\{.*backend="${ENDPOINT}"\\} [1-9]`),
    )
    expect(await activeHosts(stream, 1_000)).toEqual(['h1', 'h2'])
  })

  it('sends new ones again once the cable is back', async (ctx) => {
    const cluster = await open(ctx)
    const [first, victim] = [cluster.host('h1'), cluster.host('h3')]
    const stream = streams[0] ?? (await connect(first))
    await setCable(victim, 'up')
    const backMs = monotonicMs()
    const isUsed = () => stream.since(backMs).some((each) => answeringHost(each) === 'h3')
    expect(await stream.until(isUsed, 20_000)).toBe(true)
    const usedMs = firstFrom(stream, 'h3', backMs) - backMs
    console.log(`plane ebpf: it answered the first one ${ms(usedMs)} after the cable was back`)
    expect(usedMs).toBeLessThan(BACK_MS)
    expect(await stream.untilCalm(1_000, 20_000)).toBe(true)
  })

  it('takes a backend out only where its own connections hang', async (ctx) => {
    const cluster = await open(ctx)
    const [first, bad] = [cluster.host('h1'), cluster.host('h2')]
    await connect(bad)
    await nft(
      bad,
      'add table inet cable; add chain inet cable out { type filter hook output priority 0; }',
    )
    await nft(bad, 'add rule inet cable out ip daddr 172.31.3.11 tcp flags syn drop')
    await untilShown(bad, ({ address, state }) => address !== ENDPOINT || state === 'out')
    const states = (await shownBackends(first)).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['in']))
    await nft(bad, 'delete table inet cable')
    await untilShown(bad, ({ state }) => state === 'in')
  })

  it('keeps all backends in when the cables of all are pulled', async (ctx) => {
    const cluster = await open(ctx)
    const first = cluster.host('h1')
    const stream = streams[0] ?? (await connect(first))
    await Promise.all(cluster.hosts.map((host) => setCable(host, 'down')))
    await untilShown(
      first,
      ({ address, state, why }) =>
        address.startsWith('[') || (state === 'in' && why.endsWith('but most others fail too')),
    )
    await Promise.all(cluster.hosts.map((host) => setCable(host, 'up')))
    expect(await stream.untilCalm(1_000, 20_000)).toBe(true)
    await untilShown(first, ({ why }) => why === 'it is healthy')
    expect(await activeHosts(stream, 1_000)).toEqual(['h1', 'h2', 'h3'])
  })
})

/** The backend on h3. */
const ENDPOINT = '172.31.3.11:8080'

async function startCluster({ places }: HeldPlaces): Promise<Cluster> {
  const cluster = await Cluster.open({ places, hosts: 3, backendsPerHost: 1, plane: 'ebpf' })
  await cluster.startDaemons()
  const { running } = cluster
  if ((await untilServed(running, backendAddresses(running), 30_000)) === undefined) {
    throw new Error('the daemons do not serve all backends')
  }
  return cluster
}

async function webUrl(host: ClusterHost): Promise<string> {
  const { vips } = JSON.parse(await host.waitFor('/v1/navstar/vips')) as {
    vips: readonly { readonly address: string }[]
  }
  return `http://${vips.find(({ address }) => address.startsWith('11.'))?.address}/`
}

/** The link between a host's bridge and the container of its backend. */
async function setCable(host: ClusterHost, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['-n', host.places.namespace, 'link', 'set', 'c0v1', state])
}

async function nft(host: ClusterHost, script: string): Promise<void> {
  await run('ip', ['netns', 'exec', host.places.namespace, 'nft', script])
}

function lastFailureMs(stream: ConnectionStream, sinceMs: number): number {
  const failed = stream.since(sinceMs).filter((attempt) => !isAnswered(attempt))
  return Math.max(sinceMs, ...failed.map(({ startedMs }) => startedMs))
}

function firstFrom(stream: ConnectionStream, host: string, sinceMs: number): number {
  const own = stream.since(sinceMs).filter((attempt) => answeringHost(attempt) === host)
  return Math.min(...own.map(({ endedMs }) => endedMs))
}

/** Who answers what begins from now on. */
async function activeHosts(stream: ConnectionStream, forMs: number): Promise<string[]> {
  const nowMs = monotonicMs()
  const isLater = ({ startedMs }: Attempt) => startedMs > nowMs + forMs
  await stream.until((all) => all.since(nowMs).some(isLater), 20_000)
  return [...new Set(stream.since(nowMs).map((each) => answeringHost(each) ?? 'nobody'))].sort()
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`
}
