import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Log, openLog } from '../../../src/base/log.ts'
import { Scope } from '../../../src/base/scope.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { followKeyFile } from '../../../src/gossip/transport/key-file.ts'
import { type ClusterKey, formatKeyFile, keySet } from '../../../src/gossip/transport/key-ring.ts'
import { KEY, OTHER_KEY, until } from './running-transport.ts'

let folder: string
let path: string
let lines: string[]
let log: Log
let scope: Scope

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nsv-keys-'))
  path = join(folder, 'keys.json')
  lines = []
  log = openLog('info', { write: (line) => void lines.push(line) })
  scope = new Scope((error) => lines.push(String(error)))
})

afterEach(async () => {
  await scope.close()
  await rm(folder, { recursive: true })
})

function write(keys: readonly ClusterKey[], sending: ClusterKey): Promise<void> {
  return writeFile(path, formatKeyFile(keySet(keys, sending)), { mode: 0o600 })
}

describe('a followed key file', () => {
  test('holds within seconds after it changed', async () => {
    const clock = new VirtualClock()
    await write([KEY], KEY)
    const ring = await followKeyFile({ path, clock, log, scope })
    await write([KEY, OTHER_KEY], OTHER_KEY)
    expect(ring.sending.id).toBe(KEY.id)
    await clock.advance(2000)
    await until(() => ring.sending.id === OTHER_KEY.id)
    expect(ring.find(KEY.number)?.id).toBe(KEY.id)
    await write([OTHER_KEY], OTHER_KEY)
    await until(() => clock.sleeperCount > 0)
    await clock.advance(2000)
    await until(() => ring.find(KEY.number) === undefined)
  })

  test('stays as it was when it breaks, and says so once', async () => {
    const clock = new VirtualClock()
    await write([KEY], KEY)
    const ring = await followKeyFile({ path, clock, log, scope })
    await writeFile(path, '{')
    for (let round = 0; round < 3; round++) {
      await clock.advance(2000)
      await until(() => clock.sleeperCount > 0)
    }
    expect(ring.sending.id).toBe(KEY.id)
    expect(lines.filter((line) => line.includes('GOSSIP_KEYS_INVALID'))).toHaveLength(1)
    await write([OTHER_KEY], OTHER_KEY)
    await clock.advance(2000)
    await until(() => ring.sending.id === OTHER_KEY.id)
  })

  test('is an error at first', async () => {
    const clock = new VirtualClock()
    await expect(followKeyFile({ path, clock, log, scope })).rejects.toMatchObject({
      code: 'GOSSIP_KEYS_INVALID',
      message: expect.stringContaining(path),
    })
    expect(clock.sleeperCount).toBe(0)
  })

  test('that others can read is worth a warning', async () => {
    await write([KEY], KEY)
    await chmod(path, 0o640)
    await followKeyFile({ path, clock: new VirtualClock(), log, scope })
    expect(lines.filter((line) => line.includes('can be read by others'))).toHaveLength(1)
  })
})
