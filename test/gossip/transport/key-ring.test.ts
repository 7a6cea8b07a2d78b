import { describe, expect, test } from 'vitest'
import {
  clusterKey,
  formatKeyFile,
  keySet,
  parseKeyFile,
} from '../../../src/gossip/transport/key-ring.ts'

const FIRST = Buffer.alloc(32, 1).toString('base64')
const SECOND = Buffer.alloc(32, 2).toString('base64')
const FIRST_ID = clusterKey(Buffer.alloc(32, 1)).id

describe('a key file', () => {
  test('names its keys by a hash', () => {
    // python3: hashlib.sha256(b'navstar key id' + b'\1' * 32).hexdigest()[:8]
    expect(FIRST_ID).toBe('0e787629')
  })

  test('is read as it was written', () => {
    const keys = [clusterKey(Buffer.alloc(32, 1)), clusterKey(Buffer.alloc(32, 2))] as const
    const text = formatKeyFile(keySet(keys, keys[1]))
    const parsed = parseKeyFile(text, 'keys.json')
    expect(parsed.sending.id).toBe(keys[1].id)
    expect(parsed.keys.map(({ id }) => id)).toEqual(keys.map(({ id }) => id))
    expect(parsed.find(keys[0].number)?.secret.export()).toEqual(Buffer.alloc(32, 1))
    expect(parsed.find(7)).toBeUndefined()
    expect(formatKeyFile(parsed)).toBe(text)
  })

  test.each([
    ['', 'no JSON'],
    [FIRST, 'no JSON'],
    ['[]', 'no JSON object'],
    [JSON.stringify({ use: FIRST_ID, keys: [] }), 'list of 1 to 16 keys'],
    [JSON.stringify({ use: FIRST_ID, keys: [FIRST, 'AAAA'] }), 'key 2 is not'],
    [JSON.stringify({ use: FIRST_ID, keys: [FIRST.replace('=', '')] }), 'key 1 is not'],
    [JSON.stringify({ use: FIRST_ID, keys: [7] }), 'key 1 is not'],
    [JSON.stringify({ use: FIRST_ID, keys: [FIRST, FIRST] }), 'twice'],
    [JSON.stringify({ use: FIRST_ID, keys: [SECOND] }), '"use" must be'],
    [JSON.stringify({ keys: [FIRST] }), '"use" must be'],
    [JSON.stringify({ use: FIRST_ID, keys: [FIRST], used: 1 }), 'unknown field "used"'],
  ])('%j is invalid', (text, message) => {
    const parse = () => parseKeyFile(text, '/etc/keys.json')
    expect(parse).toThrow(expect.objectContaining({ code: 'GOSSIP_KEYS_INVALID' }))
    expect(parse).toThrow(message)
    expect(parse).toThrow('/etc/keys.json')
  })

  test('takes no more keys than are read', () => {
    const keys = Array.from({ length: 17 }, (_, byte) => clusterKey(Buffer.alloc(32, byte)))
    const [first] = keys
    if (first === undefined) throw new Error('there are 17')
    expect(() => formatKeyFile(keySet(keys, first))).toThrow('more than 16 keys')
    expect(parseKeyFile(formatKeyFile(keySet(keys.slice(0, 16), first)), 'k').keys).toHaveLength(16)
  })

  test('shows no key in its errors', () => {
    expect(() => parseKeyFile(`{"keys": ["${FIRST}"`, 'keys.json')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(FIRST.slice(0, 4)) }),
    )
  })
})
