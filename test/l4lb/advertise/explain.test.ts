import { expect, test } from 'vitest'
import { explainPorts, type PortVerdict } from '../../../src/l4lb/advertise/explain.ts'
import type { Task, TaskPort } from '../../../src/model/task.ts'
import { ip, port, task } from '../records.ts'

const WEB: TaskPort = { protocol: 'tcp', port: port(80), vips: ['/web:80'] }

interface Case {
  readonly name: string
  readonly task?: Partial<Task>
  readonly port?: Partial<TaskPort>
  readonly expected: Partial<PortVerdict>
}

const CASES: readonly Case[] = [
  {
    name: 'a healthy task',
    expected: { port: 'tcp 80', vip: '/web:80', verdict: 'backend', endpoints: ['9.0.1.5:80'] },
  },
  {
    name: 'a mapped port with a name',
    port: { hostPort: port(31000), name: 'http' },
    expected: {
      port: 'tcp 80 (host port 31000, http)',
      verdict: 'backend',
      endpoints: ['10.0.0.1:31000'],
    },
  },
  {
    name: 'no label',
    port: { vips: [] },
    expected: { verdict: 'none', why: 'it has no VIP label' },
  },
  {
    name: 'a task that is killed',
    task: { phase: 'killing' },
    expected: { verdict: 'draining', why: 'the task is being killed' },
  },
  {
    name: 'an unhealthy task',
    task: { health: 'unhealthy' },
    expected: { verdict: 'draining', why: expect.stringContaining('unhealthy') },
  },
  {
    name: 'a task without a result of its check',
    task: { health: 'unchecked' },
    expected: { verdict: 'draining', why: expect.stringContaining('no result yet') },
  },
  {
    name: 'a task that does not run',
    task: { phase: 'other' },
    expected: { verdict: 'none', why: expect.stringContaining('does not say that it runs') },
  },
  {
    name: 'a label that is none',
    port: { vips: ['web'] },
    expected: { verdict: 'none', why: expect.stringContaining('it has no port') },
  },
  {
    name: 'an address of the other family',
    port: { vips: ['[fd00::7]:80'] },
    expected: { verdict: 'none', why: expect.stringContaining('no address of the task fits') },
  },
]

test.for(CASES)('$name is explained', ({ task: parts, port: given, expected }) => {
  const ports = [{ ...WEB, ...given }]
  const [verdict, ...more] = explainPorts(task({ addresses: [ip('9.0.1.5')], ...parts, ports }))
  expect(more).toEqual([])
  const endpoints = verdict?.verdict === 'none' ? [] : [expect.any(String)]
  expect(verdict).toMatchObject({ endpoints, ...expected })
})

test('each label of a port is judged by itself', () => {
  const ports = [{ ...WEB, vips: ['/web:80', 'web'] }]
  expect(explainPorts(task({ ports })).map(({ verdict }) => verdict)).toEqual(['backend', 'none'])
})
