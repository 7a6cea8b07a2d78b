import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { Table } from '../../src/base/table.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { AddressBook } from '../../src/l4lb/addresses/address-book.ts'
import { vipRangeOf } from '../../src/l4lb/addresses/address-space.ts'
import { L4LB_DEFAULTS } from '../../src/l4lb/config.ts'
import { type L4lb, startL4lb } from '../../src/l4lb/l4lb.ts'
import type { BackendRecord, BackendRecordKey } from '../../src/model/backend-record.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { ServiceKey } from '../../src/model/vip.ts'
import { FakeEbpf, RANGES } from './planes/fake-ebpf.ts'
import { ip, nodeId, record, vip } from './records.ts'

let clock: VirtualClock
let kernel: FakeEbpf
let records: Table<BackendRecordKey, BackendRecord>
let scope: Scope
let nodeIp: Ip | undefined

beforeEach(() => {
  clock = new VirtualClock()
  kernel = new FakeEbpf()
  records = new Table()
  nodeIp = ip('10.0.0.1')
  scope = new Scope((error) => {
    throw error
  })
})
afterEach(() => scope.close())

/** Starts the capability, as after a start of the daemon. */
async function start(addresses?: AddressBook): Promise<L4lb> {
  const world = { clock, random: seededRandom(1), log: silentLog, scope, registry: new Registry() }
  const l4lb = startL4lb({
    problems: () => [],
    ...world,
    plane: kernel.plane(),
    ranges: RANGES,
    records,
    nodeIp: () => nodeIp,
    ...(addresses && { addresses }),
  })
  await clock.advance(0)
  return l4lb
}

function put(...given: readonly BackendRecord[]): void {
  records.replace(new Map(given.map((each) => [each.key, each])))
}

function namesOf(l4lb: L4lb): Record<string, readonly Ip[]> {
  const { rows } = l4lb.names.snapshot
  return Object.fromEntries([...rows.values()].map(({ name, addresses }) => [name, addresses]))
}

describe('VIPs', () => {
  test('are in the kernel before their names are published', async () => {
    put(record())
    kernel.refusedProgram = 'connect4'
    const l4lb = await start()
    expect(namesOf(l4lb)).toEqual({})
    expect(l4lb.status()).toMatchObject({ isInSync: false, lastError: { code: 'BPF_LOAD_FAILED' } })
    kernel.refusedProgram = undefined
    await clock.advance(1000)
    const [key] = l4lb.services.snapshot.rows.keys()
    expect(namesOf(l4lb)).toEqual({ 'web.marathon': [key?.split('/')[1]] })
    expect(l4lb.names.snapshot.isComplete).toBe(true)
    expect(l4lb.statusOf(key as ServiceKey)).toMatchObject({ isServed: true })
  })

  test('of an earlier daemon stay until the records are complete', async () => {
    put(record(), record({ vip: vip('/old') }))
    const first = await start()
    expect(first.services.snapshot.rows.size).toBe(2)
    await scope.close()
    scope = new Scope(() => undefined)
    records = new Table()
    const l4lb = await start()
    expect(kernel.contents.vips.entries.size).toBe(2)
    expect(l4lb.names.snapshot.isComplete).toBe(false)
    const web = record()
    records.update([[web.key, web]])
    await clock.advance(0)
    expect(kernel.contents.vips.entries.size).toBe(2)
    records.update([], true)
    await clock.advance(0)
    expect(kernel.contents.vips.entries.size).toBe(1)
    expect(Object.keys(namesOf(l4lb))).toEqual(['web.marathon'])
  })

  test('come back when someone deletes them', async () => {
    put(record())
    const l4lb = await start()
    const before = new Map(kernel.contents.vips.entries)
    const [key = ''] = before.keys()
    kernel.contents.vips.edit(Buffer.from(key, 'hex'))
    await clock.advance(2000)
    expect([...kernel.contents.vips.entries.keys()]).toEqual([key])
    expect(l4lb.status()).toMatchObject({ isInSync: true, drifts: 1 })
  })

  test('keep their name while their last backend drains, and lose it with the record', async () => {
    const web = record()
    put(web)
    const l4lb = await start()
    put({ ...web, weight: 0 })
    await clock.advance(0)
    expect(Object.keys(namesOf(l4lb))).toEqual(['web.marathon'])
    put()
    await clock.advance(0)
    expect(namesOf(l4lb)).toEqual({})
    expect(kernel.contents.vips.entries.size).toBe(0)
    expect(kernel.contents.slots.entries.size).toBe(0)
    expect(kernel.contents.members.entries.size).toBe(0)
  })

  test('move with the claims of the cluster, and stay where they were while that drains', async () => {
    const addresses = new AddressBook(RANGES.map(vipRangeOf))
    const l4lb = await start(addresses)
    put(record())
    await clock.advance(0)
    const told: (readonly Ip[])[] = []
    l4lb.names.onChange(() => told.push(namesOf(l4lb)['web.marathon'] ?? []))
    const claim = { address: ip('11.0.0.200'), claimedAtMs: 1 }
    addresses.claim([{ family: 4, name: 'web.marathon', node: nodeId(2), claim }])
    await clock.advance(0)
    expect(kernel.contents.vips.entries.size).toBe(2)
    expect(told.every((each) => each.length === 1)).toBe(true)
    expect(namesOf(l4lb)).toEqual({ 'web.marathon': ['11.0.0.200'] })
    await clock.advance(L4LB_DEFAULTS.addressDrainMs - 1)
    expect(kernel.contents.vips.entries.size).toBe(2)
    await clock.advance(1)
    expect(kernel.contents.vips.entries.size).toBe(1)
    expect(namesOf(l4lb)).toEqual({ 'web.marathon': ['11.0.0.200'] })
  })

  test('show what the next round would do', async () => {
    const l4lb = await start()
    put(record())
    expect(l4lb.preview().map(({ kind }) => kind)).toEqual(['put'])
    await clock.advance(0)
    expect(l4lb.preview()).toEqual([])
  })
})
