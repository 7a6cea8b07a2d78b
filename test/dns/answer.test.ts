import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Table } from '../../src/base/table.ts'
import { answerPacket } from '../../src/dns/answer.ts'
import type { Transport } from '../../src/dns/response.ts'
import { NameZone } from '../../src/dns/zone.ts'
import { ZoneRoutes } from '../../src/dns/zone-routes.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { NameRecord } from '../../src/model/name-record.ts'
import { edited, queryPacket, told } from './packets.ts'

const ZONE = 'l4lb.thisdcos.directory'
const SOA = `${ZONE} 5 SOA ns.spartan support.mesosphere.com 1`

function record(name: string, ...addresses: string[]): [string, NameRecord] {
  return [name, { name, addresses: addresses as Ip[] }]
}

function zonesOf(rows: Iterable<readonly [string, NameRecord]>, isComplete = true): ZoneRoutes {
  const names = new Table<string, NameRecord>()
  names.update(rows, isComplete)
  return new ZoneRoutes([new NameZone({ origin: ZONE, ttlSeconds: 5, names })])
}

const many = Array.from({ length: 40 }, (_, index) => `11.0.1.${index}`)
const zones = zonesOf([
  record('web.marathon', '11.0.0.1', 'fd01:c::1'),
  record('only6.marathon', 'fd01:c::6'),
  record('api.hello.marathon', '11.0.0.3'),
  record('three.marathon', '11.0.0.1', '11.0.0.2', '11.0.0.3'),
  record('many.marathon', ...many),
  record('Mixed.Marathon', '11.0.0.9'),
])

function verdictOf(packet: Buffer, options: { transport?: Transport; rotation?: number } = {}) {
  return answerPacket(packet, { zones, transport: 'udp', rotation: 0, ...options })
}

function answer(packet: Buffer, options: { transport?: Transport; rotation?: number } = {}) {
  const verdict = verdictOf(packet, options)
  if (verdict.kind !== 'respond') throw new Error(`not answered but: ${verdict.kind}`)
  return told(verdict.response)
}

describe('a name of the zone', () => {
  const cases = [
    ['an A', 'web.marathon', 'A', 'NOERROR', ['5 A 11.0.0.1']],
    ['an AAAA', 'web.marathon', 'AAAA', 'NOERROR', ['5 AAAA fd01:c::1']],
    [
      'ANY gives both families',
      'web.marathon',
      'ANY',
      'NOERROR',
      ['5 A 11.0.0.1', '5 AAAA fd01:c::1'],
    ],
    ['the case of a row does not matter', 'mixed.marathon', 'A', 'NOERROR', ['5 A 11.0.0.9']],
    ['below an empty non-terminal', 'api.hello.marathon', 'A', 'NOERROR', ['5 A 11.0.0.3']],
    ['another family is NODATA', 'only6.marathon', 'A', 'NOERROR', []],
    ['another type is NODATA', 'web.marathon', 'TXT', 'NOERROR', []],
    ['an unknown type number is NODATA', 'web.marathon', 'UNKNOWN_65', 'NOERROR', []],
    ['an empty non-terminal is NODATA', 'hello.marathon', 'A', 'NOERROR', []],
    ['a framework is an empty non-terminal', 'marathon', 'A', 'NOERROR', []],
    ['an unknown name is NXDOMAIN', 'nope.marathon', 'A', 'NXDOMAIN', []],
    ['below a name with records is NXDOMAIN', 'a.web.marathon', 'A', 'NXDOMAIN', []],
    ['a suffix of a label is no ancestor', 'arathon', 'A', 'NXDOMAIN', []],
  ] as const

  test.for(cases)('%s: %s %s', ([_what, name, type, rcode, answers]) => {
    const reply = answer(queryPacket({ name: `${name}.${ZONE}`, type }))
    expect(reply).toMatchObject({
      rcode,
      flags: 'aa rd ra',
      answers: answers.map((text) => `${name}.${ZONE} ${text}`),
      authorities: answers.length === 0 ? [SOA] : [],
    })
  })

  test('is matched in any case, and the case of the question is repeated', () => {
    const name = `WeB.maRathon.${ZONE.toUpperCase()}`
    const reply = answer(queryPacket({ name }))
    expect(reply.question).toBe(`${name} A`)
    expect(reply.answers).toEqual([`${name} 5 A 11.0.0.1`])
  })

  test.for([
    [0, ['11.0.0.1', '11.0.0.2', '11.0.0.3']],
    [0.34, ['11.0.0.2', '11.0.0.3', '11.0.0.1']],
    [0.99, ['11.0.0.3', '11.0.0.1', '11.0.0.2']],
  ] as const)('has its addresses rotated by %s', ([rotation, expected]) => {
    const reply = answer(queryPacket({ name: `three.marathon.${ZONE}` }), { rotation })
    expect(reply.answers.map((text) => text.split(' ').at(-1))).toEqual(expected)
  })

  test('is not mistaken for a label that contains a dot', () => {
    const packet = edited(queryPacket({ name: `webxmarathon.${ZONE}` }), (copy) => {
      copy.write('.', 16)
    })
    expect(answer(packet)).toMatchObject({ rcode: 'NXDOMAIN', answers: [] })
  })

  test('repeats question bytes that are no text', () => {
    const packet = edited(queryPacket({ name: `xyz.${ZONE}` }), (copy) => copy.fill(0xff, 13, 16))
    const verdict = verdictOf(packet)
    if (verdict.kind !== 'respond') throw new Error(verdict.kind)
    expect(verdict.response.subarray(12, packet.length)).toEqual(packet.subarray(12))
  })
})

