import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLog } from '../../../src/base/log.ts'
import type { Announcement } from '../../../src/gossip/engine/statements.ts'
import {
  openStateDirectory,
  type StateDirectory,
} from '../../../src/gossip/state/state-directory.ts'
import { openNotary } from '../../../src/gossip/wire/notary.ts'
import { type Ip, parseIp } from '../../../src/model/ip.ts'

let path: string
let lines: string[]

beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'nsv-state-')), 'navstar')
  lines = []
})
afterEach(() => rm(join(path, '..'), { recursive: true }))

function open(clusterId: string | undefined = 'blue'): Promise<StateDirectory> {
  const log = openLog('debug', { write: (line) => void lines.push(line) })
  return openStateDirectory({ path, clusterId, log })
}

const NOW = 1_800_000_000_000

describe('the identity', () => {
  test('is made once, for its owner only', async () => {
    const { privateKeyPem } = await open()
    expect((await stat(join(path, 'identity.pem'))).mode & 0o777).toBe(0o600)
    expect((await open()).privateKeyPem).toBe(privateKeyPem)
    expect((await readdir(path)).filter((name) => name.includes('draft'))).toEqual([])
  })

  test('of two starts at once is one', async () => {
    const [one, other] = await Promise.all([open(), open()])
    expect(one.privateKeyPem).toBe(other.privateKeyPem)
  })

  test.each([['nonsense'], ['']])('that is %j is an error, and left alone', async (content) => {
    await open()
    await writeFile(join(path, 'identity.pem'), content)
    await expect(open()).rejects.toMatchObject({ code: 'GOSSIP_STATE_UNUSABLE' })
    expect(await readFile(join(path, 'identity.pem'), 'utf8')).toBe(content)
  })

  test('that others can read is warned of', async () => {
    await open()
    await chmod(join(path, 'identity.pem'), 0o644)
    await open()
    expect(lines.join('')).toContain('others can read the key of this node')
  })

  test('lasts for one life where nothing can be written, but only of a node alone', async () => {
    await writeFile(path, 'a file')
    await expect(open()).rejects.toMatchObject({ code: 'GOSSIP_STATE_UNUSABLE' })
    const lone = await openStateDirectory({
      path,
      clusterId: undefined,
      log: openLog('debug', { write: (line) => void lines.push(line) }),
    })
    expect(openNotary({ privateKey: lone.privateKeyPem, clusterId: '' }).node).toHaveLength(32)
    expect(lines.join('')).toContain('keeps no identity')
  })
})

describe('incarnations and versions', () => {
  test('start at the date', async () => {
    const { counters } = await open()
    expect(counters.first(NOW)).toEqual({
      incarnation: 1_800_000_000,
      version: 1_800_000_000 * 2 ** 20,
    })
  })

  test('are never used twice, though the clock goes back and the node is killed', async () => {
    const { counters } = await open()
    const first = counters.first(NOW)
    const used = { incarnation: first.incarnation + 500, version: first.version + 1_000_000 }
    for (let step = 0; step <= 500; step++) {
      counters.cover({
        incarnation: first.incarnation + step,
        version: first.version + step * 2000,
      })
    }
    const again = (await open()).counters.first(NOW - 3_600_000)
    expect(again.incarnation).toBeGreaterThan(used.incarnation)
    expect(again.version).toBeGreaterThan(used.version)
  })

  test('are reserved in strides', async () => {
    const { counters } = await open()
    const { incarnation, version } = counters.first(NOW)
    const file = join(path, 'counters.json')
    const before = await readFile(file, 'utf8')
    for (let step = 0; step < 60_000; step++)
      counters.cover({ incarnation, version: version + step })
    expect(await readFile(file, 'utf8')).toBe(before)
    counters.cover({ incarnation, version: version + 70_000 })
    expect(await readFile(file, 'utf8')).not.toBe(before)
  })

  test.each([
    ['{'],
    ['{"incarnation":-1,"version":3}'],
    ['[]'],
    ['{"incarnation":1e300,"version":1}'],
  ])('a file with %s is passed over', async (content) => {
    await open()
    await writeFile(join(path, 'counters.json'), content)
    const { counters } = await open()
    expect(counters.first(NOW).incarnation).toBe(1_800_000_000)
    expect(lines.join('')).toContain('ignores a broken file of counters')
  })
})

describe('the members that were known', () => {
  test('are read back, by the same cluster only, and outlive a time without any', async () => {
    const { members, privateKeyPem } = await open()
    const announcement = announce(privateKeyPem)
    await members.write([announcement])
    expect(await (await open()).members.read()).toEqual([announcement])
    expect(await (await open('red')).members.read()).toEqual([])
    await members.write([])
    expect(await members.read()).toEqual([announcement])
  })

  test('are fifty at most', async () => {
    const { members, privateKeyPem } = await open()
    const announcement = announce(privateKeyPem)
    await members.write(Array.from({ length: 60 }, () => announcement))
    expect(await members.read()).toHaveLength(50)
  })

  test.each([['{'], ['null'], ['{"clusterId":"blue","members":"AAAA"}']])(
    'a file with %s is passed over',
    async (content) => {
      const { members } = await open()
      await writeFile(join(path, 'members.json'), content)
      expect(await members.read()).toEqual([])
    },
  )
})

function announce(privateKey: string): Announcement {
  const notary = openNotary({ privateKey, clusterId: 'blue' })
  return notary.sign<Announcement>({
    kind: 'announcement',
    node: notary.node,
    publicKey: notary.publicKey,
    endpoint: { address: parseIp('10.0.0.1') as Ip, port: 62_501 },
    incarnation: 7,
    isLeaving: false,
    certificate: new Uint8Array(0),
  })
}
