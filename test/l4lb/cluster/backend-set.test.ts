import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BACKENDS_PER_SET,
  decodeBackendSet,
  encodeBackendSet,
} from '../../../src/l4lb/cluster/backend-set.ts'
import { parseVipKey } from '../../../src/l4lb/cluster/vip-key.ts'
import {
  type BackendRecord,
  backendRecordKeyOf,
  vipKeyOf,
} from '../../../src/model/backend-record.ts'
import type { OwnRecord } from '../../../src/model/record.ts'
import { taskKeyOf } from '../../../src/model/task.ts'
import { parseZone } from '../../../src/model/zone.ts'
import { ip, nodeId, port, record, vip } from '../records.ts'
import { runs } from '../runs.ts'
import { anyIdentity, anySet } from './backend-sets.ts'

const node = nodeId(1)

/** As another node has it, `local` included. */
function foreign(backend: BackendRecord): BackendRecord {
  const { key: _, ...parts } = { ...backend, node }
  return { key: backendRecordKeyOf(parts), ...parts }
}

function written(...backends: readonly BackendRecord[]): OwnRecord {
  const { record: own, problem } = encodeBackendSet(backends)
  if (own === undefined) throw problem
  return own
}

function read(own: OwnRecord, isOwn = true) {
  return decodeBackendSet({ ...own, node }, { isOwn })
}

function byKey(left: BackendRecord, right: BackendRecord): number {
  return left.key < right.key ? -1 : 1
}

