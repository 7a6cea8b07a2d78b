import { beforeEach, describe, expect, test } from 'vitest'
import { encodeBackendSet } from '../../../src/l4lb/cluster/backend-set.ts'
import type { BackendRecord } from '../../../src/model/backend-record.ts'
import { type OwnRecord, type OwnRecordId, ownRecordIdOf } from '../../../src/model/record.ts'
import { formatEndpoint } from '../../../src/model/vip.ts'
import { PlayedNode } from '../addresses/cluster-nodes.ts'
import { ip, nodeId, port, record, vip } from '../records.ts'

const RANGES = [{ first: ip('11.0.0.0'), last: ip('11.0.0.255') }]
const other = nodeId(2)
const third = nodeId(3)
const there = record({ address: ip('10.0.0.2'), nodeIp: ip('10.0.0.2') })

let node: PlayedNode

beforeEach(async () => {
  node = await PlayedNode.start({ number: 1, ranges: RANGES })
  return () => node.close()
})

function told(...backends: readonly BackendRecord[]): Map<OwnRecordId, OwnRecord> {
  const groups = Map.groupBy(backends, (backend) => JSON.stringify([backend.vip, backend.vipPort]))
  const records = [...groups.values()].map((group) => encodeBackendSet(group).record)
  return new Map(records.flatMap((each) => (each ? [[ownRecordIdOf(each), each] as const] : [])))
}

/** The records by endpoint, e.g. `10.0.0.2:8080`, with a `?` behind doubted ones. */
function shown(): string[] {
  const rows = [...node.cluster.records.snapshot.rows.values()]
  return rows.map((each) => `${formatEndpoint(each)}${each.isDoubted === true ? '?' : ''}`).sort()
}

describe('the backends of the cluster', () => {
  test('are the own ones at once, and those of others', () => {
    node.set(record(), true)
    expect(shown()).toEqual(['10.0.0.1:8080'])
    node.gossip.hear(other, told(there))
    expect(shown()).toEqual(['10.0.0.1:8080', '10.0.0.2:8080'])
    node.set(record(), false)
    node.gossip.hear(other, told())
    expect(shown()).toEqual([])
  })

  test('are complete when the own ones and the records of all nodes are', () => {
    node.own.update([], true)
    expect(node.cluster.records.snapshot.isComplete).toBe(false)
    node.gossip.records.update([], true)
    expect(node.cluster.records.snapshot.isComplete).toBe(true)
  })

  test('keep apart what two nodes state of one endpoint', () => {
    node.gossip.hear(other, told(there))
    node.gossip.hear(third, told(there))
    expect(shown()).toEqual(['10.0.0.2:8080', '10.0.0.2:8080'])
    node.gossip.hear(third, told())
    expect(shown()).toEqual(['10.0.0.2:8080'])
  })

  test('lose `local` when another node names this one’s address', () => {
    const local = { address: ip('9.0.1.5'), port: port(80) }
    node.gossip.hear(other, told(record({ local })))
    const [found] = node.cluster.records.snapshot.rows.values()
    expect(found).toMatchObject({ nodeIp: '10.0.0.1', node: other })
    expect(found).not.toHaveProperty('local')
  })

  test.each([
    ['alive', ['10.0.0.2:8080', '10.0.0.3:8080']],
    ['doubted', ['10.0.0.2:8080?', '10.0.0.3:8080']],
    ['dead', ['10.0.0.3:8080']],
    ['left', ['10.0.0.3:8080']],
    [undefined, ['10.0.0.3:8080']],
  ] as const)('of a node that is %s are %j, and back when it is alive again', (state, expected) => {
    node.gossip.hear(other, told(there))
    node.gossip.hear(third, told(record({ address: ip('10.0.0.3') })))
    const before = node.cluster.records.snapshot.rows
    node.gossip.setState(other, state)
    expect(shown()).toEqual(expected)
    node.gossip.setState(other, 'alive')
    expect(node.cluster.records.snapshot.rows.equals(before)).toBe(true)
  })

  test('change only for the node whose state changes, and not for its other properties', () => {
    node.gossip.hear(other, told(there, record({ vip: vip('/api') })))
    node.gossip.hear(third, told(record({ address: ip('10.0.0.3') })))
    const changes: number[] = []
    node.cluster.records.onChange(({ keys }) => changes.push(keys.size))
    node.gossip.setState(other, 'alive')
    node.gossip.setState(third, 'doubted')
    expect(changes).toEqual([1])
  })

  test('change only for the VIP whose record changes, and there only what differs', () => {
    const api = record({ vip: vip('/api'), address: ip('10.0.0.2') })
    const second = record({ address: ip('10.0.0.2'), port: port(8081), nodeIp: ip('10.0.0.2') })
    node.gossip.hear(other, told(there, second, api))
    const changes: string[][] = []
    node.cluster.records.onChange(({ keys }) => changes.push([...keys]))
    node.gossip.hear(other, told(there, { ...second, weight: 0 }, api))
    expect(changes).toEqual([[`${other}/${second.key}`]])
  })

  test('all stay, unmarked, while everyone else looks gone, but those who said that they leave', () => {
    node.gossip.hear(other, told(there))
    node.gossip.hear(third, told(record({ address: ip('10.0.0.3') })))
    const fourth = nodeId(4)
    node.gossip.hear(fourth, told(record({ address: ip('10.0.0.4') })))
    node.gossip.setState(fourth, 'left')
    node.gossip.setState(other, 'doubted')
    node.gossip.isCutOff = true
    node.gossip.setState(third, 'doubted')
    expect(shown()).toEqual(['10.0.0.2:8080', '10.0.0.3:8080'])
    node.gossip.setState(other, 'dead')
    expect(shown()).toEqual(['10.0.0.2:8080', '10.0.0.3:8080'])
    expect(node.cluster.problems.map(({ code }) => code)).toEqual(['CLUSTER_ISOLATED'])
    expect(node.problems).toEqual(['isolated'])
    node.gossip.isCutOff = false
    node.gossip.setState(third, 'alive')
    expect(shown()).toEqual(['10.0.0.3:8080'])
    expect(node.cluster.problems).toEqual([])
    expect(node.problems).toEqual(['isolated', 'heard again'])
  })

  test('leave out what cannot be read, and say so', () => {
    const garbage = { kind: 1, schema: 1, key: 'tcp/web:80', value: new Uint8Array(3) }
    const claim = { kind: 6, schema: 1, key: '4/web.marathon', value: new Uint8Array(3) }
    const records = [garbage, claim].map((each) => [ownRecordIdOf(each), each] as const)
    node.gossip.hear(other, new Map([...told(there), ...records]))
    expect(shown()).toEqual(['10.0.0.2:8080'])
    expect(node.problems).toHaveLength(2)
    expect(node.cluster.problems.map(({ code }) => code)).toEqual([
      'RECORD_INVALID',
      'RECORD_INVALID',
    ])
    node.gossip.hear(other, told(there))
    expect(node.cluster.problems).toEqual([])
  })
})
