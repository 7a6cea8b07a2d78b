import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collapseHostPorts, mergePorts } from '../../src/mesos/state/merge-ports.ts'
import type { TaskPort } from '../../src/model/task.ts'

// Few numbers, so that entries meet often.
const number = fc.integer({ min: 1, max: 6 })
const entry = fc
  .record(
    {
      protocol: fc.constantFrom('tcp', 'udp'),
      port: number,
      hostPort: number,
      name: fc.constantFrom('http', 'admin'),
      vips: fc.subarray(['/a:1', '/b:1', '1.2.3.4:5']),
    },
    { requiredKeys: ['protocol', 'vips'] },
  )
  .filter(
    (port) => port.port !== undefined || port.hostPort !== undefined,
  ) as unknown as fc.Arbitrary<TaskPort>
const entries = fc.array(entry, { maxLength: 12 })

const vipsOf = (ports: readonly TaskPort[], protocol: string) =>
  new Set(ports.filter((port) => port.protocol === protocol).flatMap((port) => port.vips))

describe.for([
  { name: 'mergePorts', merge: mergePorts },
  { name: 'collapseHostPorts', merge: collapseHostPorts },
])('$name', ({ merge }) => {
  test('does not depend on the order of the entries', () => {
    fc.assert(
      fc.property(entries, fc.infiniteStream(fc.nat()), (list, dice) => {
        const keyed = list.map((port) => ({ port, key: dice.next().value ?? 0 }))
        const shuffled = keyed.sort((left, right) => left.key - right.key).map(({ port }) => port)
        expect(merge(shuffled)).toEqual(merge(list))
      }),
    )
  })

  test('is idempotent', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(merge(merge(list))).toEqual(merge(list))
      }),
    )
  })

  test('neither loses nor invents a VIP', () => {
    fc.assert(
      fc.property(entries, fc.constantFrom('tcp', 'udp'), (list, protocol) => {
        expect(vipsOf(merge(list), protocol)).toEqual(vipsOf(list, protocol))
      }),
    )
  })

  test('leaves no two entries that are one port', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const merged = merge(list)
        for (const field of ['port', 'hostPort'] as const) {
          const numbers = merged.flatMap((port) =>
            port[field] === undefined ? [] : `${port.protocol} ${port[field]}`,
          )
          expect(new Set(numbers).size).toBe(numbers.length)
        }
      }),
    )
  })
})

test('collapseHostPorts leaves no host port', () => {
  fc.assert(
    fc.property(entries, (list) => {
      expect(collapseHostPorts(list).every((port) => port.hostPort === undefined)).toBe(true)
    }),
  )
})

test('entries that meet through a third are one port', () => {
  const merged = mergePorts([
    { protocol: 'tcp', port: 80, vips: ['/a:1'] },
    { protocol: 'tcp', hostPort: 31000, vips: ['/b:1'] },
    { protocol: 'tcp', port: 80, hostPort: 31000, vips: [] },
  ] as unknown as TaskPort[])
  expect(merged).toEqual([{ protocol: 'tcp', port: 80, hostPort: 31000, vips: ['/a:1', '/b:1'] }])
})
