import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfigFile, readPemFile } from '../../src/config/file.ts'

async function written(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nsv-config-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'navstar.json')
  await writeFile(path, text)
  return path
}

test('a file is read as JSON', async () => {
  expect(await readConfigFile(await written('{"plane": "ebpf"}'))).toEqual({ plane: 'ebpf' })
})

test.each([['no JSON'], ['']])('%j is refused, and the file is named', async (text) => {
  const path = await written(text)
  await expect(readConfigFile(path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(path),
  })
})

test('a missing file is refused', async () => {
  await expect(readConfigFile('/nonexistent/navstar.json')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})

test('certificates are read as they are; anything else is refused', async () => {
  const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
  expect(readPemFile(await written(pem))).toBe(pem)
  const key = await written('-----BEGIN PRIVATE KEY-----')
  expect(() => readPemFile(key)).toThrow('expected certificates in PEM')
  expect(() => readPemFile('/nonexistent/ca.pem')).toThrow('ENOENT')
})
