import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAddresses, type VipRange } from '../../../src/l4lb/addresses/address-plan.ts'
import { desiredServices } from '../../../src/l4lb/services/desired.ts'
import {
  DesiredServices,
  type ServiceChanges,
} from '../../../src/l4lb/services/desired-services.ts'
import type { BackendRecord, BackendRecordKey } from '../../../src/model/backend-record.ts'
import { familyOf, type Ip } from '../../../src/model/ip.ts'
import { taskKeyOf } from '../../../src/model/task.ts'
import type { Service, ServiceKey } from '../../../src/model/vip.ts'
import { ip, port, record, vip } from '../records.ts'
import { runs } from '../runs.ts'

/** Ranges of three and two addresses: names contend, and some find none. */
const RANGES: readonly VipRange[] = [
  { first: ip('11.0.0.0'), last: ip('11.0.0.2') },
  { first: ip('fd01:c::'), last: ip('fd01:c::1') },
]

const anyRecord: fc.Arbitrary<BackendRecord> = fc
  .record({
    vip: fc.oneof(
      fc.constantFrom('/web', 'web', '/a/bc', '/ab/c', '/api', '/db').map((label) => vip(label)),
      fc.constantFrom('/web', '/api').map((label) => vip(label, 'Other')),
      fc.constantFrom('10.1.2.3', '11.0.0.1', 'fd01:c::1').map((label) => vip(label)),
    ),
    vipPort: fc.constantFrom(port(80), port(443)),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    family: fc.constantFrom(4, 4, 6),
    host: fc.integer({ min: 1, max: 3 }),
    weight: fc.constantFrom(1, 0),
    taskKey: fc.constantFrom('t1', 't2').map((id) => taskKeyOf('f', id)),
    isMapped: fc.boolean(),
  })
  .map(({ family, host, isMapped, ...parts }) => {
    const address = parts.vip.kind === 'address' ? familyOf(parts.vip.address) : family
    const nodeIp = ip(`10.0.0.${host}`)
    return record({
      ...parts,
      nodeIp,
      address: address === 4 ? nodeIp : ip(`fd00::${host}`),
      ...(isMapped && address === 4 && { local: { address: ip('9.0.1.5'), port: port(80) } }),
    })
  })

/** A record that comes or goes, or this node's new address. */
type Step =
  | { readonly record: BackendRecord; readonly isPresent: boolean }
  | { readonly nodeIp: Ip | undefined }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ record: anyRecord, isPresent: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ nodeIp: fc.constantFrom(undefined, ip('10.0.0.1'), ip('10.0.0.2')) }),
  },
)

interface World {
  readonly records: Map<BackendRecordKey, BackendRecord>
  nodeIp: Ip | undefined
}

/** Takes steps. @returns the record changes among them */
function apply(batch: readonly Step[], world: World) {
  const changes: [BackendRecordKey, BackendRecord | undefined][] = []
  for (const step of batch) {
    if ('nodeIp' in step) world.nodeIp = step.nodeIp
    else changes.push([step.record.key, step.isPresent ? step.record : undefined])
  }
  for (const [key, each] of changes) {
    if (each === undefined) world.records.delete(key)
    else world.records.set(key, each)
  }
  return changes
}

/** Applies changes, each of which must change something. */
function follow(held: Map<ServiceKey, Service>, changes: ServiceChanges): void {
  for (const [key, service] of changes) {
    expect(held.get(key)).not.toEqual(service)
    if (service === undefined) held.delete(key)
    else held.set(key, service)
  }
}

/** All services of all records, without any memory. */
function fromScratch(
  records: Iterable<BackendRecord>,
  nodeIp: Ip | undefined,
): Map<ServiceKey, Service> {
  const groups = Map.groupBy(records, ({ vip: each }) =>
    each.kind === 'named' ? `named:${each.name}` : `address:${each.address}`,
  )
  const services = new Map<ServiceKey, Service>()
  for (const group of [...groups.keys()].sort()) {
    const owned = ownedOf(groups.get(group) ?? [])
    const addressOf = (name: string, family: 4 | 6) => plan(groups, family).get(name)
    for (const [key, service] of desiredServices(owned, { addressOf, nodeIp })) {
      if (!services.has(key)) services.set(key, service)
    }
  }
  return services
}

