import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeEndpoint,
  encodeMemberKey,
  encodeSlotKey,
  encodeVipKey,
  encodeWeight,
} from '../../../src/l4lb/planes/ebpf/layout.ts'
import { runs } from '../runs.ts'
import { anyServices, service, servicesOf } from '../services.ts'
import { anyDamage } from './ebpf-damage.ts'
import { FakeEbpf, vipValue } from './fake-ebpf.ts'
import { converge, expectExactly, round } from './rounds.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const API = service('tcp/11.0.0.2/443', '10.0.0.1:8080', '10.0.0.2:8081')

describe('the ebpf plane over maps in memory', () => {
  test('reaches the desired services from any state', async () => {
    const held = fc.array(anyServices, { minLength: 1, maxLength: 3 })
    const damages = fc.array(anyDamage, { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(held, damages, fc.boolean(), async (states, damage, isRestarted) => {
        const kernel = new FakeEbpf()
        const plane = kernel.plane()
        const desired = states.at(-1) ?? new Map()
        for (const state of states) await converge(plane, state)
        for (const { inflict } of damage) inflict(kernel)
        await converge(isRestarted ? kernel.plane() : plane, desired)
        await expectExactly(kernel.plane(), desired)
      }),
      runs(250),
    )
  })

  test('finds any damage by its audit', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyServices,
        fc.array(anyDamage, { minLength: 1 }),
        async (state, damage) => {
          const kernel = new FakeEbpf()
          const plane = kernel.plane()
          await converge(plane, state)
          await round(plane, state)
          expect(await plane.audit()).toBe(true)
          const before = pictureOf(kernel)
          for (const { inflict } of damage) inflict(kernel)
          expect(await plane.audit()).toBe(pictureOf(kernel) === before)
        },
      ),
      runs(100),
    )
  })

  test('leaves nothing behind in the maps', async () => {
    const kernel = new FakeEbpf()
    const plane = kernel.plane()
    await converge(plane, servicesOf(WEB, API))
    await converge(plane, servicesOf({ ...WEB, backends: API.backends }))
    await converge(plane, new Map())
    const { vips, slots, members } = kernel.contents
    expect([vips.entries.size, slots.entries.size, members.entries.size]).toEqual([0, 0, 0])
  })

  test('keeps what it must not prune', async () => {
    const kernel = new FakeEbpf()
    const plane = kernel.plane()
    await converge(plane, servicesOf(WEB, API))
    await round(plane, servicesOf(API), false)
    await expectExactly(kernel.plane(), servicesOf(WEB, API))
  })

  test('keeps the members of a service that a dead daemon had written before its VIP', async () => {
    const kernel = new FakeEbpf()
    for (const backend of WEB.backends) {
      kernel.contents.members.edit(encodeMemberKey(encodeVipKey(WEB), backend), encodeWeight(1))
    }
    await converge(kernel.plane(), servicesOf(WEB))
    await expectExactly(kernel.plane(), servicesOf(WEB))
  })

  test('keeps the slots of a service whose VIP entry was copied to another VIP', async () => {
    const kernel = new FakeEbpf()
    const plane = kernel.plane()
    await converge(plane, servicesOf(WEB))
    const [value] = kernel.contents.vips.entries.values()
    kernel.contents.vips.edit(encodeVipKey(API), Buffer.from(value ?? '', 'hex'))
    await converge(plane, servicesOf(WEB))
    await expectExactly(kernel.plane(), servicesOf(WEB))
  })

  test('survives a VIP that claims more slots than there can be', async () => {
    const kernel = new FakeEbpf()
    const plane = kernel.plane()
    await converge(plane, servicesOf(WEB))
    kernel.contents.vips.edit(encodeVipKey(WEB), vipValue({ set: 1, slots: 0xffff_ffff }))
    await converge(plane, servicesOf(WEB))
    await expectExactly(kernel.plane(), servicesOf(WEB))
  })

  test('deletes slots beyond those of their VIP', async () => {
    const kernel = new FakeEbpf()
    const plane = kernel.plane()
    await converge(plane, servicesOf(WEB))
    kernel.contents.slots.edit(encodeSlotKey(1, 7), encodeEndpoint({ ...WEB, port: WEB.port }))
    await converge(plane, servicesOf(WEB))
    await expectExactly(kernel.plane(), servicesOf(WEB))
  })
})

describe('a full map', () => {
  const small = service('tcp/11.0.0.1/443', '10.0.0.1:8080')
  const big = service('tcp/11.0.0.1/80', ...Array.from({ length: 9 }, (_, i) => `10.0.0.${i}:80`))
  const other = service('tcp/11.0.0.2/80', '10.0.0.1:8080')

  test.each([
    ['slots', { slots: 4 }],
    ['members', { members: 4 }],
  ])('%s: only the service that does not fit fails, now and later', async (_, maxEntries) => {
    const desired = servicesOf(big, small, other)
    const kernel = new FakeEbpf(maxEntries)
    const plane = kernel.plane()
    for (let attempt = 1; attempt <= 3; attempt++) {
      const failed = (await round(plane, desired)).filter(({ error }) => error !== undefined)
      expect(failed.map(({ operation }) => 'key' in operation && operation.key)).toEqual([
        'tcp/11.0.0.1/80',
      ])
      expect(failed[0]?.error).toMatchObject({ code: 'BPF_MAP_FAILED' })
    }
    await converge(plane, servicesOf(small, other))
    await expectExactly(kernel.plane(), servicesOf(small, other))
  })

  test('vips: those that fit are served', async () => {
    const kernel = new FakeEbpf({ vips: 2 })
    const outcomes = await round(kernel.plane(), servicesOf(other, small, big))
    const failed = outcomes.filter(({ error }) => error !== undefined)
    expect(failed.map(({ operation }) => 'key' in operation && operation.key)).toEqual([
      'tcp/11.0.0.1/80',
    ])
    await expectExactly(kernel.plane(), servicesOf(other, small))
  })

  test('a program that cannot be attached fails the repair and nothing else', async () => {
    const kernel = new FakeEbpf()
    kernel.refusedProgram = 'connect6'
    const outcomes = await round(kernel.plane(), servicesOf(small))
    const failed = outcomes.filter(({ error }) => error !== undefined)
    expect(failed.map(({ operation }) => operation.kind)).toEqual(['repair'])
    expect(failed[0]?.error).toMatchObject({ code: 'BPF_LOAD_FAILED' })
    kernel.refusedProgram = undefined
    await converge(kernel.plane(), servicesOf(small))
    await expectExactly(kernel.plane(), servicesOf(small))
  })
})

/** What the audit looks at: not what the programs write. */
function pictureOf({ contents, attached }: FakeEbpf): string {
  const { vips, slots, members, ranges } = contents
  const maps = [vips, slots, members, ranges].map(({ entries }) => [...entries].sort())
  return JSON.stringify([maps, [...attached].sort()])
}