describe('a backend set', () => {
  test('is read as it was written, in whatever order', () => {
    fc.assert(
      fc.property(anySet, (backends) => {
        const own = written(...backends)
        expect(written(...backends.toReversed()).value).toEqual(own.value)
        const { backends: found, problem } = read(own)
        expect(problem).toBeUndefined()
        expect([...found].sort(byKey)).toEqual(backends.map(foreign).sort(byKey))
      }),
      runs(500),
    )
  })

  test('takes at most 60 bytes per backend of a Marathon app, with a mapped port', () => {
    const hex = (index: number, length: number) =>
      Math.imul(index + 1, 0x9e3779b1)
        .toString(16)
        .replace('-', 'a')
        .padStart(length, '7')
    const backends = Array.from({ length: 1000 }, (_, index) =>
      record({
        port: port(20_000 + index),
        local: { address: ip('9.0.1.5'), port: port(80) },
        taskKey: taskKeyOf(
          'd7f1a9c0-26b1-4c9c-9d2a-4f7f6a2d1c11-0001',
          `web.instance-${hex(index, 8)}-b6a1-11ee-${hex(index * 7, 4).slice(0, 4)}-${hex(index * 31, 12)}._app.1`,
        ),
      }),
    )
    expect(written(...backends).value.length / 1000).toBeLessThan(60)
  })

  test('has the zone of its node', () => {
    const zone = parseZone('eu/hall-1')
    const own = written(record({ options: { drain: 5 }, ...(zone && { zone }) }))
    expect(read(own).backends[0]).toMatchObject({ zone: 'eu/hall-1', options: { drain: 5 } })
    expect(read(written(record({ ...(zone && { zone }) }))).backends[0]?.zone).toBe('eu/hall-1')
  })

  test('gives no options to backends whose entry has no room', () => {
    const backends = Array.from({ length: 12 }, (_, index) =>
      record({ port: port(8000 + index), options: { drain: 10 + index } }),
    )
    const { record: own, problem } = encodeBackendSet(backends)
    expect(problem?.message).toContain('3 sets of options do not fit')
    const found = own === undefined ? [] : read(own).backends
    expect(found).toHaveLength(12)
    expect(found.filter(({ options }) => options !== undefined)).toHaveLength(9)
  })

  test('skips what newer nodes append to backends and to the header', () => {
    const { value, ...own } = written(record(), record({ port: port(8081) }))
    const appended = Buffer.from([7, 7, 7])
    const parts: Uint8Array[] = [Buffer.from([19]), value.subarray(1, 17), appended]
    for (let at = 17; at < value.length; ) {
      const size = Buffer.from(value).readUInt16BE(at)
      parts.push(Buffer.from([0, size + 3]), value.subarray(at + 2, at + 2 + size), appended)
      at += 2 + size
    }
    const found = read({ ...own, value: Buffer.concat(parts) })
    expect(found.problem).toBeUndefined()
    expect(found.backends).toEqual(read({ ...own, value }).backends)
    expect(found.backends).toHaveLength(2)
  })

  test('never throws, and never makes more than its bytes allow', () => {
    const anyKey = fc.oneof(fc.string(), fc.constant('tcp/named:/web@marathon:80'))
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(anySet, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
        .map(([backends, damages]) => {
          const { value } = written(...backends)
          for (const [at, byte] of damages) value[at % value.length] = byte
          return value
        }),
    )
    fc.assert(
      fc.property(anyKey, anyBytes, fc.boolean(), (key, value, isOwn) => {
        const { backends } = decodeBackendSet({ node, key, schema: 1, value }, { isOwn })
        expect(backends.length).toBeLessThanOrEqual(value.length / 15)
        for (const { key: each } of backends) expect(each.length).toBeLessThan(1500)
      }),
      runs(3000),
    )
  })

  test.each([
    ['another layout', { schema: 2 }],
    ['a key that is no VIP', { key: 'tcp/web:80' }],
    ['a key in another writing', { key: 'tcp/named:/web@marathon:080' }],
    ['no header', { value: new Uint8Array() }],
  ])('with %s is refused', (_, change) => {
    const { backends, problem } = read({ ...written(record()), ...change })
    expect(backends).toEqual([])
    expect(problem?.code).toBe('RECORD_INVALID')
  })

  test('keeps what is before a cut', () => {
    const { value, ...own } = written(record(), record({ port: port(8081) }))
    const { backends, problem } = read({ ...own, value: value.subarray(0, value.length - 1) })
    expect(backends).toHaveLength(1)
    expect(problem?.code).toBe('RECORD_INVALID')
  })

  test('of another node says no `local`, and no address that means another host here', () => {
    const local = { address: ip('9.0.1.5'), port: port(80) }
    const bad = ['127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::1', '::', 'ff02::1']
    const ambiguous = bad.map((address) => record({ address: ip(address) }))
    const { backends, problem } = read(written(record({ local }), ...ambiguous), false)
    expect(backends).toEqual([foreign(record())])
    expect(problem?.message).toContain('7 cannot be used')
  })

  test('takes no backend of another family than its literal VIP, and none twice', () => {
    const literal = record({ vip: vip('10.1.2.3'), address: ip('fd00::1') })
    expect(read(written(literal))).toMatchObject({
      backends: [],
      problem: { code: 'RECORD_INVALID' },
    })
    const twice = read(written(record(), record({ weight: 0 })))
    expect(twice.backends).toHaveLength(1)
    expect(twice.problem?.code).toBe('RECORD_INVALID')
  })

  test('tells what does not fit', () => {
    const long = encodeBackendSet([record({ vip: vip(`/${'x'.repeat(600)}`) })])
    expect(long).toMatchObject({ problem: { code: 'RECORD_TOO_LARGE' } })
    expect(long.record).toBeUndefined()
    const many = Array.from({ length: BACKENDS_PER_SET + 2 }, (_, index) =>
      record({ taskKey: taskKeyOf('f', `${index}`) }),
    )
    const { record: own, problem } = encodeBackendSet(many)
    expect(problem?.message).toContain(`2 of ${BACKENDS_PER_SET + 2} do not fit`)
    expect(own && read(own).problem).toBeUndefined()
    expect(own?.value.length).toBeLessThan(1_048_576)
  })
})

test('the key of a VIP is taken apart as it was made', () => {
  fc.assert(
    fc.property(anyIdentity, (identity) => {
      expect(parseVipKey(vipKeyOf(identity))).toEqual(identity)
    }),
    runs(200),
  )
})
