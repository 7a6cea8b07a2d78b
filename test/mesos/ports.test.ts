import { describe, expect, test } from 'vitest'
import { AGENT_IP, read, statusMessage, taskMessage } from './fixtures.ts'

type Labels = readonly (readonly [unknown, unknown])[]

function discovered(
  number: unknown,
  labels: Labels = [],
  parts: Readonly<Record<string, unknown>> = {},
): object {
  const list = labels.map(([key, value]) => ({ key, value }))
  return { number, protocol: 'tcp', labels: { labels: list }, ...parts }
}

function discovery(...ports: readonly unknown[]): object {
  return { discovery: { visibility: 'FRAMEWORK', ports: { ports } } }
}

const ranges = (name: string, ...pairs: readonly (readonly [number, number])[]) => ({
  name,
  type: 'RANGES',
  ranges: { range: pairs.map(([begin, end]) => ({ begin, end })) },
})

const legacy = (key: string, value: string) => ({
  labels: { labels: [{ key, value }] },
  resources: [ranges('cpus', [1, 9]), ranges('ports', [31000, 31001], [31005, 31005])],
})

const docker = {
  container: {
    type: 'DOCKER',
    docker: { port_mappings: [{ host_port: 21768, container_port: 80, protocol: 'tcp' }] },
  },
}

const host = { statuses: [statusMessage({}, [AGENT_IP])] }

interface PortCase {
  readonly name: string
  readonly parts: object
  readonly ports: readonly object[]
  readonly reasons?: readonly string[]
}

