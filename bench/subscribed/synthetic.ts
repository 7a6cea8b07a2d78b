/** The SUBSCRIBED of a large cluster: tasks as Marathon starts them, ten on an agent. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import protobuf from 'protobufjs'
import { encodeProto } from '../../test/mesos/proto/encode.ts'

const TASKS_PER_AGENT = 10
const MASTER = '30257977-0153-499d-a5b0-35afd842ef4d'
const FRAMEWORK = { value: `${MASTER}-0001` }

/** How a master writes it. */
export type Format = 'json' | 'protobuf'

/** Writes the record, framed, into a file. @returns its size in bytes */
export async function writeSubscribed(
  path: string,
  { tasks, format }: { readonly tasks: number; readonly format: Format },
): Promise<number> {
  const parts = format === 'json' ? jsonParts(tasks) : protobufParts(tasks)
  const sizeBytes = parts.reduce((total, part) => total + part.length, 0)
  const file = createWriteStream(path)
  file.write(`${sizeBytes}\n`)
  for (const part of parts) if (!file.write(part)) await once(file, 'drain')
  file.end()
  await once(file, 'close')
  return sizeBytes
}

function jsonParts(tasks: number): Buffer[] {
  const lists = (count: number, entryOf: (index: number) => object) =>
    Array.from({ length: count }, (_, index) =>
      Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(entryOf(index))}`),
    )
  const text = (part: string) => [Buffer.from(part)]
  return [
    ...text('{"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"tasks":['),
    ...lists(tasks, taskOf),
    ...text(']},"get_executors":{},"get_frameworks":{"frameworks":['),
    ...lists(1, frameworkOf),
    ...text(']},"get_agents":{"agents":['),
    ...lists(Math.ceil(tasks / TASKS_PER_AGENT), agentOf),
    ...text(']}},"heartbeat_interval_seconds":15.0}}'),
  ]
}

/** Messages written one after another are one message. */
function protobufParts(tasks: number): Buffer[] {
  const lists = (name: string, field: string, entries: readonly object[]) =>
    Buffer.concat(entries.map((entry) => encodeProto(name, { [field]: [entry] })))
  const entries = (count: number, entryOf: (index: number) => object) =>
    Array.from({ length: count }, (_, index) => entryOf(index))
  const agents = entries(Math.ceil(tasks / TASKS_PER_AGENT), agentOf)
  const state = Buffer.concat([
    within(1, lists('GetTasks', 'tasks', entries(tasks, taskOf))),
    within(3, lists('GetFrameworks', 'frameworks', entries(1, frameworkOf))),
    within(4, lists('GetAgents', 'agents', agents)),
  ])
  const interval = encodeProto('Event.Subscribed', { heartbeat_interval_seconds: 15 })
  return [
    Buffer.from(encodeProto('Event', { type: 'SUBSCRIBED' })),
    within(2, Buffer.concat([within(1, state), interval])),
  ]
}

/** The bytes of a message as a field of another. */
function within(field: number, bytes: Buffer): Buffer {
  return Buffer.from(
    protobuf.Writer.create()
      .uint32((field << 3) | 2)
      .bytes(bytes)
      .finish(),
  )
}

function taskOf(index: number): object {
  const name = `service-${index % 500}`
  const task_id = { value: `${name}.instance-${String(index).padStart(8, '0')}-6b16-11e7._app.1` }
  const agent_id = agentId(Math.floor(index / TASKS_PER_AGENT))
  const port = 1025 + (index % 30_000)
  const statusOf = (state: string, timestamp: number) => ({
    task_id,
    state,
    agent_id,
    timestamp,
    executor_id: task_id,
    source: 'SOURCE_EXECUTOR',
    uuid: Buffer.alloc(16, index).toString('base64'),
    healthy: true,
    container_status: {
      container_id: { value: `b6cbf3a4-${index}-4a9f-8c42-61ad2d8f1b3a` },
      executor_pid: 4000 + index,
      network_infos: [
        {
          name: 'dcos',
          ip_addresses: [{ protocol: 'IPv4', ip_address: `9.0.${index % 250}.${index % 120}` }],
          labels: {},
        },
      ],
    },
  })
  return {
    name,
    task_id,
    framework_id: FRAMEWORK,
    executor_id: task_id,
    agent_id,
    state: 'TASK_RUNNING',
    resources: [
      scalar('cpus', 0.1),
      scalar('mem', 128),
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: port, end: port }] } },
    ],
    statuses: [statusOf('TASK_STARTING', 1_520_884_809.5), statusOf('TASK_RUNNING', 1_520_884_811)],
    status_update_state: 'TASK_RUNNING',
    labels: { labels: [{ key: 'DCOS_SPACE', value: `/team/${name}` }] },
    discovery: {
      visibility: 'FRAMEWORK',
      name,
      ports: {
        ports: [
          {
            number: 8080,
            name: 'http',
            protocol: 'tcp',
            labels: { labels: [{ key: 'VIP_0', value: `/${name}:80` }] },
          },
        ],
      },
    },
    container: {
      type: 'DOCKER',
      docker: {
        image: `registry.example.org/team/${name}:1.2.3`,
        network: 'USER',
        port_mappings: [{ host_port: port, container_port: 8080, protocol: 'tcp' }],
      },
      network_infos: [{ name: 'dcos' }],
    },
  }
}

function agentOf(index: number): object {
  const hostname = `10.0.${Math.floor(index / 250)}.${index % 250}`
  const resources = [scalar('cpus', 16), scalar('mem', 64_000), scalar('disk', 900_000)]
  return {
    agent_info: { hostname, port: 5051, resources, id: agentId(index) },
    active: true,
    version: '1.9.0',
    pid: `slave(1)@${hostname}:5051`,
    registered_time: { nanoseconds: 1_520_884_809_940_788 },
    total_resources: resources,
  }
}

function frameworkOf(): object {
  const framework_info = { user: 'root', name: 'marathon', id: FRAMEWORK, hostname: '10.0.0.1' }
  return { framework_info, active: true, connected: true, recovered: false }
}

function agentId(index: number): { readonly value: string } {
  return { value: `${MASTER}-S${index}` }
}

function scalar(name: string, value: number): object {
  return { name, type: 'SCALAR', scalar: { value }, role: '*' }
}
