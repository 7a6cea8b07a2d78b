import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NamePublisher } from '../../../src/l4lb/services/name-publisher.ts'
import type { Ip } from '../../../src/model/ip.ts'
import { type Service, type ServiceKey, serviceKeyOf } from '../../../src/model/vip.ts'
import { ip, port } from '../records.ts'
import { runs } from '../runs.ts'

function named(name: string | undefined, address: string, number = 80): Service {
  const where = { address: ip(address), port: port(number), protocol: 'tcp' } as const
  return { ...where, ...(name !== undefined && { name }), backends: [] }
}

const WEB = named('web.marathon', '11.0.0.1')

describe('names', () => {
  test('come with the first served service and go with the last', () => {
    const publisher = new NamePublisher()
    const https = named('web.marathon', '11.0.0.1', 443)
    const six = named('web.marathon', 'fd01:c::1')
    const addresses = () => publisher.names.snapshot.rows.get('web.marathon')?.addresses
    publisher.publish([[serviceKeyOf(WEB), WEB]])
    expect(addresses()).toEqual(['11.0.0.1'])
    publisher.publish([
      [serviceKeyOf(https), https],
      [serviceKeyOf(six), six],
    ])
    expect(addresses()).toEqual(['11.0.0.1', 'fd01:c::1'])
    publisher.publish([[serviceKeyOf(WEB), undefined]])
    expect(addresses()).toEqual(['11.0.0.1', 'fd01:c::1'])
    publisher.publish([
      [serviceKeyOf(https), undefined],
      [serviceKeyOf(six), undefined],
    ])
    expect(addresses()).toBeUndefined()
  })

  test('follow an address that another name has now', () => {
    const publisher = new NamePublisher()
    publisher.publish([[serviceKeyOf(WEB), WEB]])
    const api = named('api.marathon', '11.0.0.1')
    publisher.publish([[serviceKeyOf(api), api]])
    expect([...publisher.names.snapshot.rows.keys()]).toEqual(['api.marathon'])
  })

  test('keep an address that they had before until the new one is served', () => {
    const publisher = new NamePublisher()
    const told: (readonly Ip[] | undefined)[] = []
    publisher.names.onChange(({ snapshot }) =>
      told.push(snapshot.rows.get('web.marathon')?.addresses),
    )
    const former: Service = { ...WEB, isFormer: true }
    const present = named('web.marathon', '11.0.0.2')
    publisher.publish([[serviceKeyOf(WEB), WEB]])
    publisher.publish([[serviceKeyOf(former), former]])
    publisher.publish([[serviceKeyOf(present), present]])
    publisher.publish([[serviceKeyOf(former), undefined]])
    expect(new Set(told.flat())).toEqual(new Set(['11.0.0.1', '11.0.0.2']))
    expect(told.every((addresses) => addresses?.length === 1)).toBe(true)
    expect(publisher.names.snapshot.rows.get('web.marathon')?.addresses).toEqual(['11.0.0.2'])
  })

  test('do not change for new backends', () => {
    const publisher = new NamePublisher()
    publisher.publish([[serviceKeyOf(WEB), WEB]])
    const { revision } = publisher.names.snapshot
    publisher.publish([[serviceKeyOf(WEB), { ...WEB }]])
    expect(publisher.names.snapshot.revision).toBe(revision)
  })

  test('are complete once told so', () => {
    const publisher = new NamePublisher()
    publisher.publish([[serviceKeyOf(WEB), WEB]])
    expect(publisher.names.snapshot.isComplete).toBe(false)
    publisher.complete()
    expect(publisher.names.snapshot.isComplete).toBe(true)
  })

  test('are at every moment those of the served services', () => {
    const anyService = fc
      .tuple(
        fc.constantFrom('web.marathon', 'api.marathon', undefined),
        fc.constantFrom('11.0.0.1', '11.0.0.2', 'fd01:c::1'),
        fc.constantFrom(80, 443),
      )
      .map((parts) => named(...parts))
    const anyBatch = fc.array(fc.tuple(anyService, fc.boolean()), { maxLength: 3 })
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 20 }), (batches) => {
        const publisher = new NamePublisher()
        const served = new Map<ServiceKey, Service>()
        for (const batch of batches) {
          const changes = new Map(
            batch.map(([each, isServed]) => [serviceKeyOf(each), isServed ? each : undefined]),
          )
          for (const [key, each] of changes) {
            if (each === undefined) served.delete(key)
            else served.set(key, each)
          }
          publisher.publish(changes)
          const published = [...publisher.names.snapshot.rows.values()]
          const texts = published.map(({ name, addresses }) => `${name} ${addresses.join(' ')}`)
          expect(texts.sort()).toEqual(expectedNames(served.values()))
        }
      }),
      runs(200),
    )
  })
})

function expectedNames(services: Iterable<Service>): string[] {
  const addresses = new Map<string, Set<Ip>>()
  for (const { name, address } of services) {
    if (name !== undefined) addresses.set(name, (addresses.get(name) ?? new Set()).add(address))
  }
  return [...addresses].map(([name, set]) => `${name} ${[...set].sort().join(' ')}`).sort()
}