const CASES: readonly PortCase[] = [
  { name: 'no discovery: no ports', parts: {}, ports: [] },
  {
    name: 'labels that begin with VIP or vip are VIPs, sorted, once',
    parts: discovery(
      discovered(80, [
        ['VIP_1', '/b:80'],
        ['vip', '/a:80'],
        ['VIP_c0ffee', '/b:80'],
        ['VIPfoo', 'fd01:c::5:80'],
        ['Vip_0', '/mixed:1'],
        ['MY_VIP', '/other:1'],
      ]),
    ),
    ports: [{ protocol: 'tcp', port: 80, vips: ['/a:80', '/b:80', 'fd01:c::5:80'] }],
  },
  {
    name: 'junk values stay for those who know the grammar',
    parts: discovery(discovered(80, [['VIP_0', 'missing-port']])),
    ports: [{ port: 80, vips: ['missing-port'] }],
  },
  {
    name: 'a label without a value is skipped, the others work',
    parts: discovery(
      discovered(80, [
        ['VIP_0', undefined],
        ['VIP_1', 7],
        ['VIP_2', '/a:80'],
      ]),
    ),
    ports: [{ port: 80, vips: ['/a:80'] }],
    reasons: ['label_value', 'label_value'],
  },
  {
    name: 'scope container means the task’s own port',
    parts: discovery(discovered(80, [['network-scope', 'container']])),
    ports: [{ protocol: 'tcp', port: 80, vips: [] }],
  },
  {
    name: 'scope host means the agent’s port',
    parts: discovery(discovered(31000, [['network-scope', 'host']])),
    ports: [{ protocol: 'tcp', hostPort: 31000, vips: [] }],
  },
  {
    name: 'another scope voids all ports of the task, mappings included',
    parts: {
      ...docker,
      ...discovery(
        discovered(80, [['VIP_0', '/a:80']]),
        discovered(81, [['network-scope', 'galaxy']]),
      ),
    },
    ports: [],
    reasons: ['network_scope'],
  },
  {
    name: 'two scopes void all ports of the task',
    parts: discovery(
      discovered(80, [
        ['network-scope', 'host'],
        ['network-scope', 'host'],
      ]),
    ),
    ports: [],
    reasons: ['network_scope'],
  },
  {
    name: 'port number 0 is no port',
    parts: discovery(discovered(0, [['VIP_0', '/a:80']]), discovered(81)),
    ports: [{ port: 81 }],
  },
  {
    name: 'an impossible number costs that port only',
    parts: discovery(discovered(65536), discovered(undefined), discovered(1.5), discovered(81)),
    ports: [{ port: 81 }],
    reasons: ['port_number', 'port_number', 'port_number'],
  },
  {
    name: 'protocols are read in any case',
    parts: discovery(
      discovered(53, [], { protocol: 'UDP' }),
      discovered(53, [], { protocol: 'Tcp' }),
    ),
    ports: [
      { protocol: 'tcp', port: 53 },
      { protocol: 'udp', port: 53 },
    ],
  },
  {
    name: 'an unknown or absent protocol costs that port only',
    parts: discovery(
      discovered(80, [], { protocol: 'client' }),
      discovered(81, [], { protocol: undefined }),
      discovered(82),
    ),
    ports: [{ port: 82 }],
    reasons: ['protocol', 'protocol'],
  },
  {
    name: 'a port that is no message costs itself only',
    parts: discovery('80', null, discovered(82)),
    ports: [{ port: 82 }],
    reasons: ['port_malformed', 'port_malformed'],
  },
  {
    name: 'ports that are no list cost the task’s ports only',
    parts: { discovery: { ports: { ports: 80 } } },
    ports: [],
    reasons: ['ports_malformed'],
  },
  {
    name: 'a mapping and a discovery port with the same host port are one',
    parts: {
      ...docker,
      ...discovery(
        discovered(21768, [
          ['VIP_0', '/foo:5000'],
          ['network-scope', 'host'],
        ]),
      ),
    },
    ports: [{ protocol: 'tcp', port: 80, hostPort: 21768, vips: ['/foo:5000'] }],
  },
  {
    name: 'a mapping and a discovery port with the same container port are one',
    parts: { ...docker, ...discovery(discovered(80, [['VIP_0', '/foo:5000']], { name: 'http' })) },
    ports: [{ port: 80, hostPort: 21768, name: 'http', vips: ['/foo:5000'] }],
  },
  {
    name: 'ports of different protocols are two',
    parts: { ...docker, ...discovery(discovered(80, [], { protocol: 'udp' })) },
    ports: [
      { protocol: 'tcp', port: 80, hostPort: 21768 },
      { protocol: 'udp', port: 80 },
    ],
  },
  {
    name: 'on the agent’s network a host port is the port',
    parts: {
      ...host,
      ...discovery(
        discovered(31000, [['network-scope', 'host']]),
        discovered(31000, [['VIP', '/a:1']]),
      ),
    },
    ports: [{ protocol: 'tcp', port: 31000, vips: ['/a:1'] }],
  },
  {
    name: 'a dual-stack host task counts as on the agent’s network',
    parts: {
      statuses: [statusMessage({}, [AGENT_IP, 'fd00::1'])],
      ...discovery(discovered(31000, [['network-scope', 'host']])),
    },
    ports: [{ protocol: 'tcp', port: 31000, vips: [] }],
  },
  {
    name: 'a task label VIP_PORT2 means the third of the expanded ports',
    parts: legacy('VIP_PORT2', 'tcp://1.2.3.4:5000'),
    ports: [{ protocol: 'tcp', hostPort: 31005, vips: ['1.2.3.4:5000'] }],
  },
  {
    name: 'task labels are read in any case, for udp too',
    parts: legacy('vip_Port1', 'udp://fd01:c::5:53'),
    ports: [{ protocol: 'udp', hostPort: 31001, vips: ['fd01:c::5:53'] }],
  },
  {
    name: 'a task label without scheme is nobody’s',
    parts: legacy('VIP_PORT0', '/a:80'),
    ports: [],
  },
  {
    name: 'a task label without index is nobody’s',
    parts: legacy('VIP_PORT', 'tcp://a:1'),
    ports: [],
  },
  {
    name: 'a task label beyond the ports is skipped',
    parts: legacy('VIP_PORT3', 'tcp://a:1'),
    ports: [],
    reasons: ['label_index'],
  },
  {
    name: 'an absurdly wide range is not expanded',
    parts: {
      labels: { labels: [{ key: 'VIP_PORT9', value: 'tcp://a:1' }] },
      resources: [ranges('ports', [1, 2 ** 52])],
    },
    ports: [{ protocol: 'tcp', hostPort: 10, vips: ['a:1'] }],
  },
]

describe('ports of a task', () => {
  test.for(CASES)('$name', ({ parts, ports, reasons = [] }) => {
    const { task, skipped } = read(taskMessage({ ...parts }))
    expect(task?.ports).toMatchObject(ports)
    expect(task?.ports).toHaveLength(ports.length)
    expect(skipped.map((part) => part.reason)).toEqual(reasons)
  })
})
