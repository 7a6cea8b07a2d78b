import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NftOperation } from '../../../src/kernel/nftables.ts'
import {
  addElements,
  deleteElements,
} from '../../../src/l4lb/planes/nftables/element-operations.ts'
import {
  encodeEndpoint,
  encodeNumber,
  encodeSlotKey,
  encodeVipKey,
} from '../../../src/l4lb/planes/nftables/elements.ts'
import { type IntactStructure, observeServices } from '../../../src/l4lb/planes/nftables/observe.ts'
import { TABLE } from '../../../src/l4lb/planes/nftables/ruleset.ts'
import { inspect } from '../../../src/l4lb/planes/nftables/structure.ts'
import { familyOf } from '../../../src/model/ip.ts'
import { runs } from '../runs.ts'
import { anyServices, type Services, service, servicesOf } from '../services.ts'
import { RANGES } from './fake-ebpf.ts'
import { FakeNetwork } from './fake-nftables.ts'
import { anyDamage } from './nftables-damage.ts'
import { converge, expectExactly, round } from './rounds.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const API = service('tcp/11.0.0.2/443', '10.0.0.1:8080', '10.0.0.2:8081', '9.0.1.5:80 x2')

describe('the nftables plane over a network in memory', () => {
  test('reaches the desired services from any state, and touches nothing of others', async () => {
    const held = fc.array(anyServices, { minLength: 1, maxLength: 3 })
    const damages = fc.array(anyDamage, { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(held, damages, fc.boolean(), async (states, damage, isRestarted) => {
        const network = new FakeNetwork()
        await network.prepareForeign()
        const plane = network.plane()
        const desired = states.at(-1) ?? new Map()
        for (const state of states) await converge(plane, state)
        const foreign = await network.foreign()
        for (const { inflict } of damage) await inflict(network)
        await converge(isRestarted ? network.plane() : plane, desired)
        await expectExactly(network.plane(), desired)
        await expectReachable(network, desired)
        expect(await network.foreign()).toBe(foreign)
      }),
      runs(100),
    )
  }, 30_000)

  test('holds the same, whatever it held before', async () => {
    await fc.assert(
      fc.asyncProperty(anyServices, anyServices, async (before, desired) => {
        const [changed, fresh] = [new FakeNetwork(), new FakeNetwork()]
        const plane = changed.plane()
        await converge(plane, before)
        await converge(plane, desired)
        await converge(fresh.plane(), desired)
        const counts = async (network: FakeNetwork) => (await network.picture()).length
        expect(await counts(changed)).toBe(await counts(fresh))
      }),
      runs(150),
    )
  })

  test('needs one round, and none once all is well', async () => {
    const network = new FakeNetwork()
    const plane = network.plane()
    const outcomes = await round(plane, servicesOf(WEB, API))
    expect(outcomes.map(({ operation, error }) => [operation.kind, error])).toEqual([
      ['repair', undefined],
      ['put', undefined],
      ['put', undefined],
    ])
    expect(await round(plane, servicesOf(WEB, API))).toEqual([])
    expect(await plane.audit()).toBe(true)
  })

  test('keeps what it must not prune', async () => {
    const network = new FakeNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB, API))
    await round(plane, servicesOf(API), false)
    await expectExactly(network.plane(), servicesOf(WEB, API))
  })

  const REPAIRED: readonly (readonly [string, readonly NftOperation[]])[] = [
    [
      'a slot far beyond the others',
      [
        addElements('slots4', {
          keys: encodeSlotKey(WEB, 70_000),
          values: encodeEndpoint({ address: WEB.address, port: WEB.port }),
        }),
      ],
    ],
    [
      'a wrong number of slots',
      [
        deleteElements('vips4', encodeVipKey(WEB)),
        addElements('vips4', { keys: encodeVipKey(WEB), values: encodeNumber(3) }),
      ],
    ],
    [
      'a pair of two links',
      [addElements('hairpin', { keys: new Uint8Array([9, 0, 0, 0, 8, 0, 0, 0]) })],
    ],
    [
      'a pair of two addresses',
      [addElements('self4', { keys: new Uint8Array([10, 0, 0, 1, 10, 0, 0, 9]) })],
    ],
    [
      'a foreign rule before ours',
      [{ kind: 'addRule', table: TABLE, chain: 'services', expressions: [{ expr: 'counter' }] }],
    ],
    [
      'rules that lead elsewhere, as many as ours',
      [
        { kind: 'flushChain', table: TABLE, chain: 'services' },
        { kind: 'addRule', table: TABLE, chain: 'services', expressions: [{ expr: 'counter' }] },
        { kind: 'addRule', table: TABLE, chain: 'services', expressions: [{ expr: 'counter' }] },
      ],
    ],
    ['a flushed chain of slots', [{ kind: 'flushChain', table: TABLE, chain: 'slots4-2' }]],
    ['a deleted table', [{ kind: 'deleteTable', table: TABLE }]],
    [
      'a table of another shape',
      [
        { kind: 'deleteTable', table: TABLE },
        { kind: 'addTable', table: TABLE },
        { kind: 'addSet', table: TABLE, set: 'hairpin', setSpec: { keyLength: 4, keyType: 19 } },
      ],
    ],
  ]

  test.each(REPAIRED)('repairs %s', async (_, operations) => {
    const network = new FakeNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB, API))
    const results = await network.write(...operations)
    expect(results.map(({ name }) => name)).toEqual(operations.map(() => 'OK'))
    await converge(plane, servicesOf(WEB, API))
    await expectExactly(network.plane(), servicesOf(WEB, API))
    await expectReachable(network, servicesOf(WEB, API))
  })

  test('puts services again when only the audit sees that the table is gone', async () => {
    const network = new FakeNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB))
    await network.nftables.transaction([{ kind: 'deleteTable', table: TABLE }])
    expect(await plane.audit()).toBe(false)
    await converge(plane, servicesOf(WEB))
    await expectExactly(network.plane(), servicesOf(WEB))
  })
})

