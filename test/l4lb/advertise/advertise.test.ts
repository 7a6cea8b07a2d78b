import { describe, expect, test } from 'vitest'
import { advertise, weightOf } from '../../../src/l4lb/advertise/advertise.ts'
import type { BackendRecord } from '../../../src/model/backend-record.ts'
import type { Task, TaskHealth, TaskPhase, TaskPort } from '../../../src/model/task.ts'
import { formatEndpoint } from '../../../src/model/vip.ts'
import { ip, port, task } from '../records.ts'

/** Phase, health, and the weight of the backend, if it is one. */
const STATES: readonly (readonly [TaskPhase, TaskHealth, number | undefined])[] = [
  ['running', 'healthy', 1],
  ['running', 'unhealthy', 0],
  ['running', 'unchecked', 0],
  ['killing', 'healthy', 0],
  ['killing', 'unhealthy', 0],
  ['killing', 'unchecked', 0],
  ['other', 'healthy', undefined],
  ['other', 'unhealthy', undefined],
  ['other', 'unchecked', undefined],
]

test.each(STATES)('a task that is %s and %s has weight %s', (phase, health, weight) => {
  const given = task({ phase, health, ports: [tcp({ port: port(8080) }, '/web:80')] })
  const { records, problems } = advertise(given)
  expect(problems).toEqual([])
  expect(records.map((record) => record.weight)).toEqual(weight === undefined ? [] : [weight])
  if (weight !== undefined) expect(weightOf(given)).toBe(weight)
})

function tcp(parts: Partial<TaskPort>, ...vips: readonly string[]): TaskPort {
  return { protocol: 'tcp', vips, ...parts }
}

const container = { addresses: [ip('9.0.1.5')] }
const dual = { addresses: [ip('9.0.1.5'), ip('fd00::5')] }
const mapped = { port: port(80), hostPort: port(31000) }

interface Case {
  readonly name: string
  readonly parts: Partial<Task>
  readonly port: Partial<TaskPort>
  readonly vip?: string
  /** Endpoints; behind `local` the one on its own node. */
  readonly endpoints: readonly string[]
}

const CASES: readonly Case[] = [
  { name: 'host network', parts: {}, port: { port: port(31000) }, endpoints: ['10.0.0.1:31000'] },
  {
    name: 'host network, given as host port',
    parts: {},
    port: { hostPort: port(31000) },
    endpoints: ['10.0.0.1:31000'],
  },
  {
    name: 'container network',
    parts: container,
    port: { port: port(80) },
    endpoints: ['9.0.1.5:80'],
  },
  {
    name: 'container network with a mapped port (UCR)',
    parts: container,
    port: mapped,
    endpoints: ['10.0.0.1:31000 local 9.0.1.5:80'],
  },
  {
    name: 'bridge with a mapped port (Docker)',
    parts: { ...container, runtime: 'docker' },
    port: mapped,
    endpoints: ['10.0.0.1:31000'],
  },
  {
    name: 'a mapped port of an unknown runtime',
    parts: { ...container, runtime: 'unknown' },
    port: mapped,
    endpoints: ['10.0.0.1:31000 local 9.0.1.5:80'],
  },
  {
    name: 'a mapped port without a known inner one',
    parts: container,
    port: { hostPort: port(31000) },
    endpoints: ['10.0.0.1:31000'],
  },
  {
    name: 'a mapped port of a task without addresses',
    parts: { addresses: [] },
    port: mapped,
    endpoints: ['10.0.0.1:31000'],
  },
  {
    name: 'a host port equal to the inner one on the agent’s address',
    parts: {},
    port: { port: port(80), hostPort: port(80) },
    endpoints: ['10.0.0.1:80'],
  },
  {
    name: 'two stacks behind a name',
    parts: dual,
    port: { port: port(80) },
    endpoints: ['9.0.1.5:80', '[fd00::5]:80'],
  },
  {
    name: 'two stacks behind an IPv4 literal',
    parts: dual,
    port: { port: port(80) },
    vip: '10.1.2.3:80',
    endpoints: ['9.0.1.5:80'],
  },
  {
    name: 'two stacks behind an IPv6 literal',
    parts: dual,
    port: { port: port(80) },
    vip: 'fd01:c::5:80',
    endpoints: ['[fd00::5]:80'],
  },
  {
    name: 'two stacks with a mapped port',
    parts: dual,
    port: mapped,
    endpoints: ['10.0.0.1:31000 local 9.0.1.5:80'],
  },
  {
    name: 'a mapped port behind an IPv4 literal',
    parts: dual,
    port: mapped,
    vip: '10.1.2.3:80',
    endpoints: ['10.0.0.1:31000 local 9.0.1.5:80'],
  },
  {
    name: 'an agent on IPv6 with a mapped port',
    parts: { ...dual, agentIp: ip('fd0a::1') },
    port: mapped,
    endpoints: ['[fd0a::1]:31000 local [fd00::5]:80'],
  },
  {
    name: 'several addresses of one family (pod on two networks)',
    parts: { addresses: [ip('9.0.1.5'), ip('9.1.1.5')] },
    port: { port: port(80) },
    endpoints: ['9.0.1.5:80', '9.1.1.5:80'],
  },
]

describe('a task advertises', () => {
  test.each(CASES)('$name: $endpoints', ({ parts, port: taskPort, vip = '/web:80', endpoints }) => {
    const { records, problems } = advertise(task({ ...parts, ports: [tcp(taskPort, vip)] }))
    expect(problems).toEqual([])
    expect(records.map(textOf)).toEqual(endpoints)
  })

  test.each([
    ['an IPv6 literal before IPv4 tasks', container, { port: port(80) }, 'fd01:c::5:80'],
    [
      'an IPv4 literal before IPv6 tasks',
      { addresses: [ip('fd00::5')] },
      { port: port(80) },
      '10.1.2.3:80',
    ],
    ['an IPv6 literal before a mapped port', dual, mapped, 'fd01:c::5:80'],
    ['a task without addresses', { addresses: [] }, { port: port(80) }, '/web:80'],
    ['a port without a number', container, {}, '/web:80'],
  ])('nothing for %s', (...[, parts, taskPort, vip]) => {
    const { records, problems } = advertise(task({ ...parts, ports: [tcp(taskPort, vip)] }))
    expect(records).toEqual([])
    expect(problems).toMatchObject([{ code: 'BACKEND_FAMILY_MISMATCH' }])
  })

  test('each port and label on its own: a bad label leaves the others', () => {
    const ports = [
      tcp({ port: port(8080) }, '/web:80', '/web', '/api:8080', '/web:0'),
      { ...tcp({ port: port(53) }, '/dns:53'), protocol: 'udp' } as const,
    ]
    const { records, problems } = advertise(task({ ports }))
    expect(records.map(({ key }) => key)).toEqual([
      'tcp/named:/web@marathon:80/10.0.0.1:8080/f/web.1',
      'tcp/named:/api@marathon:8080/10.0.0.1:8080/f/web.1',
      'udp/named:/dns@marathon:53/10.0.0.1:53/f/web.1',
    ])
    expect(problems.map(({ code }) => code)).toEqual(['LABEL_INVALID', 'LABEL_INVALID'])
  })

  test('one record where two ports give one endpoint', () => {
    const ports = [tcp({ port: port(80) }, '/web:80'), tcp({ hostPort: port(80) }, '/web:80')]
    expect(advertise(task({ ports })).records).toHaveLength(1)
  })
})

function textOf({ address, port, local }: BackendRecord): string {
  const outside = formatEndpoint({ address, port })
  return local === undefined ? outside : `${outside} local ${formatEndpoint(local)}`
}
