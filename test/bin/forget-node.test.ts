import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Resources, startAdmin } from '../../src/admin/admin.ts'
import { NavstarError } from '../../src/base/error.ts'
import { silentLog } from '../../src/base/log.ts'
import { Scope } from '../../src/base/scope.ts'
import { forgottenText } from '../../src/bin/forget-node.ts'

const MAIN = join(import.meta.dirname, '../../src/bin/navstar.ts')
const VIEW = { id: 'b'.repeat(32), address: '10.0.0.2:62501', state: 'forgotten' } as const

vi.setConfig({ testTimeout: 30_000 })

let scope: Scope
let address: string

beforeEach(async () => {
  scope = new Scope(() => undefined)
  const resources: Resources = {
    'POST /v1/navstar/nodes/forget': (_query, body) => {
      if ((body as { node: string }).node === 'b') return VIEW
      throw new NavstarError('GOSSIP_MEMBER_ALIVE', { attempt: 'forget node a' })
    },
  }
  const options = { listen: '127.0.0.1:0' }
  const admin = await startAdmin({
    ...{ options, resources, scope, log: silentLog },
    registry: new Registry(),
  })
  address = admin.address
})
afterEach(() => scope.close())

/** Runs `navstar nodes forget …` against the server of this process. */
async function forget(...args: readonly string[]) {
  const all = [MAIN, 'nodes', 'forget', ...args, '--admin-listen', address]
  const child = spawn(process.execPath, all, { env: {} })
  const outputs = [text(child.stdout), text(child.stderr)]
  const [status] = await once(child, 'close')
  const [stdout = '', stderr = ''] = await Promise.all(outputs)
  return { status, stdout, stderr }
}

test('what came of it is told, also as JSON', async () => {
  expect(await forget('b')).toMatchObject({ status: 0, stdout: `${forgottenText(VIEW)}\n` })
  const { status, stdout } = await forget('b', '--json')
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toEqual(VIEW)
})

test('a node that is alive is refused with a hint', async () => {
  const { status, stderr } = await forget('a')
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /^error GOSSIP_MEMBER_ALIVE: .*\n {2}hint: Run `navstar leave --yes` there/,
  )
})

test.each([
  ['forgotten', 'node bbbbbbbb at 10.0.0.2:62501 is forgotten, here and soon everywhere'],
  ['pending', 'node bbbbbbbb at 10.0.0.2:62501 is doubted: it is forgotten once it is dead'],
] as const)('a node that is %s is named', (state, start) => {
  expect(forgottenText({ ...VIEW, state })).toContain(start)
})
