import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import type { JsonObject } from '../../src/mesos/state/json-fields.ts'
import { readState } from '../../src/mesos/state/state.ts'
import { AGENT_IP, read, statusMessage, taskMessage } from './fixtures.ts'

/** A task that has every field which the parser reads. */
const full = taskMessage({
  resources: [{ name: 'ports', ranges: { range: [{ begin: 31000, end: 31001 }] } }],
  statuses: [
    statusMessage({
      healthy: true,
      container_status: {
        network_infos: [{ ip_addresses: [{ ip_address: '9.0.0.5' }], port_mappings: [] }],
      },
    }),
  ],
  labels: { labels: [{ key: 'VIP_PORT0', value: 'tcp://1.2.3.4:5' }] },
  discovery: {
    name: 'web',
    ports: {
      ports: [
        {
          number: 80,
          name: 'http',
          protocol: 'tcp',
          labels: { labels: [{ key: 'VIP_0', value: '/web:80' }] },
        },
      ],
    },
  },
  container: {
    type: 'MESOS',
    network_infos: [{ port_mappings: [{ host_port: 31000, container_port: 80, protocol: 'tcp' }] }],
    docker: { port_mappings: [] },
  },
  health_check: { type: 'COMMAND' },
})

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))]
}

function withValue(value: unknown, path: Path, junk: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return junk
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as JsonObject
  return Object.assign(copy, { [key]: withValue(copy[key], rest, junk) })
}

function stateOf(tasks: readonly unknown[]): string {
  const get_frameworks = {
    frameworks: [{ framework_info: { name: 'marathon', id: { value: 'f-0001' } } }],
  }
  const get_state = { get_tasks: { launched_tasks: tasks }, get_frameworks }
  return JSON.stringify({ type: 'GET_STATE', get_state })
}

describe('foreign values', () => {
  test('any JSON value in any field leaves the neighbours as they are', () => {
    const before = { ...full, task_id: { value: 'before' } }
    const after = { ...full, task_id: { value: 'after' } }
    const neighbours = [...readState(stateOf([before, after]), AGENT_IP).tasks.values()]
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(full)), fc.jsonValue(), (path, junk) => {
        const text = stateOf([before, withValue(full, path, junk), after])
        const { tasks } = readState(text, AGENT_IP)
        const rest = [...tasks.values()].filter((task) => ['before', 'after'].includes(task.id))
        expect(rest).toEqual(neighbours)
        expect(tasks.size).toBeGreaterThanOrEqual(2)
      }),
      { numRuns: 2000 },
    )
  })

  test('a malformed field either costs a counted part or changes nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(full)), fc.jsonValue(), (path, junk) => {
        const { task, skipped } = read(withValue(full, path, junk))
        if (task === undefined)
          expect(skipped.map((part) => part.reason)).toContain('task_malformed')
        else expect(task.ports.every((port) => port.port ?? port.hostPort)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  test('keys and values of labels can be anything', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('VIP', 'vip_0', 'network-scope', '__proto__', 'constructor', 'VIP_PORT99999'),
    )
    const label = fc.record({ key: text, value: fc.oneof(text, fc.jsonValue()) })
    fc.assert(
      fc.property(fc.array(label), (labels) => {
        const port = { number: 80, protocol: 'tcp', labels: { labels } }
        const { task } = read(
          taskMessage({ labels: { labels }, discovery: { ports: { ports: [port] } } }),
        )
        expect(task).toBeDefined()
        const vips = labels.flatMap(({ key, value }) =>
          /^(VIP|vip)/.test(key) && typeof value === 'string' ? [value] : [],
        )
        const isVoid = labels.some(
          ({ key, value }) => key === 'network-scope' && value !== 'container' && value !== 'host',
        )
        const hasManyScopes = labels.filter(({ key }) => key === 'network-scope').length > 1
        const expected = isVoid || hasManyScopes ? [] : [...new Set(vips)].sort()
        expect(task?.ports.flatMap((entry) => entry.vips)).toEqual(expected)
      }),
    )
  })

  test('a value nested a hundred thousand deep is refused like any other', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    for (const junk of [deep, nested]) {
      const text = stateOf([full, 'JUNK']).replace('"JUNK"', junk)
      const { tasks, skipped } = readState(text, AGENT_IP)
      expect(tasks.size).toBe(1)
      expect(skipped).toMatchObject([{ reason: 'task_malformed' }])
      const inside = stateOf([full]).replace('"/web:80"', junk)
      expect(readState(inside, AGENT_IP).skipped).toMatchObject([{ reason: 'label_value' }])
    }
  })

  test.for([
    { name: 'nothing', text: '' },
    { name: 'no JSON', text: '<html>' },
    { name: 'cut JSON', text: '{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":[' },
    { name: 'no object', text: '[]' },
    { name: 'another answer', text: '{"type":"GET_TASKS","get_tasks":{}}' },
    { name: 'no state', text: '{"type":"GET_STATE"}' },
    { name: 'no tasks message', text: '{"type":"GET_STATE","get_state":{}}' },
    {
      name: 'a tasks list that is none',
      text: '{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":7}}}',
    },
    { name: 'only depth', text: '['.repeat(1_000_000) },
  ])('$name is MESOS_RESPONSE_INVALID, never an empty state', ({ text }) => {
    const error = catchError(() => readState(text, AGENT_IP))
    expect(error).toBeInstanceOf(NavstarError)
    expect(error).toMatchObject({ code: 'MESOS_RESPONSE_INVALID' })
  })

  test('a malformed framework costs its name only', () => {
    const text = stateOf([full]).replace('"name":"marathon"', '"name":{}')
    const { tasks, skipped } = readState(text, AGENT_IP)
    expect([...tasks.values()]).toMatchObject([{ frameworkName: 'f-0001' }])
    expect(skipped).toMatchObject([{ reason: 'framework_malformed' }])
  })

  test('an empty tasks message means no tasks', () => {
    const text = '{"type":"GET_STATE","get_state":{"get_tasks":{},"get_frameworks":{}}}'
    expect(readState(text, AGENT_IP)).toMatchObject({ tasks: new Map(), skipped: [] })
  })

  test('of two tasks with one key the live one counts, in either order', () => {
    const dead = { ...full, state: 'TASK_FINISHED' }
    for (const list of [
      [full, dead],
      [dead, full],
    ]) {
      expect([...readState(stateOf(list), AGENT_IP).tasks.values()]).toMatchObject([
        { phase: 'running' },
      ])
    }
  })

  test('tasks that wait or have ended are not read', () => {
    const get_tasks = { queued_tasks: [full], terminated_tasks: [full], completed_tasks: [full] }
    const text = JSON.stringify({ type: 'GET_STATE', get_state: { get_tasks } })
    expect(readState(text, AGENT_IP).tasks.size).toBe(0)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
