import { createSocket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { certify, nodeIdIn } from '../../src/gossip/gossip.ts'
import type { Ip } from '../../src/model/ip.ts'
import {
  fact,
  heldBy,
  LOOPBACK,
  metricOf,
  type RunningNode,
  RunningNodes,
  seedOf,
  startThree,
  statesSeenBy,
} from './running-nodes.ts'

let nodes: RunningNodes

beforeEach(async () => {
  nodes = await RunningNodes.open()
})
afterEach(() => nodes.close())

vi.setConfig({ testTimeout: 30_000 })
const SOON = { timeout: 15_000, interval: 10 }

describe('nodes on one network', () => {
  test('hold the same records soon after a change', async () => {
    const all = await startThree(nodes)
    const expected: string[] = []
    for (const { gossip, own } of all) {
      const value = gossip.self.slice(0, 4)
      own.update([fact('name', value)], true)
      expected.push(`${gossip.self} name ${value}`)
    }
    for (const node of all) {
      await vi.waitFor(() => expect(heldBy(node)).toEqual(expected.sort()), SOON)
    }
    const [first, second] = all
    first.own.update([fact('name', 'new'), fact('more', 'x')], true)
    await vi.waitFor(() => expect(heldBy(second)).toContain(`${first.gossip.self} name new`), SOON)
    first.own.update([[fact('more', 'x')[0], undefined]], true)
    await vi.waitFor(() => expect(heldBy(second).join()).not.toContain('more'), SOON)
  })

  test('know each other, and are complete', async () => {
    const all = await startThree(nodes)
    for (const node of all) {
      await vi.waitFor(() => expect(statesSeenBy(node)).toEqual(['alive', 'alive', 'alive']), SOON)
      await vi.waitFor(() => expect(node.gossip.records.snapshot.isComplete).toBe(true), SOON)
      expect(node.gossip.isIsolated()).toBe(false)
    }
  })

  test('take thousands of records in few revisions', async () => {
    const [first, second] = await startThree(nodes)
    await vi.waitFor(() => expect(second.gossip.members.snapshot.rows.size).toBe(3), SOON)
    const before = second.gossip.records.snapshot.revision
    first.own.update(
      Array.from({ length: 5000 }, (_, index) => fact(`key ${index}`, 'x'.repeat(100))),
      true,
    )
    await vi.waitFor(() => expect(second.gossip.records.snapshot.rows.size).toBe(5000), SOON)
    expect(second.gossip.records.snapshot.revision - before).toBeLessThan(500)
  })

  test('hint each other by address', async () => {
    const [first, second] = await startThree(nodes)
    await vi.waitFor(() => expect(first.gossip.members.snapshot.rows.size).toBe(3), SOON)
    let hints = 0
    const unlisten = second.gossip.onHint(() => hints++)
    first.gossip.hint('127.0.0.9' as Ip)
    first.gossip.hint(LOOPBACK)
    await vi.waitFor(() => expect(hints).toBe(1), SOON)
    unlisten()
    first.gossip.hint(LOOPBACK)
    const hinted = ['navstar_gossip_messages_total', 'hint', 'received'] as const
    await vi.waitFor(async () => {
      const metric = await second.registry.getSingleMetric(hinted[0])?.get()
      const found = metric?.values.find(
        ({ labels }) => labels['kind'] === hinted[1] && labels['direction'] === hinted[2],
      )
      expect(found?.value).toBe(2)
    }, SOON)
    expect(hints).toBe(1)
  })

  test('count what they do', async () => {
    const [first, second] = await startThree(nodes)
    first.own.update([fact('name', 'x')], true)
    await vi.waitFor(() => expect(heldBy(second)).toHaveLength(1), SOON)
    for (const name of [
      'navstar_gossip_members',
      'navstar_gossip_records',
      'navstar_gossip_record_bytes',
      'navstar_gossip_probes_sent_total',
      'navstar_gossip_probes_answered_total',
      'navstar_gossip_messages_total',
      'navstar_gossip_message_bytes_total',
      'navstar_gossip_convergence_lag_seconds',
    ]) {
      await vi.waitFor(
        async () => expect(await metricOf(second, name), name).toBeGreaterThan(0),
        SOON,
      )
    }
    expect(await metricOf(second, 'navstar_gossip_isolated_state')).toBe(0)
  })

  test('drop junk, and count it', async () => {
    const node = await nodes.start('a')
    const { address, port } = seedOf(node)
    const socket = createSocket('udp4')
    try {
      await vi.waitFor(async () => {
        socket.send(Buffer.from('junk'), port, address)
        const rejected = await metricOf(node, 'navstar_gossip_packets_rejected_total')
        expect(rejected).toBeGreaterThan(0)
      }, SOON)
    } finally {
      socket.close()
    }
  })

  test('with another key, or of another cluster, are not heard', async () => {
    const first = await nodes.start('a')
    const seeds = [seedOf(first)]
    await nodes.writeKeys('other.json', 2)
    const keyFile = `${nodes.directory}/other.json`
    const strangers = [
      await nodes.start('b', { seeds, keyFile }),
      await nodes.start('c', { seeds, clusterId: 'red' }),
    ]
    for (const { gossip } of strangers) {
      await vi.waitFor(() => expect(gossip.records.snapshot.isComplete).toBe(true), SOON)
      expect(gossip.members.snapshot.rows.size).toBe(1)
    }
    expect(first.gossip.members.snapshot.rows.size).toBe(1)
  })
})

describe('nodes with a CA', () => {
  test('believe only whom it certified', async () => {
    const caKeyFile = `${nodes.directory}/ca.pem`
    const certified = async (name: string) => {
      const node = await nodeIdIn(nodes.options(name).stateDirectory)
      const { ca, certificate } = await certify({ caKeyFile, clusterId: 'blue', node })
      return { caKey: ca, certificate }
    }
    const first = await nodes.start('a', await certified('a'))
    const seeds = [seedOf(first)]
    const stranger = await nodes.start('b', { seeds })
    const second = await nodes.start('c', { seeds, ...(await certified('c')) })
    const known = [first.gossip.self, second.gossip.self].sort()
    const seenBy = ({ gossip }: RunningNode) => [...gossip.members.snapshot.rows.keys()].sort()
    await vi.waitFor(() => expect(seenBy(first)).toEqual(known), SOON)
    await vi.waitFor(async () => {
      expect(await metricOf(first, 'navstar_gossip_messages_rejected_total')).toBeGreaterThan(0)
    }, SOON)
    expect(seenBy(first)).toEqual(known)
    expect(seenBy(second)).toEqual(known)
    expect(seenBy(stranger)).not.toContain(second.gossip.self)
  })
})

describe('a node that starts again', () => {
  test('is the same, finds the cluster without seeds, and what it states now replaces the old', async () => {
    const [first, second, third] = await startThree(nodes)
    third.own.update([fact('old', 'x'), fact('kept', 'x')], true)
    await vi.waitFor(() => expect(heldBy(first)).toHaveLength(2), SOON)
    await third.stop()
    const again = await nodes.start('c')
    expect(again.gossip.self).toBe(third.gossip.self)
    await vi.waitFor(() => expect(again.gossip.members.snapshot.rows.size).toBe(3), SOON)
    again.own.update([fact('kept', 'x'), fact('new', 'x')], true)
    const { self } = again.gossip
    for (const node of [first, second]) {
      await vi.waitFor(
        () => expect(heldBy(node)).toEqual([`${self} kept x`, `${self} new x`]),
        SOON,
      )
    }
    const incarnationOf = ({ gossip }: RunningNode) =>
      gossip.members.snapshot.rows.get(self)?.incarnation ?? 0
    expect(incarnationOf(first)).toBeGreaterThan(incarnationOf(third))
  })
})

describe('a node that leaves', () => {
  test('is gone for the others at once', async () => {
    const [first, second, third] = await startThree(nodes)
    third.own.update([fact('name', 'x')], true)
    await vi.waitFor(() => expect(heldBy(first)).toHaveLength(1), SOON)
    await third.gossip.leave()
    for (const node of [first, second]) {
      await vi.waitFor(() => expect(statesSeenBy(node)).toEqual(['alive', 'alive', 'left']), SOON)
    }
  })
})

describe('a node alone', () => {
  const ALONE = { clusterId: undefined, keyFile: undefined } as never

  test('is complete at once, holds its own records and opens no port', async () => {
    const { gossip, own } = await nodes.start('a', ALONE, () => undefined)
    own.update([fact('name', 'x')], true)
    await vi.waitFor(
      () => expect(gossip.records.snapshot).toMatchObject({ isComplete: true }),
      SOON,
    )
    expect([...gossip.records.snapshot.rows.values()].map(({ key }) => key)).toEqual(['name'])
    expect([...gossip.members.snapshot.rows.values()]).toMatchObject([{ isSelf: true }])
    expect(gossip.endpoint()).toBeUndefined()
    expect(gossip.isIsolated()).toBe(false)
  })
})

describe('a node that does not know its address yet', () => {
  test('joins once it does', async () => {
    const first = await nodes.start('a')
    let address: Ip | undefined
    const late = await nodes.start('b', { seeds: [seedOf(first)] }, () => address)
    late.own.update([fact('name', 'late')], true)
    expect(late.gossip.endpoint()).toBeUndefined()
    expect(late.gossip.records.snapshot.isComplete).toBe(false)
    address = LOOPBACK
    const { self } = late.gossip
    await vi.waitFor(() => expect(heldBy(first)).toEqual([`${self} name late`]), SOON)
  })

  test('waits for its port to be free', async () => {
    const first = await nodes.start('a')
    const late = await nodes.start('b', { listen: seedOf(first) }, () => LOOPBACK)
    await vi.waitFor(() => expect(late.lines.join('')).toContain('GOSSIP_BIND_FAILED'), SOON)
    expect(late.gossip.endpoint()).toBeUndefined()
    await first.stop()
    await vi.waitFor(() => expect(late.gossip.endpoint()).toBeDefined(), SOON)
  })
})

test.each([
  ['a key file that is not there', { keyFile: '/nonexistent' }, 'GOSSIP_KEYS_INVALID'],
  [
    'a CA key that is none',
    { caKey: '/nonexistent', certificate: '/nonexistent' },
    'CONFIG_INVALID',
  ],
  ['a state directory that is a file', { stateDirectory: '/dev/null' }, 'GOSSIP_STATE_UNUSABLE'],
])('%s is refused', async (_name, options, code) => {
  await expect(nodes.start('a', options)).rejects.toMatchObject({ code })
})

test('where a node listens is where others reach it, whatever its address', async () => {
  const { gossip } = await nodes.start('a', { listen: { address: LOOPBACK, port: 0 } }, () => {
    throw new Error('asked')
  })
  await vi.waitFor(() => expect(gossip.endpoint()?.address).toBe(LOOPBACK), SOON)
})
