import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import type { Task } from '../../src/model/task.ts'
import { AGENT_IP, read, statusMessage, taskMessage } from './fixtures.ts'

interface FactCase {
  readonly name: string
  readonly parts: Readonly<Record<string, unknown>>
  readonly expected: Partial<Record<keyof Task, unknown>>
}

const starting = statusMessage({ state: 'TASK_STARTING', timestamp: 1 }, [AGENT_IP])
const healthCheck = { type: 'COMMAND', command: {} }

const CASES: readonly FactCase[] = [
  {
    name: 'a running task without check is healthy',
    parts: {},
    expected: { phase: 'running', health: 'healthy', addresses: ['9.0.0.5'], agentIp: AGENT_IP },
  },
  {
    name: 'the lifecycle is in the task’s state, not in its statuses',
    parts: { state: 'TASK_KILLING' },
    expected: { phase: 'killing', addresses: ['9.0.0.5'] },
  },
  {
    name: 'a staging task without statuses has no address yet',
    parts: { state: 'TASK_STAGING', statuses: undefined },
    expected: { phase: 'other', addresses: [] },
  },
  {
    name: 'an unknown state is no backend',
    parts: { state: 'TASK_X' },
    expected: { phase: 'other' },
  },
  {
    name: 'addresses of TASK_STARTING do not count',
    parts: { statuses: [starting] },
    expected: { phase: 'running', addresses: [] },
  },
  {
    name: 'the last status counts, also after the clock of the agent went back',
    parts: {
      statuses: [starting, statusMessage({ timestamp: 20 }), statusMessage({}, ['9.0.0.9'])],
    },
    expected: { addresses: ['9.0.0.9'] },
  },
  {
    name: 'of statuses without timestamps the last counts',
    parts: {
      statuses: [
        statusMessage({ timestamp: undefined }, ['9.0.0.1']),
        statusMessage({ timestamp: undefined }, ['9.0.0.2']),
      ],
    },
    expected: { addresses: ['9.0.0.2'] },
  },
  {
    name: 'a TASK_KILLING without networks leaves the address known',
    parts: {
      state: 'TASK_KILLING',
      statuses: [statusMessage(), { state: 'TASK_KILLING', timestamp: 30, container_status: {} }],
    },
    expected: { phase: 'killing', addresses: ['9.0.0.5'] },
  },
  {
    name: 'a network without addresses gives none',
    parts: {
      statuses: [
        statusMessage({ container_status: { network_infos: [{}, { ip_addresses: [{}] }] } }),
      ],
    },
    expected: { addresses: [] },
  },
  {
    name: 'an IPv6 address is told by its text, not by the protocol beside it',
    parts: { statuses: [statusMessage({}, ['9.0.0.5', 'FD01:0:0::5', '9.0.0.5'])] },
    expected: { addresses: ['9.0.0.5', 'fd01::5'] },
  },
  {
    name: 'a check without result is unchecked',
    parts: { health_check: healthCheck },
    expected: { health: 'unchecked' },
  },
  {
    name: 'the newest status that carries a result decides on health',
    parts: {
      health_check: healthCheck,
      statuses: [
        statusMessage({ timestamp: 1, healthy: true }),
        statusMessage({ timestamp: 2, healthy: false }),
        statusMessage({ timestamp: 3 }),
      ],
    },
    expected: { health: 'unhealthy' },
  },
  {
    name: 'the discovery name goes before the task name',
    parts: { discovery: { name: 'b.a' } },
    expected: { name: 'b.a' },
  },
  { name: 'a task may lack a name', parts: { name: undefined }, expected: { name: '' } },
  { name: 'a task without container is Mesos’ own', parts: {}, expected: { runtime: 'mesos' } },
  {
    name: 'the Docker containerizer is told apart',
    parts: { container: { type: 'DOCKER', docker: {} } },
    expected: { runtime: 'docker' },
  },
  {
    name: 'a containerizer of the future is unknown',
    parts: { container: { type: 'PODMAN' } },
    expected: { runtime: 'unknown' },
  },
  {
    name: 'a framework that we may not see is called by its id',
    parts: { framework_id: { value: 'f-0009' } },
    expected: { frameworkName: 'f-0009', key: 'f-0009/web.1' },
  },
  {
    name: 'a mapped task without addresses keeps its host port',
    parts: {
      statuses: [],
      container: {
        type: 'MESOS',
        network_infos: [
          { port_mappings: [{ host_port: 31000, container_port: 80, protocol: 'TCP' }] },
        ],
      },
    },
    expected: { addresses: [], ports: [{ protocol: 'tcp', port: 80, hostPort: 31000, vips: [] }] },
  },
  {
    name: 'a pod’s mappings come from its status',
    parts: {
      statuses: [
        statusMessage({
          container_status: {
            container_id: { value: 'child', parent: { value: 'pod' } },
            network_infos: [
              {
                ip_addresses: [{ ip_address: '9.0.0.7' }],
                port_mappings: [{ host_port: 31001, container_port: 81, protocol: 'udp' }],
              },
            ],
          },
        }),
      ],
    },
    expected: {
      addresses: ['9.0.0.7'],
      ports: [{ protocol: 'udp', port: 81, hostPort: 31001, vips: [] }],
    },
  },
]

describe('readTask', () => {
  test.for(CASES)('$name', ({ parts, expected }) => {
    const { task, skipped } = read(taskMessage(parts))
    expect(skipped).toEqual([])
    expect(task).toMatchObject(expected)
  })

  test('an address that is none is left out, the others stay', () => {
    const { task, skipped } = read(
      taskMessage({ statuses: [statusMessage({}, ['OLD IP ADDRESS', '9.0.0.5'])] }),
    )
    expect(task?.addresses).toEqual(['9.0.0.5'])
    expect(skipped).toMatchObject([{ reason: 'address', owner: 'f-0001/web.1' }])
  })

  test.for([
    { name: 'no task id', parts: { task_id: undefined }, field: 'task_id.value' },
    { name: 'a task id that is no message', parts: { task_id: 'web' }, field: 'task_id' },
    { name: 'no framework id', parts: { framework_id: {} }, field: 'framework_id.value' },
    { name: 'no state', parts: { state: null }, field: 'state' },
    { name: 'a state as a number', parts: { state: 1 }, field: 'state' },
    { name: 'statuses that are no list', parts: { statuses: {} }, field: 'statuses' },
    { name: 'a status that is no message', parts: { statuses: [7] }, field: 'statuses[0]' },
    {
      name: 'a health result that is no boolean',
      parts: { statuses: [{ healthy: 'yes' }] },
      field: 'healthy',
    },
  ])('$name makes the task TASK_INVALID and names the field', ({ parts, field }) => {
    const { task, skipped } = read(taskMessage(parts))
    expect(task).toBeUndefined()
    expect(skipped).toMatchObject([{ reason: 'task_malformed' }])
    const [{ error } = {}] = skipped
    expect(error).toBeInstanceOf(NavstarError)
    expect(error).toMatchObject({ code: 'TASK_INVALID', cause: { field } })
  })
})