describe('the origin of the zone', () => {
  test('has SOA and NS, with the revision as serial', () => {
    expect(answer(queryPacket({ name: ZONE, type: 'SOA' })).answers).toEqual([SOA])
    expect(answer(queryPacket({ name: ZONE, type: 'NS' })).answers).toEqual([
      `${ZONE} 3600 NS ns.spartan`,
    ])
    expect(answer(queryPacket({ name: ZONE, type: 'A' }))).toMatchObject({
      rcode: 'NOERROR',
      answers: [],
      authorities: [SOA],
    })
  })
})

describe('a zone that is not complete', () => {
  const early = zonesOf([record('a.web.marathon', '11.0.0.1')], false)
  const cases = [
    ['answers the names that it has', 'a.web.marathon', 'A', 'NOERROR'],
    ['answers for its origin', '', 'SOA', 'NOERROR'],
    ['does not deny a name', 'other.marathon', 'A', 'SERVFAIL'],
    ['does not call a name empty', 'web.marathon', 'A', 'SERVFAIL'],
  ] as const
  test.for(cases)('%s', ([_what, name, type, rcode]) => {
    const packet = queryPacket({ name: name === '' ? ZONE : `${name}.${ZONE}`, type })
    const verdict = answerPacket(packet, { zones: early, transport: 'udp', rotation: 0 })
    expect(verdict).toMatchObject({ kind: 'respond', rcode })
  })
})

describe('a query that is not for a zone', () => {
  test.for(['example.org', 'thisdcos.directory', `x${ZONE}`, '.'])('%s is forwarded', (name) => {
    expect(verdictOf(queryPacket({ name })).kind).toBe('forward')
  })
})

