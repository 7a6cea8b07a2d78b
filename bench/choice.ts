/**
 * One of four backends is ten times slower than the others: what the algorithms make of it. Each backend
 * serves one connection after the other, so whoever waits behind the slow one waits long.
 */
import type { HostPlaces } from '../src/demo/places/places.ts'
import type { Plane } from '../src/l4lb/plane.ts'
import type { Port } from '../src/model/port.ts'
import { type Service, serviceKeyOf } from '../src/model/vip.ts'
import type { Algorithm } from '../src/model/vip-options.ts'
import { buildLoad, runLoad, serveSlowly } from './load.ts'
import { addClient, addNamespace, linkAddresses } from './network.ts'
import { ratiosOf, ratioText, spreadOf, spreadText } from './numbers.ts'
import type { Places } from './places.ts'
import { fill, openPlaneAt } from './planes.ts'
import type { Settings } from './settings.ts'
import { vipAddress } from './synthetic.ts'
import type { Row } from './table.ts'

const FAST_US = 1_000
const SLOW_US = 10_000
const SLOW_PORT = 9_013 as Port
const PORTS: readonly Port[] = [9_010 as Port, 9_011 as Port, 9_012 as Port, SLOW_PORT]
const CLIENTS = 8

/** The baseline comes first. */
const ALGORITHMS: readonly Algorithm[] = ['random', 'rr', 'least-conn', 'p2c-ewma']

interface Result {
  readonly p99Ms: number
  /** Percent of the connections that the slow backend got. */
  readonly slowShare: number
  readonly perSecond: number
}

/** Measures choices of the `ebpf` plane. */
export async function measureChoice(places: Places, settings: Settings): Promise<Row[]> {
  await buildLoad()
  const [server, client] = [places.host('server'), places.host('client')]
  await addNamespace(server)
  await addClient(client, server, 1)
  for (const port of PORTS) {
    await serveSlowly(server, port, port === SLOW_PORT ? SLOW_US : FAST_US)
  }
  const plane = await openPlaneAt('ebpf', client)
  await fill(plane, ALGORITHMS.map(serviceOf))
  const results = new Map(ALGORITHMS.map((algorithm) => [algorithm, [] as Result[]]))
  try {
    for (let repeat = -1; repeat < settings.repeats; repeat++) {
      for (const [algorithm, own] of results) {
        const seconds = repeat < 0 ? 0.5 : settings.seconds // the first one warms up
        const result = await measureOne({ plane, algorithm, client, seconds })
        if (repeat >= 0) own.push(result)
      }
    }
  } finally {
    await plane.close()
  }
  return [
    ...rowsOf('one of 4 backends 10 × slower, p99, ms', results, ({ p99Ms }) => p99Ms),
    ...rowsOf('… share of the slow one, %', results, ({ slowShare }) => slowShare),
    ...rowsOf('… connections per s', results, ({ perSecond }) => perSecond),
  ]
}

interface Run {
  readonly plane: Plane
  readonly algorithm: Algorithm
  readonly client: HostPlaces
  readonly seconds: number
}

async function measureOne({ plane, algorithm, client, seconds }: Run): Promise<Result> {
  const before = await countsOf(plane, algorithm)
  const target = `${serviceOf(algorithm).address}:80`
  const load = { mode: 'crr', target, clients: CLIENTS, seconds } as const
  const { p99Us, count, errors, seconds: took } = await runLoad(client, load)
  if (errors > 0) throw new Error(`${algorithm}: ${errors} connections failed`)
  const after = await countsOf(plane, algorithm)
  const slowShare = (100 * (after.slow - before.slow)) / (after.all - before.all)
  return { p99Ms: p99Us / 1000, slowShare, perSecond: count / took }
}

function serviceOf(algorithm: Algorithm): Service {
  const { server: address } = linkAddresses(1)
  return {
    address: vipAddress(ALGORITHMS.indexOf(algorithm)),
    port: 80 as Port,
    protocol: 'tcp',
    backends: PORTS.map((port) => ({ address, port, weight: 1 })),
    options: { algorithm },
  }
}

async function countsOf(plane: Plane, algorithm: Algorithm) {
  const rows = (await plane.statistics()).get(serviceKeyOf(serviceOf(algorithm))) ?? []
  const sum = (some: typeof rows) =>
    some.reduce((total, { connections = 0 }) => total + connections, 0)
  return { all: sum(rows), slow: sum(rows.filter(({ port }) => port === SLOW_PORT)) }
}

function rowsOf(
  measure: string,
  results: ReadonlyMap<Algorithm, readonly Result[]>,
  numberOf: (result: Result) => number,
): Row[] {
  const numbersOf = (algorithm: Algorithm) => (results.get(algorithm) ?? []).map(numberOf)
  const [baseline = 'random'] = ALGORITHMS
  return ALGORITHMS.map((algorithm) => {
    const numbers = numbersOf(algorithm)
    const row = { measure, subject: `ebpf, ${algorithm}`, value: spreadText(spreadOf(numbers)) }
    if (algorithm === baseline) return row
    return { ...row, baseline, ratio: ratioText(ratiosOf(numbers, numbersOf(baseline))) }
  })
}
