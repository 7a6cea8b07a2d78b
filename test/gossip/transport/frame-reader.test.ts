import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader, frameLength } from '../../../src/gossip/transport/frame-reader.ts'

test('frames come out as they went in, however the stream is cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 })
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(frames, cuts, (sent, sizes) => {
      const bytes = Buffer.concat(sent.flatMap((frame) => [frameLength(frame), frame]))
      const reader = new FrameReader()
      const taken: Uint8Array[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        reader.push(bytes.subarray(at, at + size))
        at += size
        for (let frame = reader.take(50); frame !== undefined; frame = reader.take(50)) {
          if (frame === 'too-large') throw new Error('no frame is too large')
          taken.push(new Uint8Array(frame))
        }
      }
      expect(taken).toEqual(sent)
      expect(reader.waitingBytes).toBe(0)
    }),
  )
})

test('a frame is too large as soon as its length is there', () => {
  const reader = new FrameReader()
  reader.push(Buffer.from([0, 0, 1]))
  expect(reader.take(255)).toBeUndefined()
  reader.push(Buffer.from([0]))
  expect(reader.take(255)).toBe('too-large')
})
