import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../../src/bin/navstar.ts')

function navstar(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { status, stdout, stderr }
}

test('without a command it shows what there is', () => {
  const { status, stdout } = navstar()
  expect(status).toBe(0)
  for (const name of [
    'agent',
    'status',
    'vips',
    'nodes',
    'mesos',
    'plan',
    'doctor',
    'leave',
    'demo',
  ])
    expect(stdout).toContain(`  ${name} `)
})

test('a command tells more', () => {
  const { status, stdout } = navstar('agent', '--plane', 'xdp', '--help')
  expect(status).toBe(0)
  expect(stdout).toContain('Usage: navstar agent [OPTIONS]')
})

test.each([
  [['fly'], "no command 'fly'"],
  [['agent', '--colour', 'red'], 'CONFIG_INVALID'],
  [['agent', '--plane', 'xdp'], "flag: plane 'xdp'"],
  [['plan', '--config', '/nonexistent'], '/nonexistent'],
  [['plan', 'everything'], 'CONFIG_INVALID'],
  [['agent', '--cluster-id', 'blue'], 'cluster-id needs gossip-key-file'],
  [['leave'], 'Add --yes'],
  [['mesos'], 'Add --explain TASK'],
  [['nodes', 'forget'], 'takes nothing, or forget ID'],
  [['nodes', 'forget', 'a', 'b'], 'takes nothing, or forget ID'],
  [['nodes', 'remember', 'a'], 'takes nothing, or forget ID'],
])('%j ends with 64', (args, message) => {
  const { status, stderr } = navstar(...args)
  expect(status).toBe(64)
  expect(stderr).toContain(message)
})

test('a daemon that does not answer is an error with a hint', () => {
  const { status, stderr } = navstar('vips', '--admin-listen', '127.0.0.1:1')
  expect(status).toBe(1)
  expect(stderr).toMatch(/^error ADMIN_UNREACHABLE: .*\n {2}hint: /)
})