function ownedOf(records: readonly BackendRecord[]): readonly BackendRecord[] {
  const claimant = ({ vip: each }: BackendRecord) =>
    each.kind === 'named' ? `${each.rawLabel}@${each.framework}` : ''
  const [owner] = records.map(claimant).sort()
  return records.filter((each) => claimant(each) === owner)
}

function plan(
  groups: ReadonlyMap<string, readonly BackendRecord[]>,
  family: 4 | 6,
): ReadonlyMap<string, Ip> {
  const names = [...groups].flatMap(([group, records]) => {
    const isWanted = records.some(({ address }) => familyOf(address) === family)
    return group.startsWith('named:') && isWanted ? [group.slice(6)] : []
  })
  const range = RANGES.find(({ first }) => familyOf(first) === family)
  return range === undefined ? new Map() : planAddresses(names, range).addresses
}

function sorted<K, V>(entries: Iterable<readonly [K, V]>): Map<K, V> {
  return new Map([...entries].sort(([left], [right]) => (String(left) < String(right) ? -1 : 1)))
}

describe('the desired services of changing records', () => {
  test('are at every moment those of all records', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyStep, { maxLength: 3 }), { maxLength: 25 }), (batches) => {
        const desired = new DesiredServices(RANGES)
        const world: World = { records: new Map(), nodeIp: undefined }
        const held = new Map<ServiceKey, Service>()
        for (const batch of batches) {
          const changes = apply(batch, world)
          follow(held, desired.update(changes, world))
          expect(sorted(held)).toEqual(sorted(fromScratch(world.records.values(), world.nodeIp)))
        }
      }),
      runs(300),
    )
  })

  test('report names that collide, once and while they do', () => {
    const desired = new DesiredServices(RANGES)
    const slash = record({ vip: vip('/web') })
    const bare = record({ vip: vip('web'), address: ip('10.0.0.2') })
    const changes = desired.update(
      [
        [slash.key, slash],
        [bare.key, bare],
      ],
      { nodeIp: undefined },
    )
    expect([...changes.values()].map((service) => service?.backends.length)).toEqual([1])
    expect(desired.problems).toMatchObject([{ code: 'LABEL_COLLISION' }])
    expect(desired.problems[0]?.message).toContain('/web@marathon owns the name')
    const handed = desired.update([[slash.key, undefined]], { nodeIp: undefined })
    expect([...handed.values()].map((service) => service?.backends[0]?.address)).toEqual([
      '10.0.0.2',
    ])
    expect(desired.problems).toEqual([])
  })

  test('report names without an address', () => {
    const desired = new DesiredServices(RANGES)
    const records = ['/a', '/b', '/c', '/d'].map((label) => record({ vip: vip(label) }))
    desired.update(
      records.map((each) => [each.key, each]),
      { nodeIp: undefined },
    )
    expect(desired.problems).toMatchObject([{ code: 'ADDRESS_RANGE_FULL' }])
    expect(desired.addressesOf('d.marathon')).toEqual([])
    expect(desired.addressesOf('a.marathon')).toHaveLength(1)
  })

  test('keep a literal VIP apart from a named one that has its address, and say so', () => {
    const one: readonly VipRange[] = [{ first: ip('11.0.0.0'), last: ip('11.0.0.0') }]
    const desired = new DesiredServices(one)
    const named = record()
    const literal = record({ vip: vip('11.0.0.0'), address: ip('10.0.0.2') })
    const backendsOf = (changes: ReadonlyMap<ServiceKey, Service | undefined>) =>
      [...changes.values()].map((service) => service?.backends[0]?.address)
    expect(backendsOf(desired.update([[named.key, named]], { nodeIp: undefined }))).toEqual([
      '10.0.0.1',
    ])
    expect(backendsOf(desired.update([[literal.key, literal]], { nodeIp: undefined }))).toEqual([
      '10.0.0.2',
    ])
    expect(desired.problems).toMatchObject([{ code: 'VIP_ADDRESS_COLLISION' }])
    expect(backendsOf(desired.update([[literal.key, undefined]], { nodeIp: undefined }))).toEqual([
      '10.0.0.1',
    ])
    expect(desired.problems).toEqual([])
  })
})
