/** What the product reads from the API of each agent, compared with what executors did. */
import { answerCall } from '../../../src/demo/agent/calls.ts'
import type { JsonMessage } from '../../../src/demo/agent/json.ts'
import type { SimulatedPort, SimulatedTask } from '../../../src/demo/agent/task.ts'
import type { SimulatedAgent } from '../../../src/demo/mesos/agent.ts'
import type { LiveTask } from '../../../src/demo/mesos/agent-tasks.ts'
import { jsonEncoderOf } from '../../../src/demo/mesos/encoding.ts'
import type { MesosRules } from '../../../src/demo/mesos/rules.ts'
import { decodeMessage } from '../../../src/mesos/protobuf/decode.ts'
import { readState } from '../../../src/mesos/state/state.ts'
import type { Ip } from '../../../src/model/ip.ts'
import type { Task } from '../../../src/model/task.ts'
import { Violation } from '../violation.ts'
import { vipsWith } from './odd-labels.ts'
import { PROTOBUF_ENCODER } from './protobuf-encoder.ts'
import type { Scene } from './scene.ts'

/** As far as a task is compared. */
interface Picture {
  readonly phase: string
  readonly health: string
  readonly addresses: readonly string[]
  /** Sorted. */
  readonly vips: readonly string[]
  /** Sorted, e.g. `8080` or `8080 from 31000`. */
  readonly ports: readonly string[]
}

/** Each agent that runs tells, in JSON and protobuf, what its executors did. @throws Violation */
export function compareAgents({ agents, cluster }: Scene): void {
  for (const agent of agents) if (agent.isUp) compareAgent(agent, cluster.rules)
}

/** The product's reading of one agent. */
export function tasksRead(agent: SimulatedAgent, rules: MesosRules): ReadonlyMap<string, Task> {
  const answer = answerCall('GET_STATE', agent.state) ?? {}
  const text = Buffer.from(jsonEncoderOf(rules).encode(answer, 'AgentResponse')).toString()
  return readState(text, agent.ip as Ip).tasks
}

function compareAgent(agent: SimulatedAgent, rules: MesosRules): void {
  const { live } = agent.tasks
  const truth = new Map(live.map((task) => [task.key, truthOf(task)]))
  expectEqual('JSON of an agent', tasksRead(agent, rules), truth)
  // A label that is no text cannot be said in protobuf.
  if (live.some(({ spec }) => portsOf(spec).some((port) => port.oddLabels !== undefined))) return
  const answer = answerCall('GET_STATE', agent.state) ?? {}
  const bytes = PROTOBUF_ENCODER.encode(answer, 'AgentResponse')
  const text = JSON.stringify(decodeMessage(bytes, 'AgentResponse'))
  expectEqual('protobuf of an agent', readState(text, agent.ip as Ip).tasks, truth)
}

function expectEqual(
  by: string,
  read: ReadonlyMap<string, Task>,
  truth: ReadonlyMap<string, Picture>,
): void {
  for (const key of new Set([...read.keys(), ...truth.keys()])) {
    const task = read.get(key)
    const left = JSON.stringify(task === undefined ? undefined : pictureOf(task))
    const right = JSON.stringify(truth.get(key))
    if (left !== right) throw new Violation(by, `${key}: said ${left}, is ${right}`)
  }
}

function pictureOf({ phase, health, addresses, ports }: Task): Picture {
  return {
    phase,
    health,
    addresses,
    vips: ports.flatMap(({ vips }) => vips).sort(),
    ports: ports.map(({ port, hostPort }) => portText(port, hostPort)).sort(),
  }
}

function truthOf({ spec, state, hasRun, isHealthy, agentIp }: LiveTask): Picture {
  const isHost = (spec.network ?? 'host') === 'host'
  const known = spec.addresses ?? (isHost ? [agentIp] : [])
  const vips = portsOf(spec).map((port) =>
    (port.oddLabels ?? []).reduce<readonly string[] | undefined>(
      (all, label) => all && vipsWith(all, label as JsonMessage),
      port.vips ?? [],
    ),
  )
  const isVoid = vips.includes(undefined)
  return {
    phase: state === 'TASK_RUNNING' ? 'running' : state === 'TASK_KILLING' ? 'killing' : 'other',
    health: healthOf(spec, isHealthy),
    addresses: hasRun ? known : [],
    vips: isVoid ? [] : [...new Set(vips.flatMap((some) => some ?? []))].sort(),
    ports: isVoid
      ? []
      : portsOf(spec)
          .map((port) => truePort(spec, port, hasRun))
          .sort(),
  }
}

function healthOf({ hasHealthCheck }: SimulatedTask, isHealthy: boolean | undefined): string {
  if (isHealthy !== undefined) return isHealthy ? 'healthy' : 'unhealthy'
  return hasHealthCheck === true ? 'unchecked' : 'healthy'
}

/** The mappings of a pod are in its status: until it runs only the host's port is known. */
function truePort({ network, pod }: SimulatedTask, port: SimulatedPort, hasRun: boolean): string {
  if ((network ?? 'host') === 'host') return portText(port.port, undefined)
  const isEarly = pod !== undefined && !hasRun && port.hostPort !== undefined
  return portText(isEarly ? undefined : port.port, port.hostPort)
}

function portText(port: number | undefined, hostPort: number | undefined): string {
  return `${port ?? '?'}${hostPort === undefined ? '' : ` from ${hostPort}`}`
}

function portsOf({ ports }: SimulatedTask): readonly SimulatedPort[] {
  return ports ?? []
}