describe('an element that the kernel refuses', () => {
  const small = service('tcp/11.0.0.1/443', '10.0.0.1:8080', '10.0.0.2:8080')
  const big = service('tcp/11.0.0.1/80', ...Array.from({ length: 9 }, (_, i) => `10.0.0.${i}:80`))

  test('fails its own service only, now and later', async () => {
    const network = new FakeNetwork({ slots4: 7 })
    const plane = network.plane()
    const desired = servicesOf(big, small, API)
    for (let attempt = 1; attempt <= 3; attempt++) {
      const failed = (await round(plane, desired)).filter(({ error }) => error !== undefined)
      expect(failed.map(({ operation }) => 'key' in operation && operation.key)).toEqual([
        'tcp/11.0.0.1/80',
      ])
      expect(failed[0]?.error).toMatchObject({ code: 'KERNEL_OPERATION_FAILED' })
    }
    await converge(plane, servicesOf(small, API))
    await expectExactly(network.plane(), servicesOf(small, API))
  })

  test('leaves a class of slots that others share', async () => {
    const network = new FakeNetwork()
    const plane = network.plane()
    await converge(plane, new Map())
    const keys = encodeSlotKey(WEB, 0)
    const values = encodeEndpoint({ address: WEB.address, port: WEB.port })
    await network.nftables.transaction([addElements('slots4', { keys, values })])
    const outcomes = await round(plane, servicesOf(WEB, small))
    expect(outcomes.filter(({ error }) => error !== undefined)).toHaveLength(1)
    await converge(plane, servicesOf(WEB, small))
    await expectExactly(network.plane(), servicesOf(WEB, small))
  })
})

/** All that is there, as intact as it is. */
async function intact({ nftables }: FakeNetwork): Promise<IntactStructure> {
  return inspect(await nftables.table(TABLE), RANGES)
}

/** Packets to each service that has slots reach the chain that draws one of them. */
async function expectReachable(network: FakeNetwork, services: Services): Promise<void> {
  const held = await observeServices(network.nftables, await intact(network))
  for (const [key, { address }] of services) {
    const family = familyOf(address)
    const draw = held.get(key)?.draw
    expect(draw, key).toBeDefined()
    if (draw === undefined || draw.slots === 0) continue
    expect(await network.leadsToSlots(family, draw), key).toBe(true)
  }
}
