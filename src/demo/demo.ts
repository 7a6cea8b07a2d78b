/** The demo: one cluster host, from a task's label to a balanced connection. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterHost } from './host/cluster-host.ts'
import { type LoadReport, mergeReports, percentile } from './load/load-report.ts'
import { addFabric, hostAddresses } from './network/topology.ts'
import { holdPlaces } from './places/hold.ts'
import type { DemoPlaces } from './places/places.ts'

/** How the demo runs. */
export interface DemoOptions {
  /** Ends after the measurements instead of staying up. */
  readonly isOnce: boolean
  readonly plane: 'auto' | 'ebpf' | 'nftables'
  /** Resolves when the user has seen enough. */
  readonly interrupted: Promise<unknown>
  readonly print: (line: string) => void
}

const NAME = 'web.marathon.l4lb.thisdcos.directory'
const BACKENDS = 3
const REQUESTS = 1000
const ROUNDS = 4
const PORT = 8080

/** Runs the demo. @returns whether everything went as it should */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { print } = options
  const held = await holdPlaces(process.pid.toString(36))
  const demo = held.places
  for (const id of held.swept) print(`removed what demo ${id} had left behind`)
  try {
    return await show(demo, options)
  } catch (error) {
    print(await lastWords(demo))
    throw error
  } finally {
    await held.close()
    print('everything is removed')
  }
}

/** The end of the first host's log. */
async function lastWords(demo: DemoPlaces): Promise<string> {
  const log = await readFile(join(demo.stateDirectory, 'h1.log'), 'utf8').catch(() => '')
  return ['the daemon of h1 logged last:', ...log.trim().split('\n').slice(-5)].join('\n  ')
}

async function show(demo: DemoPlaces, options: DemoOptions): Promise<boolean> {
  const { print, plane, isOnce, interrupted } = options
  const host = new ClusterHost(demo, { number: 1, containers: BACKENDS, plane })
  print(`host h1 is namespace ${host.places.namespace}, address ${host.ip}`)
  await addFabric(demo)
  await host.create()
  await host.startAgent()
  print('a simulated Mesos agent serves its API on 127.0.0.1:5051 there')
  const ports = [{ port: PORT, vips: ['/web:80'] }]
  for (let index = 1; index <= BACKENDS; index++) {
    const id = await host.startBackend(index, { name: 'web', ports })
    print(`task ${id} runs in container ${index}, labelled VIP_0: /web:80`)
  }
  await host.startDaemon()
  await host.waitFor('/v1/navstar/vips', (text) => text.includes('"served"'))
  print((await chosenPlane(host)) ?? '')
  const addresses = (await host.run(['dig', '+short', NAME, 'A', NAME, 'AAAA'])).trim()
  print(`${NAME} is ${addresses.split('\n').join(' and ')}`)
  const isFine = await measure(host, print)
  if (isOnce) return isFine
  print(tryOut(host))
  await interrupted
  return isFine
}

async function chosenPlane(host: ClusterHost): Promise<string | undefined> {
  const status = JSON.parse(await host.waitFor('/v1/navstar/status')) as {
    plane: { kind: string; reason: string }
  }
  return `the daemon chose plane ${status.plane.kind}: ${status.plane.reason}`
}

async function measure(host: ClusterHost, print: (line: string) => void): Promise<boolean> {
  const containers = Array.from({ length: BACKENDS }, (_, index) =>
    hostAddresses(1).container(index + 1),
  )
  const direct = containers.map(({ ip }) => `http://${ip}:${PORT}/`)
  const [address = ''] = (await host.run(['dig', '+short', NAME, 'A'])).split('\n')
  await host.sendRequests(100, [...direct, `http://${NAME}/`, `http://${address}/`]) // warms up
  const [byName, byAddress, directly] = await alternate(host, [
    [`http://${NAME}/`],
    [`http://${address}/`],
    direct,
  ])
  print(`${REQUESTS} requests through the VIP by name: ${spreadText(byName)}`)
  print(`${REQUESTS} requests through the VIP by address: ${spreadText(byAddress)}`)
  print(`latency by name    ${latencyText(byName)} (the name is resolved each time)`)
  print(`latency by address ${latencyText(byAddress)}`)
  print(`latency direct     ${latencyText(directly)}`)
  const ratio = percentile(byAddress.timesUs, 0.5) / percentile(directly.timesUs, 0.5)
  print(`the VIP takes ${ratio.toFixed(2)} times the direct median`)
  const isFine = [byName, byAddress].every(
    ({ timesUs, spread }) => timesUs.length === REQUESTS && Object.keys(spread).length === BACKENDS,
  )
  if (!isFine) print(`FAILED: expected ${REQUESTS} answers from ${BACKENDS} backends`)
  return isFine
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

function spreadText({ spread, failures }: LoadReport): string {
  const shares = Object.entries(spread).map(([backend, count]) => `${backend} ${count}`)
  const errors = Object.entries(failures).map(([reason, count]) => `${reason} ${count}`)
  return `${shares.join(', ')}; failures: ${errors.join(', ') || 'none'}`
}

function latencyText({ timesUs }: LoadReport): string {
  const milliseconds = (share: number) => (percentile(timesUs, share) / 1000).toFixed(2)
  return `p50 ${milliseconds(0.5)} ms, p99 ${milliseconds(0.99)} ms`
}

function tryOut(host: ClusterHost): string {
  const { script } = host.places
  return [
    '',
    `The cluster stays up; host h1 is ${host.ip}. Try, in another terminal:`,
    `  ${script} curl http://${NAME}/`,
    `  ${script} dig ${NAME}`,
    `  ${script} ${process.cwd()}/navstar vips`,
    'Ctrl-C ends it and removes everything.',
  ].join('\n')
}
