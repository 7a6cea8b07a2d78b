import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { changeKeys, readKeyIds } from '../../../src/gossip/gossip.ts'

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsv-keys-'))
  path = join(directory, 'keys.json')
})
afterEach(() => rm(directory, { recursive: true }))

test('a file is made with one key, for its owner only', async () => {
  const { used, all } = await changeKeys(path, { kind: 'add' })
  expect(all).toEqual([used])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readKeyIds(path)).toEqual({ used, all })
})

test('keys change by adding, using and removing', async () => {
  const { used: old } = await changeKeys(path, { kind: 'add' })
  const added = await changeKeys(path, { kind: 'add' })
  expect(added.used).toBe(old)
  const [, id = ''] = added.all
  expect(await changeKeys(path, { kind: 'use', id })).toEqual({ used: id, all: [old, id] })
  expect(await changeKeys(path, { kind: 'remove', id: old })).toEqual({ used: id, all: [id] })
})

test('the key in use cannot be removed, nor one that is not there be used', async () => {
  const { used } = await changeKeys(path, { kind: 'add' })
  const before = await readFile(path, 'utf8')
  for (const change of [
    { kind: 'remove', id: used },
    { kind: 'remove', id: '00000000' },
    { kind: 'use', id: '00000000' },
  ] as const) {
    await expect(changeKeys(path, change)).rejects.toMatchObject({ code: 'GOSSIP_KEYS_INVALID' })
  }
  expect(await readFile(path, 'utf8')).toBe(before)
})
