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
type FollowedStatus = ReturnType<NonNullable<ExplanationParts['masters']>['status']>

const NODE = 'b'.repeat(32) as NodeId

function partsOf(given: Partial<ExplanationParts> = {}): ExplanationParts {
  const tasks: ExplanationParts['mesos']['tasks'] = new Table()
  const backends: ExplanationParts['backends'] = new Table()
  tasks.replace(new Map([[KEY, WEB]]))
  backends.replace(new Map(advertise(WEB).records.map((record) => [record.key, record])))
  const config = { mesos: { agentUrl: 'http://10.0.0.1:5051' } }
  const status: ExplanationParts['mesos']['status'] = () => ({
    lastSuccessMs: 1,
    staleSinceWallMs: undefined,
    consecutiveFailures: 0,
    lastError: undefined,
    skipped: [{ reason: 'protocol', owner: KEY, detail: 'discovery port 53: protocol "sctp"' }],
  })
  return { config, mesos: { tasks, status }, masters: undefined, backends, ...given }
}

function mastersWith(state: string): NonNullable<ExplanationParts['masters']> {
  const agent = { hostname: 'h1', address: ip('10.0.0.1'), place: undefined }
  const stream = { staleSinceWallMs: undefined }
  return {
    status: () => ({ stream }) as FollowedStatus,
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
  const { mesos, config } = partsOf()
  const elsewhere = { tasks: new Table() as typeof mesos.tasks, status: mesos.status }
  const parts = { config, mesos: elsewhere, masters: mastersWith('TASK_STAGING'), backends }
  const text = textOf('web.1', explainTasks('web.1', parts))
  expect(text).toContain('this node’s agent does not run it')
  expect(text).toContain('master: TASK_STAGING on agent a1')
  expect(text).toContain('more on its node, 10.0.0.1: navstar mesos --explain f1/web.1')
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

/** This node with more tasks of these ids, all in framework f1. */
function partsWith(...ids: readonly string[]): ExplanationParts {
  const parts = partsOf()
  const all = ids.map((id) => ({ ...WEB, id, name: id, key: taskKeyOf('f1', id) }))
  parts.mesos.tasks.update(all.map((each) => [each.key, each]))
  return parts
}

test('the beginning of an id is enough when it is that of one task alone', () => {
  const parts = partsWith('api.aa1', 'api.aa2', 'db.bb')
  expect(explainTasks('db', parts)).toMatchObject({ tasks: [{ key: 'f1/db.bb' }], candidates: [] })
  const several = explainTasks('api.', parts)
  expect(several).toMatchObject({ tasks: [], candidates: ['f1/api.aa1', 'f1/api.aa2'] })
  expect(textOf('api.', several)).toBe(
    'no task is called api.; these begin so:\n  f1/api.aa1\n  f1/api.aa2',
  )
  expect(explainTasks('api.aa1', parts).tasks).toHaveLength(1)
})

test('a whole id is not taken for the beginning of another', () => {
  const { tasks } = explainTasks('web.1', partsWith('web.10'))
  expect(tasks.map(({ key }) => key)).toEqual(['f1/web.1'])
})

test('tasks of two frameworks with one id are both explained; the key names one', () => {
  const parts = partsOf()
  const other = { ...WEB, frameworkId: 'f2', key: taskKeyOf('f2', 'web.1') }
  parts.mesos.tasks.update([[other.key, other]])
  expect(explainTasks('web.1', parts).tasks.map(({ key }) => key)).toEqual(['f1/web.1', 'f2/web.1'])
  expect(explainTasks('f2/web.1', parts).tasks).toHaveLength(1)
})

const SINCE = '2026-01-31T00:00:00.000Z'

/** This node with an agent that is not read. */
function unread(lastSuccessMs: number | undefined, given: Partial<ExplanationParts> = {}) {
  const parts = partsOf(given)
  const status = () => ({
    ...parts.mesos.status(),
    lastSuccessMs,
    staleSinceWallMs: Date.parse(SINCE),
  })
  return { ...parts, mesos: { ...parts.mesos, status } }
}

test('an agent that is not read is not said to know nothing', () => {
  const text = (parts: ExplanationParts, task: string) => textOf(task, explainTasks(task, parts))
  expect(text(unread(5), 'web')).toContain(`(as it was before ${SINCE}: the agent is not read)`)
  expect(text(unread(undefined), 'x')).toContain(
    `this node’s agent has not answered yet, since ${SINCE}: it may run what is not known here`,
  )
  const tasks: ExplanationParts['mesos']['tasks'] = new Table()
  const parts = unread(5, { masters: mastersWith('TASK_RUNNING') })
  const empty = { ...parts, mesos: { ...parts.mesos, tasks } }
  expect(text(empty, 'web.1')).toContain(`this node’s agent is not read since ${SINCE}`)
  const none = { ...empty, config: { mesos: { agentUrl: undefined } } }
  expect(text(none, 'web.1')).toContain('no agent runs on this node (--mesos none)')
})

test('a master’s word that may be old says so', () => {
  const stream = { staleSinceWallMs: Date.parse(SINCE) }
  const masters = {
    ...mastersWith('TASK_RUNNING'),
    status: () => ({ stream }) as FollowedStatus,
  }
  expect(textOf('web', explainTasks('web', partsOf({ masters })))).toContain(
    `master: TASK_RUNNING on agent a1, 10.0.0.1 (not current since ${SINCE})`,
  )
})

test('a task that does not run is not said to be healthy', () => {
  const parts = partsOf()
  parts.mesos.tasks.update([[KEY, { ...WEB, phase: 'other' }]])
  expect(textOf('web', explainTasks('web', parts))).toContain('web of marathon, not running, mesos')
})

test('a label that is malformed says what is wrong with it', () => {
  const parts = partsOf()
  const ports = [{ protocol: 'tcp', port: port(80), vips: ['/web'] }] as const
  parts.mesos.tasks.update([[KEY, { ...WEB, ports }]])
  expect(textOf('web', explainTasks('web', parts))).toContain(
    'port tcp 80 for VIP /web: no backend: a VIP label is malformed: it has no port',
  )
})

test('who says nothing is named', () => {
  const parts = partsOf({ masters: mastersWith('TASK_RUNNING') })
  expect(textOf('x', explainTasks('x', parts))).toBe(
    'nothing is known of task x: agent, master and cluster say nothing of it',
  )
  const lone = { ...partsOf(), config: { mesos: { agentUrl: undefined } } }
  expect(textOf('x', explainTasks('x', lone))).toContain('cluster says nothing of it')
})
