import { expect, test } from 'vitest'
import type { ConntrackEntry } from '../../../src/kernel/conntrack.ts'
import { FakeConntrack } from '../../../src/kernel/fake/conntrack.ts'
import { endStrayFlows } from '../../../src/l4lb/planes/stray-flows.ts'
import type { Service } from '../../../src/model/vip.ts'
import { ip, port } from '../records.ts'

const VIP = { address: ip('11.0.0.1'), port: port(53) }

function serviceOf(protocol: 'tcp' | 'udp', ...weights: readonly number[]): Service {
  const backends = weights.map((weight, index) => ({
    ...{ address: ip('10.0.0.1'), port: port(8000 + index), weight },
  }))
  return { ...VIP, protocol, backends }
}

function flow(to: string, protocol: 'tcp' | 'udp' = 'udp', vip = VIP): ConntrackEntry {
  const [address = '', number] = to.split(':')
  const end = { address: ip(address), port: Number(number) }
  const client = { address: ip('10.0.0.9'), port: 40_000 + Number(number) }
  return {
    protocol,
    original: { source: client, destination: vip },
    reply: { source: end, destination: client },
    timeoutSeconds: 30,
  }
}

function endsLeft(conntrack: FakeConntrack): Promise<string[]> {
  const flows = (['tcp', 'udp'] as const).flatMap((protocol) =>
    [VIP, OTHER].map((originalDestination) => ({ protocol, originalDestination })),
  )
  return conntrack
    .entries(flows)
    .then((entries) =>
      entries.map(({ protocol, reply }) => `${protocol} ${reply.source.port}`).sort(),
    )
}

function conntrackWith(entries: readonly ConntrackEntry[]): FakeConntrack {
  const conntrack = new FakeConntrack()
  for (const entry of entries) conntrack.insert(entry)
  return conntrack
}

const OTHER = { address: ip('11.0.0.2'), port: port(53) }

test('flows to backends that are gone end; those of others and of draining ones stay', async () => {
  const conntrack = conntrackWith([
    flow('10.0.0.1:8000'),
    flow('10.0.0.1:8001'),
    flow('10.0.0.1:8002'),
    flow('10.0.0.1:8003', 'tcp'),
    flow('10.0.0.1:8004', 'udp', OTHER),
    flow('11.0.0.1:53'),
  ])
  expect(await endStrayFlows(conntrack, [serviceOf('udp', 1, 0)])).toBe(1)
  expect(await endsLeft(conntrack)).toEqual([
    'tcp 8003',
    'udp 53',
    'udp 8000',
    'udp 8001',
    'udp 8004',
  ])
})

test('all flows of a service that ended end, but those that nobody translated', async () => {
  const conntrack = conntrackWith([flow('10.0.0.1:8000'), flow('11.0.0.1:53')])
  expect(await endStrayFlows(conntrack, [serviceOf('udp')])).toBe(1)
  expect(await endsLeft(conntrack)).toEqual(['udp 53'])
})

test('connections of TCP are left to their ends', async () => {
  const conntrack = conntrackWith([flow('10.0.0.1:8000', 'tcp')])
  expect(await endStrayFlows(conntrack, [serviceOf('tcp')])).toBe(0)
  expect(await endsLeft(conntrack)).toEqual(['tcp 8000'])
})
