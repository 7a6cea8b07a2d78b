/** The records of IPVS: what is written is what is read, at the offsets that the addon uses. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type IpvsDestination,
  type IpvsKey,
  type IpvsService,
  ipvsDestination,
  ipvsService,
} from '../../src/kernel/ipvs.ts'
import { readRecords, recordsOf } from '../../src/kernel/ipvs-record.ts'
import { type Family, ipFromBigint } from '../../src/model/ip.ts'
import { keyOf } from './ipvs-cases.ts'

const SERVICE_PART = 36

const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
const family: fc.Arbitrary<Family> = fc.constantFrom(4, 6)
const address = family.chain((of) =>
  fc
    .bigInt({ min: 0n, max: of === 4 ? 2n ** 32n - 1n : 2n ** 128n - 1n })
    .map((value) => ipFromBigint(value, of)),
)
const key: fc.Arbitrary<IpvsKey> = fc.oneof(
  fc.record({
    kind: fc.constant('address' as const),
    protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
    address,
    port: uint(16),
  }),
  fc.record({ kind: fc.constant('mark' as const), family, mark: uint(32) }),
)
const service: fc.Arbitrary<IpvsService> = fc.record({
  key,
  scheduler: fc.constantFrom('rr', 'wlc', 'mh'),
  isPersistent: fc.boolean(),
  isOnePacket: fc.boolean(),
  schedulerFlags: uint(3),
  persistenceSeconds: uint(32),
  persistencePrefix: uint(7),
})
const destination: fc.Arbitrary<IpvsDestination> = fc.record({
  address,
  port: uint(16),
  forwarding: fc.constantFrom('masquerade', 'local', 'tunnel', 'direct', 'bypass'),
  weight: uint(32),
  upperThreshold: uint(32),
  lowerThreshold: uint(32),
})

test('what operations write is read back as observed', async () => {
  const services = fc.array(
    fc.record({ service, destinations: fc.array(destination, { maxLength: 4 }) }),
  )
  await fc.assert(
    fc.asyncProperty(services, async (made) => {
      const observed = await readRecords(observedRecords(made))
      expect(observed).toHaveLength(made.length)
      for (const [index, { statistics, destinations, ...read }] of observed.entries()) {
        expect(read).toEqual(made[index]?.service)
        expect(statistics.incomingBytes).toBe(index * 2 ** 32 + 7)
        expect(destinations).toMatchObject(made[index]?.destinations ?? [])
        expect(destinations).toHaveLength(made[index]?.destinations.length ?? 0)
      }
    }),
  )
})

test('operations lie where the addon looks for them', () => {
  const web = keyOf('11.0.0.1', 80)
  const backend = ipvsDestination({
    address: ipFromBigint((0xfd00n << 112n) | 1n, 6),
    port: 8080,
    weight: 3,
  })
  const { bytes, schedulers } = recordsOf([
    { kind: 'newService', service: ipvsService({ key: web, scheduler: 'rr' }) },
    { kind: 'setService', service: ipvsService({ key: web, scheduler: 'wlc', isOnePacket: true }) },
    { kind: 'setDestination', key: web, destination: backend },
  ])
  expect(schedulers).toEqual(['rr', 'wlc'])
  const hex = Buffer.from(bytes)
    .toString('hex')
    .match(/.{136}/g)
  const named = (kind: string, [scheduler, flags]: readonly [string, string], prefix = '20') =>
    `${kind}0406${prefix}5000${scheduler}0b000001${'00'.repeat(12)}00000000${flags}00000000`
  expect(hex).toEqual([
    `${named('01', ['0000', '00000000'])}${'00'.repeat(32)}`,
    `${named('02', ['0100', '04000000'])}${'00'.repeat(32)}`,
    `${named('05', ['0000', '00000000'], '00')}0600901ffd00${'00'.repeat(13)}0103000000${'00'.repeat(8)}`,
  ])
})

test('a service of a protocol without ports is passed over with its destinations', async () => {
  const made = [keyOf('11.0.0.1', 80), keyOf('11.0.0.2', 80)].map((one, index) => ({
    service: ipvsService({ key: one, scheduler: 'rr' }),
    destinations: [ipvsDestination({ address: ipFromBigint(BigInt(index + 1), 4), port: 1 })],
  }))
  const records = observedRecords(made)
  records.services[2] = 47
  const [read, ...others] = await readRecords(records)
  expect(others).toEqual([])
  expect(read?.key).toEqual(made[1]?.service.key)
  expect(read?.destinations[0]?.address).toBe('0.0.0.2')
})

/** Observed records, made of those of operations as the kernel crate makes them. */
function observedRecords(
  made: readonly {
    readonly service: IpvsService
    readonly destinations: readonly IpvsDestination[]
  }[],
) {
  const written = recordsOf(made.map(({ service }) => ({ kind: 'newService', service })))
  const services = made.map(({ destinations }, index) => {
    const record = Buffer.alloc(120)
    record.set(written.bytes.subarray(index * 68, index * 68 + SERVICE_PART))
    record.writeUInt32LE(destinations.length, SERVICE_PART)
    record.writeBigUInt64LE((BigInt(index) << 32n) + 7n, 40 + 3 * 8)
    return record
  })
  const destinations = made.flatMap(({ service, destinations }) =>
    destinations.map((one) => {
      const operation = { kind: 'newDestination', key: service.key, destination: one } as const
      return Buffer.concat([recordsOf([operation]).bytes.subarray(SERVICE_PART)], 128)
    }),
  )
  return {
    services: Buffer.concat(services),
    destinations: Buffer.concat(destinations),
    schedulers: written.schedulers,
  }
}
