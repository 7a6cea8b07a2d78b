import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NavstarError } from '../../src/base/error.ts'
import { RecordioDecoder } from '../../src/mesos/recordio.ts'
import { captureBytes } from './fixtures.ts'
import { frame } from './proto/encode.ts'

const MIB = 1024 * 1024

/** The records of a stream that comes in these chunks, as text in hex. */
function recordsOf(chunks: readonly Uint8Array[], maxRecordBytes = MIB): string[] {
  const decoder = new RecordioDecoder({ maxRecordBytes })
  return chunks.flatMap((chunk) => decoder.push(chunk).map(hexOf))
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function codeOf(decoder: RecordioDecoder, text: string): string | undefined {
  try {
    decoder.push(Buffer.from(text))
    return undefined
  } catch (error) {
    return (error as NavstarError).code
  }
}

describe('RecordIO', () => {
  test.for([
    'operator-api/operator-api.5abfd7f8.protobuf.recordio',
    'operator-api/operator-api.5abfd7f8.json.recordio',
  ])('%s gives the same records however it is split', (file, ctx) => {
    const stream = captureBytes(ctx, file)
    const whole = recordsOf([stream])
    expect(whole.length).toBe(26)
    expect(hexOf(frame(whole.map((record) => Buffer.from(record, 'hex'))))).toBe(hexOf(stream))
    for (let at = 0; at <= stream.length; at++) {
      const found = recordsOf([stream.subarray(0, at), stream.subarray(at)])
      if (found.join() !== whole.join()) expect(found, `split at ${at}`).toEqual(whole)
    }
    expect(recordsOf([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  test('any records come out of any chunks', () => {
    const records = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
    const cuts = fc.array(fc.nat(3000), { maxLength: 20 })
    fc.assert(
      fc.property(records, cuts, (list, places) => {
        const stream = frame(list)
        const ends = [...places.map((at) => at % (stream.length + 1)), stream.length]
        ends.sort((left, right) => left - right)
        const chunks = ends.map((end, index) => stream.slice(ends[index - 1] ?? 0, end))
        expect(recordsOf(chunks)).toEqual(list.map(hexOf))
      }),
    )
  })

  test.for([65_536, 65_537, 700_001, 4_194_304, 5_000_001])(
    'a record of %i bytes is whole though it came in small chunks',
    (length) => {
      const record = new Uint8Array(length).map((_, index) => index % 251)
      const stream = frame([record, Uint8Array.of(1)])
      const decoder = new RecordioDecoder({ maxRecordBytes: 8 * MIB })
      const found: Uint8Array[] = []
      for (let at = 0; at < stream.length; at += 10_007) {
        found.push(...decoder.push(stream.subarray(at, at + 10_007)))
      }
      expect(found.map((each) => each.length)).toEqual([length, 1])
      expect(Buffer.compare(found[0] ?? record.subarray(1), record)).toBe(0)
    },
  )

  test.for([
    ['an empty record', '0\n', ['']],
    ['leading zeros', '0003\nabc', ['616263']],
    ['zeros up to twenty digits', `${'1'.padStart(20, '0')}\na`, ['61']],
    ['bytes, not characters', '4\nüé', ['c3bcc3a9']],
    ['a line feed inside of a record', '3\n1\n2', ['310a32']],
  ] as const)('%s is read', ([, text, records]) => {
    expect(recordsOf([Buffer.from(text)])).toEqual(records)
  })

  test.for([
    ['a sign', '-1\n'],
    ['a plus', '+5\nabcde'],
    ['hexadecimal', '0x10\n'],
    ['an empty line', '\n3\nabc'],
    ['carriage return', '3\r\nabc'],
    ['a space', ' 3\nabc'],
    ['JSON', '{"type":"HEARTBEAT"}'],
    ['more than twenty digits', '0'.repeat(21)],
  ] as const)('%s ends the stream', ([, text]) => {
    const decoder = new RecordioDecoder({ maxRecordBytes: MIB })
    expect(decoder.push(Buffer.from('1\na'))).toHaveLength(1)
    expect(codeOf(decoder, text)).toBe('MESOS_RESPONSE_INVALID')
    expect(codeOf(decoder, '1\na')).toBe('MESOS_RESPONSE_INVALID')
  })

  test.for(['1048577\n', '1048577\nabc', '99999999999999999999\n'])(
    'a record beyond the cap is refused: %j',
    (text) => {
      const decoder = new RecordioDecoder({ maxRecordBytes: MIB })
      expect(codeOf(decoder, text)).toBe('MESOS_RESPONSE_TOO_LARGE')
      expect(codeOf(decoder, '1\na')).toBe('MESOS_RESPONSE_TOO_LARGE')
    },
  )

  test('a length of a gibibyte reserves nothing', () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 50 }, () => {
      const decoder = new RecordioDecoder({ maxRecordBytes: 1024 * MIB })
      decoder.push(Buffer.from(`${1024 * MIB}\nabc`))
      return decoder
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB)
    expect(decoders).toHaveLength(50)
  })
})
