import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { nodesOf } from '../../../src/l4lb/health/failing-nodes.ts'
import { type EndpointKey, endpointKeyOf } from '../../../src/l4lb/health/health-engine.ts'
import { HealthWatch } from '../../../src/l4lb/health/health-watch.ts'
import { probeEndpoint } from '../../../src/l4lb/health/probe.ts'
import type { BackendStatistics, PlaneStatistics } from '../../../src/l4lb/plane.ts'
import type { ServiceKey } from '../../../src/model/vip.ts'
import { ip, nodeId, port, record } from '../records.ts'

const ENDPOINT = { address: ip('10.0.0.1'), port: port(8080) }
const KEY = endpointKeyOf('tcp', ENDPOINT)

let clock: VirtualClock
let statistics: PlaneStatistics
let failure: Error | undefined
let isAnswering: boolean
let seen: (readonly EndpointKey[])[]
let probes: number

beforeEach(() => {
  clock = new VirtualClock()
  statistics = new Map()
  failure = undefined
  isAnswering = false
  seen = []
  probes = 0
})

function count(counters: Partial<BackendStatistics>, ...services: readonly string[]): void {
  const keys = services.length === 0 ? ['tcp/11.0.0.1/80'] : services
  const { connections = 0 } = counters
  const row = { ...ENDPOINT, failures: 0, connectTimes: [connections], ...counters }
  statistics = new Map(keys.map((key) => [key as ServiceKey, [row]] as const))
}

/** Runs a watch for some time. */
async function watch(course: (pass: (ms: number) => Promise<void>) => Promise<void>) {
  const ended = new AbortController()
  const health = new HealthWatch({
    statistics: async () => {
      if (failure !== undefined) throw failure
      return statistics
    },
    probe: async () => {
      probes++
      return isAnswering
    },
    clock,
    log: silentLog,
    onChange: (failing) => seen.push([...failing]),
  })
  const running = health.run(ended.signal)
  await course((ms) => clock.advance(ms))
  ended.abort()
  await running
}

describe('a health watch', () => {
  test('tells when a backend goes out, probes it, and tells when it is back', async () => {
    count({})
    await watch(async (pass) => {
      await pass(300)
      count({ failures: 5 })
      await pass(300)
      expect(seen).toEqual([[KEY]])
      await pass(3_000)
      expect(probes).toBeGreaterThan(2)
      expect(seen).toHaveLength(1)
      isAnswering = true
      await pass(2_500)
      expect(seen).toEqual([[KEY], []])
    })
  })

  test('adds what several VIPs tell of one backend', async () => {
    count({}, 'tcp/11.0.0.1/80', 'tcp/11.0.0.2/80')
    await watch(async (pass) => {
      await pass(300)
      count({ failures: 2 }, 'tcp/11.0.0.1/80', 'tcp/11.0.0.2/80')
      await pass(300)
      expect(seen).toEqual([[KEY]])
    })
  })

  test('goes on when the counters cannot be read for a while', async () => {
    count({})
    await watch(async (pass) => {
      await pass(300)
      failure = new Error('no')
      await pass(1_000)
      failure = undefined
      count({ failures: 9 })
      await pass(300)
      expect(seen).toEqual([[KEY]])
    })
  })

  test('leaves backends alone whose failures nobody counts', async () => {
    await watch(async (pass) => {
      for (let connections = 0; connections < 50; connections += 10) {
        statistics = new Map([['tcp/11.0.0.1/80' as ServiceKey, [{ ...ENDPOINT, connections }]]])
        await pass(2_000)
      }
      expect(seen).toEqual([])
    })
  })
})

test('a backend that went out leads to the other nodes that state it', () => {
  const node = nodeId(1)
  const records = [
    record({ address: ENDPOINT.address, port: ENDPOINT.port, node }),
    record({ address: ENDPOINT.address, port: port(81), node: nodeId(2) }),
    record({ address: ENDPOINT.address, port: ENDPOINT.port }),
  ]
  expect([...nodesOf([KEY], records)]).toEqual([node])
})

test('a probe connects, and says whether somebody answered', async () => {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const at = { address: ip('127.0.0.1'), port: port((server.address() as AddressInfo).port) }
  expect(await probeEndpoint(endpointKeyOf('tcp', at))).toBe(true)
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  await closed.promise
  expect(await probeEndpoint(endpointKeyOf('tcp', at))).toBe(false)
})