describe('a query that cannot be served', () => {
  const query = queryPacket({ name: `web.marathon.${ZONE}` })
  const cases = [
    [
      'class CH is refused',
      edited(query, (copy) => copy.writeUInt16BE(3, copy.length - 2)),
      'REFUSED',
    ],
    ['a zone transfer is refused', queryPacket({ name: ZONE, type: 'AXFR' }), 'REFUSED'],
    [
      'a STATUS query is not implemented',
      edited(query, (copy) => copy.writeUInt8(0x11, 2)),
      'NOTIMP',
    ],
    ['an UPDATE is not implemented', edited(query, (copy) => copy.writeUInt8(0x28, 2)), 'NOTIMP'],
    ['two questions', edited(query, (copy) => copy.writeUInt16BE(2, 4)), 'FORMERR'],
    ['no question', query.subarray(0, 12), 'FORMERR'],
    ['a cut question', query.subarray(0, 20), 'FORMERR'],
    ['a cut OPT', queryPacket({ name: ZONE, payloadSizeBytes: 1232 }).subarray(0, -3), 'FORMERR'],
    ['a record that is missing', edited(query, (copy) => copy.writeUInt16BE(1, 10)), 'FORMERR'],
    ['a pointer as question', edited(query, (copy) => copy.writeUInt16BE(0xc00c, 12)), 'FORMERR'],
  ] as const
  test.for(cases)('%s', ([_what, packet, rcode]) => {
    const reply = answer(packet)
    expect(reply.rcode).toBe(rcode)
    expect(reply.answers).toEqual([])
    expect(reply.flags).not.toContain('aa')
  })

  test('an EDNS version that we do not know is BADVERS', () => {
    const reply = answer(queryPacket({ name: ZONE, payloadSizeBytes: 1232, ednsVersion: 1 }))
    expect(reply).toMatchObject({ rcode: 'NOERROR', opt: 'size=1232 rcode=1 do=false' })
  })

  test.for([
    ['a response', edited(query, (copy) => copy.writeUInt8(0x81, 2)), 'is_response'],
    ['half a header', query.subarray(0, 11), 'unreadable'],
    ['nothing', Buffer.alloc(0), 'unreadable'],
  ] as const)('%s is never answered', ([_what, packet, reason]) => {
    expect(verdictOf(packet)).toEqual({ kind: 'ignore', reason })
  })
})

describe('the size of a response', () => {
  const name = `many.marathon.${ZONE}`
  const cases = [
    ['512 bytes without OPT', queryPacket({ name }), 'udp', 0, 'aa tc rd ra'],
    [
      'an OPT of less than 512 counts as 512',
      queryPacket({ name, payloadSizeBytes: 100 }),
      'udp',
      0,
      'aa tc rd ra',
    ],
    [
      'an OPT never lets it grow past 1232',
      queryPacket({ name, payloadSizeBytes: 65535 }),
      'udp',
      0,
      'aa tc rd ra',
    ],
    ['TCP has room for all', queryPacket({ name }), 'tcp', 40, 'aa rd ra'],
  ] as const
  test.for(cases)('%s', ([_what, packet, transport, count, flags]) => {
    const reply = answer(packet, { transport })
    expect(reply.answers).toHaveLength(count)
    expect(reply.flags).toBe(flags)
  })

  test('an OPT lets more through than 512 bytes', () => {
    const twelve = zonesOf([record('w', ...many.slice(0, 12))])
    const sizes = [undefined, 1232].map((payloadSizeBytes) => {
      const asked = { name: `w.${ZONE}`, ...(payloadSizeBytes && { payloadSizeBytes }) }
      const verdict = answerPacket(queryPacket(asked), {
        zones: twelve,
        transport: 'udp',
        rotation: 0,
      })
      return verdict.kind === 'respond' ? told(verdict.response).answers.length : -1
    })
    expect(sizes).toEqual([0, 12])
  })

  test('an OPT is answered with ours, its DO bit repeated', () => {
    const packet = queryPacket({ name, payloadSizeBytes: 4096, isDnssecOk: true })
    expect(answer(packet).opt).toBe('size=1232 rcode=0 do=true')
    expect(answer(queryPacket({ name })).opt).toBeUndefined()
  })
})

describe('any bytes', () => {
  const valid = queryPacket({ name: `web.marathon.${ZONE}`, payloadSizeBytes: 1232 })
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((edits) =>
      edited(valid, (copy) => {
        for (const [at, byte] of edits) copy[at] = byte
      }),
    )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array)),
    mutated,
    fc.tuple(mutated, fc.nat(valid.length)).map(([packet, length]) => packet.subarray(0, length)),
  )

  test('get a verdict, and a response repeats their id and fits', () => {
    fc.assert(
      fc.property(bytes, (packet) => {
        const verdict = verdictOf(packet)
        if (verdict.kind !== 'respond') return
        expect(verdict.response.readUInt16BE(0)).toBe(packet.readUInt16BE(0))
        expect(verdict.response.readUInt8(2) & 0x80).toBe(0x80)
        expect(verdict.response.length).toBeLessThanOrEqual(1232)
        expect(packet.readUInt8(2) & 0x80).toBe(0)
      }),
      { numRuns: 2000 },
    )
  })
})
