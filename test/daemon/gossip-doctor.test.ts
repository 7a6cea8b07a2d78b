import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { composeConfig } from '../../src/config/config.ts'
import type { Diagnosis } from '../../src/daemon/diagnosis.ts'
import { checkGossip } from '../../src/daemon/gossip-doctor.ts'
import { changeKeys } from '../../src/gossip/gossip.ts'

let directory: string
let flags: Record<string, string>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsv-doctor-'))
  const keys = join(directory, 'keys.json')
  await changeKeys(keys, { kind: 'add' })
  flags = {
    'cluster-id': 'blue',
    'gossip-key-file': keys,
    'state-directory': join(directory, 'state'),
    'gossip-listen': '127.0.0.1:0',
    'admin-listen': '127.0.0.1:1',
  }
})
afterEach(() => rm(directory, { recursive: true }))

/** The verdicts by the first two words of their checks. */
async function verdicts(): Promise<Record<string, Diagnosis['verdict']>> {
  const diagnoses = await checkGossip(composeConfig({ environment: {}, flags }))
  return Object.fromEntries(
    diagnoses.map(({ check, verdict }) => [check.split(' ').slice(0, 2).join(' '), verdict]),
  )
}

const FINE = {
  'gossip keys': 'pass',
  'state directory': 'pass',
  'gossip at': 'pass',
  'gossip datagrams': 'pass',
}

test('a host that has everything passes', async () => {
  expect(await verdicts()).toEqual(FINE)
})

test('a node alone needs nothing', async () => {
  flags = { 'admin-listen': '127.0.0.1:1' }
  expect(await verdicts()).toEqual({ cluster: 'pass' })
})

test('keys that others can read are warned of, broken ones fail', async () => {
  await chmod(join(directory, 'keys.json'), 0o644)
  expect(await verdicts()).toEqual({ ...FINE, 'gossip keys': 'warn' })
  await writeFile(join(directory, 'keys.json'), '{}')
  expect(await verdicts()).toEqual({ ...FINE, 'gossip keys': 'fail' })
})

test('a state directory that cannot be made fails', async () => {
  flags['state-directory'] = join(directory, 'deep', 'deeper')
  expect(await verdicts()).toEqual(FINE)
  flags['state-directory'] = join(directory, 'keys.json', 'state')
  expect(await verdicts()).toEqual({ ...FINE, 'state directory': 'fail' })
})

test('a port that someone holds fails', async () => {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen({ host: '127.0.0.1', port: 0 }, () => resolve())
  await promise
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  flags['gossip-listen'] = `127.0.0.1:${port}`
  try {
    expect(await verdicts()).toEqual({ ...FINE, 'gossip at': 'fail' })
  } finally {
    server.close()
  }
})

test('datagrams that do not fit the MTU are warned of', async () => {
  flags['gossip-datagram-bytes'] = '65507'
  flags['gossip-listen'] = '[::1]:0'
  expect(await verdicts()).toEqual({ ...FINE, 'gossip datagrams': 'warn' })
})
