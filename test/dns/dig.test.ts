import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer, ZONE } from './running-server.ts'

const isDigInstalled = spawnSync('dig', ['-v']).error === undefined
const isDigRequired = (process.env['REQUIRE_FEATURES'] ?? '').split(',').includes('dig')

if (isDigRequired && !isDigInstalled) throw new Error('REQUIRE_FEATURES asks for dig')

let server: RunningServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

async function dig(family: 4 | 6, ...args: readonly string[]): Promise<string> {
  const endpoint = server.endpoints[family === 4 ? 0 : 1]
  const at = [`@${endpoint?.address}`, '-p', String(endpoint?.port)]
  const always = ['+time=3', '+tries=1', '+nocookie']
  const { stdout } = await promisify(execFile)('dig', [...at, ...always, ...args])
  return stdout
}

describe.skipIf(!isDigInstalled)('a real client (needs dig)', () => {
  const paths = [
    [4, 'UDP', '+notcp'],
    [4, 'TCP', '+tcp'],
    [6, 'UDP', '+notcp'],
    [6, 'TCP', '+tcp'],
  ] as const

  describe.each(paths)('over IPv%i and %s', (family, _transport, option) => {
    test('resolves both families of a name', async () => {
      expect(await dig(family, option, '+short', `WEB.marathon.${ZONE}`, 'A')).toBe('11.0.0.1\n')
      expect(await dig(family, option, '+short', `web.marathon.${ZONE}`, 'AAAA')).toBe(
        'fd01:c::1\n',
      )
    })

    test('tells NODATA from NXDOMAIN', async () => {
      const noData = await dig(family, option, `only4.marathon.${ZONE}`, 'AAAA')
      expect(noData).toMatch(/status: NOERROR/)
      expect(noData).toMatch(/ANSWER: 0, AUTHORITY: 1/)
      const noName = await dig(family, option, `nope.marathon.${ZONE}`, 'A')
      expect(noName).toMatch(/status: NXDOMAIN/)
      expect(noName).toMatch(/SOA\s+ns\.spartan\. support\.mesosphere\.com\. 1 60 180 86400 1/)
    })

    test('is told authoritatively, without a warning', async () => {
      const reply = await dig(family, option, `web.marathon.${ZONE}`, 'A')
      expect(reply).toMatch(/flags: qr aa rd ra;/)
      expect(reply).not.toMatch(/WARN|malformed|mismatch/i)
    })
  })

  test('comes back by TCP when a response does not fit', async () => {
    const truncated = await dig(4, '+ignore', '+noedns', `many.marathon.${ZONE}`)
    expect(truncated).toMatch(/flags: qr aa tc rd ra;/)
    const whole = await dig(4, '+noedns', `many.marathon.${ZONE}`)
    expect(whole).toMatch(/ANSWER: 60,/)
    expect(whole).toMatch(/\(TCP\)/)
  })

  test('gets SERVFAIL for other names when there is no upstream', async () => {
    expect(await dig(4, 'example.org')).toMatch(/status: SERVFAIL/)
  })
})
