/**
 * What a daemon costs that has nothing to do: 50 tasks run, and it asks the agent for news. Beside
 * it runs a bare Node.js whose timer fires as often as the daemon asks.
 */
import { spawn } from 'node:child_process'
import { systemClock } from '../src/base/clock.ts'
import { ClusterHost } from '../src/demo/host/cluster-host.ts'
import { DemoMesos } from '../src/demo/mesos/hosted/demo-mesos.ts'
import { addFabric } from '../src/demo/network/fabric.ts'
import type { PlaneKind } from '../src/l4lb/plane.ts'
import { digits } from './numbers.ts'
import type { Places } from './places.ts'
import { cpuSeconds, rssMib } from './process-usage.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const TASKS = 50
/** An agent that did not change for a minute is asked less often. */
const SETTLE_MS = 65_000
const WINDOW_MS = 60_000

interface Case {
  readonly plane: PlaneKind
  readonly pollIntervalMs: number
}

const CASES: readonly Case[] = [
  { plane: 'ebpf', pollIntervalMs: 250 },
  { plane: 'nftables', pollIntervalMs: 250 },
  { plane: 'ebpf', pollIntervalMs: 60_000 },
]

/** Measures idle daemons, one after another. */
export async function measureIdle(places: Places, settings: Settings): Promise<Row[]> {
  await addFabric(places)
  const mesos = await DemoMesos.start(places)
  const rows: Row[] = []
  for (const [index, each] of CASES.entries()) {
    const subject = `${each.plane}, asks each ${each.pollIntervalMs} ms`
    settings.say(subject)
    const { plane } = each
    const isFirst = index === 0
    const options = { number: index + 1, containers: 0, plane, mesos, hasMaster: isFirst }
    const host = new ClusterHost(places, options)
    rows.push(...(await measureHost(host, each)).map((row) => ({ ...row, subject })))
  }
  return rows
}

async function measureHost(
  host: ClusterHost,
  { pollIntervalMs }: Case,
): Promise<Omit<Row, 'subject'>[]> {
  await host.create()
  await host.startAgent()
  for (let index = 0; index < TASKS; index++) {
    const ports = [{ port: 8080, vips: [`/idle-${index}:80`] }]
    const addresses = [`172.31.0.${index + 1}`]
    await host.launch({ name: `idle-${index}`, network: 'container', addresses, ports })
  }
  await host.startDaemon('--mesos-poll-interval-ms', String(pollIntervalMs))
  await host.waitFor('/v1/navstar/vips', (text) => text.split('"served"').length > TASKS)
  const bare = spawn(process.execPath, ['-e', `setInterval(() => {}, ${pollIntervalMs})`])
  await wait(SETTLE_MS)
  const pids = [host.daemonPid, bare.pid]
  const before = await Promise.all(pids.map(cpuSeconds))
  await wait(WINDOW_MS)
  const after = await Promise.all(pids.map(cpuSeconds))
  const memoryMib = await rssMib(host.daemonPid)
  bare.kill()
  await host.killDaemon()
  const [percent = 0, barePercent = 0] = after.map(
    (seconds, index) => ((seconds - (before[index] ?? 0)) * 100_000) / WINDOW_MS,
  )
  return [
    {
      measure: 'idle daemon, % of a core',
      value: digits(percent),
      baseline: `bare timer ${digits(barePercent)}`,
      ...(barePercent > 0 && { ratio: digits(percent / barePercent) }),
      target: '≤ 0.5',
    },
    { measure: 'idle daemon, memory, MiB', value: digits(memoryMib), target: '≤ 100' },
  ]
}

async function wait(durationMs: number): Promise<void> {
  await systemClock.sleep(durationMs, { signal: AbortSignal.timeout(durationMs * 2 + 1000) })
}
