import { beforeEach, expect, test } from 'vitest'
import type { ConntrackEntry } from '../../../src/kernel/conntrack.ts'
import type { NftablesPlane } from '../../../src/l4lb/planes/nftables/plane.ts'
import type { Service } from '../../../src/model/vip.ts'
import type { VipOptions } from '../../../src/model/vip-options.ts'
import { ip } from '../records.ts'
import { service, servicesOf } from '../services.ts'
import { FakeNetwork } from './fake-nftables.ts'
import { converge, expectExactly } from './rounds.ts'

const BOTH = ['10.0.0.1:8080', '10.0.0.2:8080'] as const
const [FIRST, SECOND] = BOTH

let network: FakeNetwork
let plane: NftablesPlane

beforeEach(() => {
  network = new FakeNetwork()
  plane = network.plane()
})

let clients = 40_000

/** A tracked flow to a VIP that went to a backend. */
function flow(key: string, to: string): ConntrackEntry {
  const { protocol, address, port } = service(key)
  const [host = '', number] = to.split(':')
  const client = { address: ip('10.0.0.9'), port: clients++ }
  const entry: ConntrackEntry = {
    protocol,
    original: { source: client, destination: { address, port } },
    reply: { source: { address: ip(host), port: Number(number) }, destination: client },
    timeoutSeconds: 30,
  }
  network.conntrack.insert(entry)
  return entry
}

function serve(key: string, backends: readonly string[], options: VipOptions = {}): Promise<void> {
  return converge(plane, servicesOf(web(key, backends, options)))
}

function web(key: string, backends: readonly string[], options: VipOptions = {}): Service {
  return { ...service(key, ...backends), options }
}

const left = (): readonly ConntrackEntry[] => network.conntrack.all

const UDP = 'udp/11.0.0.1/80'
const TCP = 'tcp/11.0.0.1/80'

test('a UDP flow ends within a tenth of a second after its backend left, and no other', async () => {
  await serve(UDP, BOTH)
  await network.clock.advance(1_000)
  flow(UDP, FIRST)
  const kept = [flow(UDP, SECOND), flow('udp/11.0.0.2/80', FIRST), flow(TCP, FIRST)]
  await serve(UDP, [SECOND])
  expect(left(), 'an answer may be on its way').toHaveLength(4)
  await network.clock.advance(40)
  expect(left()).toEqual(kept)
  flow(UDP, FIRST) // of a packet that was between two look-ups
  await network.clock.advance(60)
  expect(left()).toEqual(kept)
})

test('a UDP flow ends with its service', async () => {
  await serve(UDP, BOTH)
  flow(UDP, FIRST)
  await converge(plane, new Map())
  await network.clock.advance(100)
  expect(left()).toEqual([])
})

test('the first flows of a backend that comes back at once stay', async () => {
  await serve(UDP, BOTH)
  await network.clock.advance(1_000)
  await serve(UDP, [SECOND])
  await network.clock.advance(10)
  await serve(UDP, BOTH)
  const fresh = flow(UDP, FIRST)
  await network.clock.advance(1_000)
  expect(left()).toEqual([fresh])
})

test('the next daemon ends what one that died could not, and takes the record out', async () => {
  await serve(UDP, BOTH)
  await converge(plane, new Map())
  flow(UDP, FIRST)
  await plane.close()
  await network.clock.advance(1_000)
  expect(left()).toHaveLength(1)
  plane = network.plane()
  await converge(plane, new Map())
  await network.clock.advance(100)
  expect(left()).toEqual([])
  await serve(TCP, BOTH)
  const request = { table: 'navstar', set: 'left4', keyLength: 20, valueLength: 0 }
  expect((await network.nftables.elements(request)).keys).toHaveLength(0)
})

