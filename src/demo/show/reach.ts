/** Shows that every host reaches the backends of all. */
import { BACKEND_PORT, type Cluster } from '../cluster/cluster.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { type LoadReport, mergeReports, percentile } from '../load/load-report.ts'
import { countsText, type Miss, type Stage } from './stage.ts'

const NAME = 'web.marathon.l4lb.thisdcos.directory'
/** Requests from the first host, whose times are shown. */
const REQUESTS = 1000
/** Requests from each other host. */
const OTHER_REQUESTS = 300
const ROUNDS = 2

/** Checks the network itself: each host's first container reaches every backend, in both families. */
export async function reachDirectly({ hosts }: Cluster): Promise<{ requests: number }> {
  const urls = hosts.flatMap(directUrls)
  const reports = await Promise.all(hosts.map((host) => host.sendRequests(urls.length, urls, 1)))
  const { failures, timesUs } = mergeReports(reports)
  const errors = countsText(Object.entries(failures))
  if (errors !== 'none') throw new Error(`the network does not work without navstar: ${errors}`)
  return { requests: timesUs.length }
}

/** Sends requests from every host and prints who answered; from the first, how fast. */
export async function measureReach(stage: Stage): Promise<Miss> {
  const { cluster, first, url, print } = stage
  const byName = `http://${NAME}/`
  const direct = first.backends.map((index) => directUrl(first, index))
  const others = cluster.running.filter((host) => host !== first)
  await first.sendRequests(100, [byName, url, ...direct]) // warms up
  const [name, address, directly] = await alternate(first, [[byName], [url], direct])
  const rows = [
    [`${first.name} by name`, name, REQUESTS],
    [`${first.name} by address`, address, REQUESTS],
  ] as [string, LoadReport, number][]
  for (const host of others) {
    const count = OTHER_REQUESTS
    const asked = [byName, url].map((target) => host.sendRequests(count, [target]))
    const [named, addressed] = (await Promise.all(asked)) as [LoadReport, LoadReport]
    rows.push([`${host.name} by name`, named, count], [`${host.name} by address`, addressed, count])
  }
  const names = cluster.running.map((host) => host.name)
  print(line('requests, answered by', [...names, 'failed']))
  for (const [from, report] of rows) print(line(from, cells(report, names)))
  print(`latency from ${first.name}: ${latencyText(name)} by name (resolved each time),`)
  print(`  ${latencyText(address)} by address, ${latencyText(directly)} direct to its own backends`)
  const wrong = rows.filter(([, report, count]) => !isSpread(report, names, count))
  if (wrong.length === 0) return undefined
  const failures = wrong.map(([from, report]) => `${from}: ${failureText(report)}`)
  return `MISSED: every request should be answered, and all hosts should answer; ${failures.join('; ')}`
}

function directUrls(host: ClusterHost): string[] {
  return host.backends.flatMap((index) => [
    directUrl(host, index),
    `http://[${host.addresses.container(index).ip6}]:${BACKEND_PORT}/`,
  ])
}

function directUrl(host: ClusterHost, index: number): string {
  return `http://${host.addresses.container(index).ip}:${BACKEND_PORT}/`
}

/** Sends to each target in turn, so that a busy moment of the machine falls on all of them. */
async function alternate(
  host: ClusterHost,
  targets: readonly [string[], string[], string[]],
): Promise<[LoadReport, LoadReport, LoadReport]> {
  const reports: [LoadReport[], LoadReport[], LoadReport[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, urls] of targets.entries()) {
      reports[index]?.push(await host.sendRequests(REQUESTS / ROUNDS, urls))
    }
  }
  return [mergeReports(reports[0]), mergeReports(reports[1]), mergeReports(reports[2])]
}

function line(head: string, columns: readonly (string | number)[]): string {
  const cells = columns.map((column, index) =>
    String(column).padStart(index === columns.length - 1 ? 8 : 5),
  )
  return `  ${head.padEnd(22)}${cells.join('')}`
}

function cells({ spread, failures }: LoadReport, hosts: readonly string[]): number[] {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0)
  return [...hosts.map((host) => answersOf(spread, host)), failed]
}

function answersOf(spread: LoadReport['spread'], host: string): number {
  const own = Object.entries(spread).filter(([backend]) => backend.startsWith(`${host}-`))
  return own.reduce((sum, [, count]) => sum + count, 0)
}

function isSpread(
  { spread, timesUs }: LoadReport,
  hosts: readonly string[],
  count: number,
): boolean {
  return timesUs.length === count && hosts.every((host) => answersOf(spread, host) > 0)
}

function failureText({ spread, failures }: LoadReport): string {
  return `answers ${countsText(Object.entries(spread))}; failures ${countsText(Object.entries(failures))}`
}

function latencyText({ timesUs }: LoadReport): string {
  const milliseconds = (share: number) => (percentile(timesUs, share) / 1000).toFixed(2)
  return `p50 ${milliseconds(0.5)} ms, p99 ${milliseconds(0.99)} ms`
}
