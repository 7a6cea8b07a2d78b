import { expect, test } from 'vitest'
import { Table } from '../../src/base/table.ts'
import { textOf } from '../../src/bin/mesos.ts'
import {
  type ExplanationParts,
  explainTasks,
  explanationResources,
} from '../../src/daemon/task-explanations.ts'
import { advertise } from '../../src/l4lb/advertise/advertise.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import { type Task, taskKeyOf } from '../../src/model/task.ts'
import { ip, port, task } from '../l4lb/records.ts'

const KEY = taskKeyOf('f1', 'web.1')
const WEB: Task = task({
  ...{ key: KEY, id: 'web.1', frameworkId: 'f1', name: 'web', addresses: [ip('9.0.1.5')] },
  ports: [{ protocol: 'tcp', port: port(80), vips: ['/web:80'] }],
})
const NODE = 'b'.repeat(32) as NodeId

function partsOf(given: Partial<ExplanationParts> = {}): ExplanationParts {
  const tasks: ExplanationParts['mesos']['tasks'] = new Table()
  const backends: ExplanationParts['backends'] = new Table()
  tasks.replace(new Map([[KEY, WEB]]))
  backends.replace(new Map(advertise(WEB).records.map((record) => [record.key, record])))
  const status: ExplanationParts['mesos']['status'] = () => ({
    lastSuccessMs: 1,
    staleSinceWallMs: undefined,
    consecutiveFailures: 0,
    lastError: undefined,
    skipped: [{ reason: 'protocol', owner: KEY, detail: 'discovery port 53: protocol "sctp"' }],
  })
  return { mesos: { tasks, status }, masters: undefined, backends, ...given }
}

function mastersWith(state: string): NonNullable<ExplanationParts['masters']> {
  const agent = { hostname: 'h1', address: ip('10.0.0.1'), place: undefined }
  return {
    facts: {
      tasks: new Map([[KEY, { frameworkId: 'f1', taskId: 'web.1', agentId: 'a1', state }]]),
      agents: new Map([['a1', { ...agent, id: 'a1', awaitedUntilMs: undefined }]]),
    },
  }
}

test.for(['web', 'web.1', 'f1/web.1'])('a task is found as %s', (wanted) => {
  expect(explainTasks(wanted, partsOf()).tasks).toMatchObject([{ key: 'f1/web.1' }])
})

test('each fact comes with who says it', () => {
  const masters = mastersWith('TASK_RUNNING')
  expect(textOf('web', explainTasks('web', partsOf({ masters })))).toBe(
    [
      'task f1/web.1',
      '  agent 10.0.0.1: web of marathon, running, healthy, mesos, 9.0.1.5',
      '    port tcp 80 for VIP /web:80: a backend at 9.0.1.5:80: the task runs and is healthy',
      '  master: TASK_RUNNING on agent a1, 10.0.0.1',
      '  left out: discovery port 53: protocol "sctp"',
      '  this node states: 9.0.1.5:80 for web.marathon:80, weight 1',
    ].join('\n'),
  )
})

test('a task of another node is what master and cluster say of it', () => {
  const backends: ExplanationParts['backends'] = new Table()
  backends.replace(
    new Map(advertise(WEB).records.map((record) => [record.key, { ...record, node: NODE }])),
  )
  const { mesos } = partsOf()
  const elsewhere = { tasks: new Table() as typeof mesos.tasks, status: mesos.status }
  const parts = { mesos: elsewhere, masters: mastersWith('TASK_STAGING'), backends }
  const text = textOf('web.1', explainTasks('web.1', parts))
  expect(text).toContain('this node’s agent does not run it')
  expect(text).toContain('master: TASK_STAGING on agent a1')
  expect(text).toContain('node bbbbbbbb states: 9.0.1.5:80')
})

test('of what nobody knows that is said', () => {
  expect(textOf('x', explainTasks('x', partsOf()))).toMatch(
    /^nothing is known of task x: agent and/,
  )
})

test('without a task the question is refused', () => {
  const ask = explanationResources(partsOf())['/v1/navstar/mesos/tasks']
  expect(() => ask?.(new URLSearchParams(), undefined)).toThrow('which task?')
})
