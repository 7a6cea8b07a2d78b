import { createDecipheriv, hkdfSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  deriveSubkey,
  readHeader,
  SEAL_BYTES,
  Sealer,
  sessionOf,
} from '../../../src/gossip/transport/seal.ts'
import { KEY, nodeId, OTHER_KEY } from './running-transport.ts'

const SESSION = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const SEALER = new Sealer({ clusterId: 'blue', node: nodeId(5), port: 62501 })
const SUBKEY = deriveSubkey(KEY, SESSION)
const CONTENT = Buffer.from('some messages')

function seal(counter: number): Buffer {
  const parts = { key: KEY, subkey: SUBKEY, session: SESSION, content: CONTENT }
  return SEALER.seal({ type: 'messages', counter, ...parts })
}

describe('a packet', () => {
  test('has the bytes that docs/gossip.md gives', () => {
    const packet = seal(2 ** 32 + 7)
    expect(packet.subarray(0, 32).toString('hex')).toBe(
      `4e2a0100${KEY.id}000102030405060708090a0b0c0d0e0f0000000100000007`,
    )
    const raw = Buffer.alloc(32, 1)
    const subkey = Buffer.from(hkdfSync('sha256', raw, SESSION, 'navstar gossip 1', 32))
    const nonce = Buffer.from('000000000000000100000007', 'hex')
    const cipher = createDecipheriv('aes-256-gcm', subkey, nonce)
    cipher.setAAD(Buffer.concat([packet.subarray(0, 32), Buffer.from('blue')]))
    cipher.setAuthTag(packet.subarray(-16))
    const plain = Buffer.concat([cipher.update(packet.subarray(32, -16)), cipher.final()])
    expect(plain.subarray(0, 18).toString('hex')).toBe(`${nodeId(5)}f425`)
    expect(plain.subarray(18)).toEqual(CONTENT)
    expect(packet.length).toBe(CONTENT.length + SEAL_BYTES)
  })

  test('opens with the same key, session and cluster', () => {
    const packet = seal(1)
    expect(readHeader(packet)).toMatchObject({ type: 'messages', key: KEY.number, counter: 1 })
    expect(SEALER.open(packet, deriveSubkey(KEY, sessionOf(packet)))).toEqual({
      sender: nodeId(5),
      port: 62501,
      content: CONTENT,
    })
  })

  test('does not open in another cluster or with another key', () => {
    const other = new Sealer({ clusterId: 'green', node: nodeId(6), port: 1 })
    expect(other.open(seal(1), SUBKEY)).toBeUndefined()
    expect(SEALER.open(seal(1), deriveSubkey(OTHER_KEY, SESSION))).toBeUndefined()
  })

  test('does not open when any of its bits is another', () => {
    const packet = seal(1)
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const altered = Buffer.from(packet)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(SEALER.open(altered, deriveSubkey(KEY, sessionOf(altered))), `bit ${bit}`).toBe(
        undefined,
      )
    }
  })

  test('is judged by its header first', () => {
    const packet = seal(1)
    const altered = (index: number, value: number) => {
      const copy = Buffer.from(packet)
      copy[index] = value
      return copy
    }
    expect(readHeader(packet.subarray(0, SEAL_BYTES - 1))).toBe('junk')
    expect(readHeader(Buffer.alloc(0))).toBe('junk')
    expect(readHeader(altered(0, 0))).toBe('junk')
    expect(readHeader(altered(2, 2))).toBe('version')
    expect(readHeader(altered(3, 4))).toBe('junk')
    expect(readHeader(altered(24, 0xff))).toBe('junk')
  })
})