test('a daemon that starts ends flows that lead past the backends of a VIP', async () => {
  await serve(UDP, [FIRST, `${SECOND} x0`])
  await plane.close()
  flow(UDP, '10.0.0.3:8080')
  const kept = [flow(UDP, FIRST), flow(UDP, SECOND)]
  plane = network.plane()
  await plane.observe()
  await network.clock.advance(100)
  expect(left()).toEqual(kept)
})

test('a plane that only looks ends nothing', async () => {
  await serve(UDP, [FIRST])
  await plane.close()
  const stray = flow(UDP, SECOND)
  await network.plane({ isListening: false }).observe()
  await network.clock.advance(1_000)
  expect(left()).toEqual([stray])
})

test.each([
  { protocol: 'tcp', drain: 'reset', beforeMs: 0, afterMs: 100 },
  { protocol: 'udp', drain: 'reset', beforeMs: 0, afterMs: 100 },
  { protocol: 'tcp', drain: 5, beforeMs: 4_900, afterMs: 200 },
  { protocol: 'udp', drain: 5, beforeMs: 4_900, afterMs: 200 },
] as const)('a draining backend’s flows end: $protocol $drain', async (given) => {
  const { protocol, drain, beforeMs, afterMs } = given
  const key = `${protocol}/11.0.0.1/80`
  await serve(key, BOTH, { drain })
  await network.clock.advance(1_000)
  flow(key, FIRST)
  const kept = [flow(key, SECOND), flow('tcp/11.0.0.2/80', FIRST)]
  await serve(key, [`${FIRST} x0`, SECOND], { drain })
  await network.clock.advance(beforeMs / 2)
  await serve(key, [`${FIRST} x0`, SECOND, '10.0.0.3:8080'], { drain }) // no new beginning
  await network.clock.advance(beforeMs / 2)
  expect(left()).toHaveLength(3)
  await network.clock.advance(afterMs)
  expect(left()).toEqual(kept)
})

test('graceful draining ends nothing of TCP, also once the backend is gone', async () => {
  await serve(TCP, BOTH)
  const open = flow(TCP, FIRST)
  await serve(TCP, [`${FIRST} x0`, SECOND])
  await serve(TCP, [SECOND])
  await network.clock.advance(10_000)
  expect(left()).toEqual([open])
})

test('a removed TCP backend has the time of its service, also after the service', async () => {
  await serve(TCP, BOTH, { drain: 5 })
  flow(TCP, FIRST)
  await converge(plane, new Map())
  await network.clock.advance(4_900)
  expect(left()).toHaveLength(1)
  await network.clock.advance(200)
  expect(left()).toEqual([])
})

test('the time of a draining backend begins anew with the daemon', async () => {
  await serve(TCP, [`${FIRST} x0`, SECOND], { drain: 5 })
  flow(TCP, FIRST)
  await network.clock.advance(4_000)
  await plane.close()
  plane = network.plane()
  await plane.observe()
  await network.clock.advance(4_000)
  expect(left()).toHaveLength(1)
  await network.clock.advance(1_100)
  expect(left()).toEqual([])
})

test('what the kernel refuses is tried again', async () => {
  await serve(UDP, BOTH)
  await network.clock.advance(1_000)
  flow(UDP, FIRST)
  const { conntrack } = network
  const end = conntrack.delete.bind(conntrack)
  let refusals = 2
  conntrack.delete = (flows) => (refusals-- > 0 ? Promise.reject(new Error('EIO')) : end(flows))
  await serve(UDP, [SECOND])
  await network.clock.advance(1_500)
  expect(left()).toHaveLength(1)
  await network.clock.advance(1_000)
  expect(left()).toEqual([])
})

test.each(['reset', 30, 0, 'graceful'] as const)('drain %s is read back', async (drain) => {
  const desired = servicesOf(web(TCP, [FIRST, `${SECOND} x0`], { drain, algorithm: 'rr' }))
  await converge(plane, desired)
  await expectExactly(network.plane(), desired)
  await converge(plane, servicesOf(web(TCP, BOTH)))
  await expectExactly(network.plane(), servicesOf(web(TCP, BOTH)))
})
