import { expect, test } from 'vitest'
import type { FuzzedDecoder } from './decoder.ts'
import { DECODERS } from './decoders.ts'
import { fuzz } from './fuzz.ts'

const INPUTS = 20_000

test.for(DECODERS)('$name stands a short run of junk', (decoder) => {
  const result = fuzz(decoder, { inputs: Math.ceil(INPUTS / DECODERS.length), seed: 7 })
  expect(result.failure).toBeUndefined()
  expect(result.accepted).toBeGreaterThan(0)
})

/** A decoder without faults: two bytes, big-endian. */
const NUMBER: FuzzedDecoder<number> = {
  name: 'number',
  corpus: () => [Uint8Array.of(1, 2), Uint8Array.of(200, 0)],
  decode: (bytes) => (bytes.length < 2 ? undefined : (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)),
  encode: (value) => Uint8Array.of(value >> 8, value & 255),
}

const kept: Uint8Array[] = []

const FAULTY: readonly (readonly [string, Partial<FuzzedDecoder<number>>, RegExp])[] = [
  ['throws', { decode: (bytes) => Buffer.from(bytes).readUInt16BE() }, /^throws RangeError/],
  ['writes something else', { encode: (value) => Uint8Array.of(value >> 8, 0) }, /^reads back/],
  [
    'makes room for what is announced',
    {
      decode: (bytes) => {
        const value = NUMBER.decode(bytes)
        const room = new Uint8Array((value ?? 0) * 100).fill(1)
        return value === undefined ? undefined : value + (room[0] ?? 1) - 1
      },
    },
    /^takes \d{6,} bytes/,
  ],
  [
    'keeps what it read',
    {
      decode: (bytes) => {
        kept.push(bytes)
        return NUMBER.decode(bytes)
      },
    },
    /^holds \d+ bytes more/,
  ],
]

test('a decoder without faults passes', () => {
  expect(fuzz(NUMBER, { inputs: INPUTS, seed: 1 }).failure).toBeUndefined()
})

test.for(FAULTY)('a decoder that %s is found out', ([, fault, reason]) => {
  const { failure } = fuzz({ ...NUMBER, ...fault }, { inputs: INPUTS, seed: 1 })
  kept.length = 0
  expect(failure?.reason).toMatch(reason)
})

test('the same run finds the same input', () => {
  const [, fault] = FAULTY[0] ?? []
  const faulty = { ...NUMBER, ...fault }
  const first = fuzz(faulty, { inputs: INPUTS, seed: 3 })
  const again = fuzz(faulty, { inputs: INPUTS, seed: 3 })
  expect(first.failure?.bytes).toEqual(again.failure?.bytes)
  expect(first.inputs).toBe(again.inputs)
})
