import { beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { SocketTarget } from '../../../src/kernel/sockets.ts'
import {
  encodeEndpoint,
  encodeMemberKey,
  encodeVipKey,
} from '../../../src/l4lb/planes/ebpf/layout.ts'
import { type Leaver, Leaving } from '../../../src/l4lb/planes/ebpf/leaving.ts'
import { type Backend, type Service, serviceKeyOf } from '../../../src/model/vip.ts'
import { service } from '../services.ts'
import { FakeEbpf, uint32 } from './fake-ebpf.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const DNS = service('udp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const [FIRST, SECOND] = WEB.backends as readonly [Backend, Backend]

let kernel: FakeEbpf
let clock: VirtualClock
let ended: { readonly protocol: string; readonly cookies: readonly bigint[] }[]
let failures: number
let leaving: Leaving

beforeEach(() => {
  kernel = new FakeEbpf()
  clock = new VirtualClock()
  ended = []
  failures = 0
  const destroy = async (protocol: string, targets: readonly SocketTarget[]) => {
    if (failures-- > 0) throw new Error('EPERM')
    ended.push({ protocol, cookies: targets.map(({ cookie }) => cookie) })
    return { sockets: targets.length, namespaces: 1 }
  }
  leaving = new Leaving({ maps: kernel.socketMaps(), destroy, clock, log: silentLog })
})

/** An open TCP connection. */
function connect(cookie: number, { served = WEB, backend }: Sent): void {
  const value = new Uint8Array(56)
  value.set(encodeMemberKey(encodeVipKey(served), backend))
  kernel.contents.connections.edit(uint32(cookie, 0), value)
}

/** A socket that was sent to a backend; of which protocol it is is not told. */
function remember(cookie: number, { served = DNS, backend }: Sent): void {
  const key = new Uint8Array(32)
  key.set(uint32(cookie, 0))
  key.set(encodeEndpoint(backend), 8)
  kernel.contents.origins.edit(key, encodeEndpoint(served))
}

interface Sent {
  readonly served?: Service
  readonly backend: Backend
}

function leaver(served: Service, backend: Backend): Leaver {
  return { key: serviceKeyOf(served), backend }
}

test('ends connections of this service and backend when their time is over', async () => {
  connect(1, { backend: FIRST })
  connect(2, { backend: SECOND })
  connect(3, { served: service('tcp/11.0.0.2/80'), backend: FIRST })
  leaving.schedule(leaver(WEB, FIRST), 5_000)
  await clock.advance(4_999)
  expect(ended).toEqual([])
  await clock.advance(1)
  expect(ended).toEqual([{ protocol: 'tcp', cookies: [1n] }])
})

test('the earlier of two deadlines counts; one that is cancelled never comes', async () => {
  connect(1, { backend: FIRST })
  connect(2, { backend: SECOND })
  for (const delayMs of [3_000, 1_000, 9_000]) leaving.schedule(leaver(WEB, FIRST), delayMs)
  leaving.schedule(leaver(WEB, SECOND), 500)
  leaving.cancel(leaver(WEB, SECOND))
  await clock.advance(1_000)
  expect(ended).toEqual([{ protocol: 'tcp', cookies: [1n] }])
  await clock.advance(60_000)
  expect(ended).toHaveLength(1)
})

test('UDP sockets end, and nothing is kept of their flows', async () => {
  remember(7, { backend: FIRST })
  remember(8, { backend: SECOND })
  const flow = new Uint8Array(32)
  flow.set(encodeVipKey(DNS), 8)
  kernel.contents.flows.edit(flow, encodeEndpoint(FIRST))
  const client = new Uint8Array(32)
  client.set(encodeEndpoint(FIRST))
  kernel.contents.affinities.edit(flow, client)
  leaving.schedule(leaver(DNS, FIRST), 0)
  await clock.advance(0)
  await expect.poll(() => ended).toEqual([{ protocol: 'udp', cookies: [7n] }])
  const sizes = () => {
    const { origins, flows, affinities } = kernel.contents
    return [origins, flows, affinities].map(({ entries }) => entries.size)
  }
  await expect.poll(sizes).toEqual([1, 0, 0])
})

test('what fails is tried again, for a while', async () => {
  connect(1, { backend: FIRST })
  failures = 3
  leaving.schedule(leaver(WEB, FIRST), 0)
  for (let second = 0; second < 5; second++) await clock.advance(1_000)
  expect(ended).toEqual([{ protocol: 'tcp', cookies: [1n] }])
  failures = 1_000
  leaving.schedule(leaver(WEB, FIRST), 0)
  for (let second = 0; second < 60; second++) await clock.advance(1_000)
  expect(1_000 - failures).toBe(10)
})

test('nothing happens after the end', async () => {
  connect(1, { backend: FIRST })
  leaving.schedule(leaver(WEB, FIRST), 1_000)
  leaving.close()
  await clock.advance(10_000)
  expect(ended).toEqual([])
})

test('strays are sockets of UDP services without this backend', async () => {
  remember(1, { backend: FIRST })
  remember(2, { backend: SECOND })
  await leaving.endStrays(
    ({ key, backend }) => key.startsWith('udp/') && backend.address === '10.0.0.2',
  )
  expect(ended).toEqual([{ protocol: 'udp', cookies: [1n] }])
})
