import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeVipValue,
  encodeEndpoint,
  encodeVipKey,
  type VipValue,
} from '../../../src/l4lb/planes/ebpf/layout.ts'
import type { Service } from '../../../src/model/vip.ts'
import { runs } from '../runs.ts'
import { anyServices, type Services } from '../services.ts'
import { FakeEbpf, MAP_NAMES, uint32 } from './fake-ebpf.ts'
import { round } from './rounds.ts'

/** The maps at one moment: keys to values, hexadecimal. */
type Moment = Readonly<Record<(typeof MAP_NAMES)[number], ReadonlyMap<string, string>>>

/** Without tables of maglev, whose many slots would only make each moment large. */
const anyFew: fc.Arbitrary<Services> = anyServices.map(
  (services) =>
    new Map(
      [...services].map(([key, { options, ...service }]) => {
        const isSmall = options?.algorithm !== 'maglev'
        return [key, options !== undefined && isSmall ? { ...service, options } : service]
      }),
    ),
)

/** ATTEMPTS in choose.h. */
const ATTEMPTS = 3

test('whoever connects meets a backend at every moment of a change', async () => {
  await fc.assert(
    fc.asyncProperty(anyFew, anyFew, fc.infiniteStream(fc.nat(4)), async (before, after, dice) => {
      const kernel = new FakeEbpf()
      const plane = kernel.plane()
      await round(plane, before)
      const moments = record(kernel)
      await round(plane, after)
      for (const [key, service] of after) {
        if (!isActive(service) || !isActive(before.get(key))) continue
        const allowed = endpointsOf(before.get(key), service)
        for (const start of moments.keys()) {
          expect(allowed).toContain(choose({ moments, start, service, dice }))
        }
      }
    }),
    runs(300),
  )
})

test('a service that ends goes before its slots', async () => {
  const anyPair = fc.tuple(anyFew, anyFew)
  await fc.assert(
    fc.asyncProperty(anyPair, async ([before, after]) => {
      const kernel = new FakeEbpf()
      const plane = kernel.plane()
      await round(plane, before)
      const moments = record(kernel)
      await round(plane, after)
      for (const moment of moments)
        expectNoDangling(moment, [...before.values(), ...after.values()])
    }),
    runs(200),
  )
})

/** Takes a picture of the maps now and after each write. */
function record({ contents }: FakeEbpf): Moment[] {
  const copy = (name: (typeof MAP_NAMES)[number]) => new Map(contents[name].entries)
  let moment = Object.fromEntries(MAP_NAMES.map((name) => [name, copy(name)])) as unknown as Moment
  const moments = [moment]
  for (const name of MAP_NAMES) {
    contents[name].onWrite(() => {
      moment = { ...moment, [name]: copy(name) }
      moments.push(moment)
    })
  }
  return moments
}

interface Reader {
  readonly moments: readonly Moment[]
  readonly start: number
  readonly service: Service
  readonly dice: fc.Stream<number>
}

/** What choose() in choose.h does, with time passing between its look-ups. */
function choose({ moments, start, service, dice }: Reader): string | undefined {
  const vip = encodeVipKey(service)
  let at = start
  const pass = (): Moment => {
    at = Math.min(moments.length - 1, at + roll(dice))
    return moments[at] as Moment
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = pass().vips.get(hex(vip))
    if (entry === undefined) return undefined
    const { set, slots } = vipValueOf(entry)
    if (slots === 0) return undefined
    const endpoint = pass().slots.get(hex(uint32(set, roll(dice) % slots)))
    if (endpoint !== undefined && pass().members.has(hex(vip) + endpoint)) return endpoint
  }
  return undefined
}

/** At one moment every slot of every VIP is there, and a member. */
function expectNoDangling({ vips, slots, members }: Moment, services: readonly Service[]): void {
  for (const service of services) {
    const vip = hex(encodeVipKey(service))
    const entry = vips.get(vip)
    if (entry === undefined) continue
    const value = vipValueOf(entry)
    for (let slot = 0; slot < value.slots; slot++) {
      const endpoint = slots.get(hex(uint32(value.set, slot)))
      expect(endpoint).toBeDefined()
      expect(members.has(vip + endpoint)).toBe(true)
    }
  }
}

function vipValueOf(entry: string): VipValue {
  const value = decodeVipValue(Buffer.from(entry, 'hex'), 0)
  if (value === undefined) throw new Error(entry)
  return value
}

function isActive(service: Service | undefined): service is Service {
  return service?.backends.some(({ weight }) => weight > 0) === true
}

function endpointsOf(...services: readonly (Service | undefined)[]): string[] {
  return services.flatMap((service) => {
    const active = service?.backends.filter(({ weight }) => weight > 0) ?? []
    return active.map((backend) => hex(encodeEndpoint(backend)))
  })
}

function roll(dice: fc.Stream<number>): number {
  return dice.next().value ?? 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
