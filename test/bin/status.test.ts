import { expect, test } from 'vitest'
import { isWell, statusText } from '../../src/bin/status.ts'
import type { StatusView } from '../../src/daemon/resources.ts'

const VIEW: StatusView = {
  plane: { kind: 'ebpf', reason: 'it works' },
  l4lb: { isInSync: true },
  gossip: {
    self: 'a'.repeat(32),
    clusterId: 'blue',
    isIsolated: false,
    isComplete: true,
    members: { alive: 3, doubted: 0, dead: 1, left: 0 },
    records: 4,
    missingVersions: 0,
  },
  mesos: {
    sources: [
      { source: 'agent', from: '10.0.0.1:5051', state: 'current' },
      { source: 'leader', from: 'zk://a:2181/mesos', state: 'current', leader: '10.0.0.9:5050' },
    ],
    skipped: [],
  },
  dns: [],
}
const PROBLEM = { code: 'MESOS_UNREACHABLE', message: 'it does not answer', hint: 'start it' }
const STALE: StatusView['mesos'] = {
  skipped: [],
  sources: [
    {
      source: 'stream',
      from: 'b:5050',
      state: 'stale',
      since: '2026-01-31T00:00:00.000Z',
      problem: PROBLEM,
    },
  ],
}

test('a well node has a line per part', () => {
  expect(statusText(VIEW)).toBe(
    [
      'plane   current  ebpf: as it should be',
      'gossip  current  cluster blue: 3 alive, 1 dead',
      'agent   current  10.0.0.1:5051',
      'leader  current  10.0.0.9:5050 leads, says zk://a:2181/mesos',
    ].join('\n'),
  )
  expect(isWell(VIEW)).toBe(true)
})

test('what is stale says since when and why', () => {
  expect(statusText({ ...VIEW, mesos: STALE })).toContain(
    'stream  stale    b:5050 does not answer since 2026-01-31T00:00:00.000Z. VIPs do not need it, each',
  )
})

test.each<[string, Partial<StatusView>]>([
  ['a stale source', { mesos: STALE }],
  ['a cut', { gossip: { ...VIEW.gossip, isIsolated: true } }],
  ['a kernel that refuses', { l4lb: { isInSync: false, lastError: PROBLEM } }],
])('%s is not well', (_name, given) => {
  expect(isWell({ ...VIEW, ...given })).toBe(false)
})

test('a node that does without an agent is well', () => {
  const sources = [{ source: 'agent', from: 'none', state: 'absent' }] as const
  const view = { ...VIEW, mesos: { sources, skipped: [] } }
  expect(isWell(view)).toBe(true)
  expect(statusText(view)).toContain('agent   absent   no agent here (--mesos none)')
})

test('a cluster without a leader is not well', () => {
  const leader = { source: 'leader', from: 'zk://a:2181/mesos', state: 'missing' } as const
  expect(isWell({ ...VIEW, mesos: { sources: [leader], skipped: [] } })).toBe(false)
})
