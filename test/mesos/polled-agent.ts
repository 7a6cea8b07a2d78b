/** A scripted agent under virtual time, and a poller of it. */
import { Registry } from 'prom-client'
import { NavstarError } from '../../src/base/error.ts'
import { type LogFields, silentLog } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { AgentCall } from '../../src/mesos/agent-client.ts'
import { MESOS_DEFAULTS } from '../../src/mesos/config.ts'
import type { Answer } from '../../src/mesos/http.ts'
import { mesosMetrics } from '../../src/mesos/metrics.ts'
import { Poller } from '../../src/mesos/poller.ts'
import type { Ip } from '../../src/model/ip.ts'
import { AGENT_IP } from './fixtures.ts'

/** An agent whose answers the test sets; it notes when it was asked. */
export class ScriptedAgent {
  readonly clock: VirtualClock = new VirtualClock()
  readonly askedAtMs: number[] = []
  readonly calls: AgentCall[] = []
  hostname = '10.0.0.1'
  state: string | NavstarError = stateOf()

  async call(type: AgentCall): Promise<Answer> {
    this.calls.push(type)
    if (type === 'GET_STATE') this.askedAtMs.push(this.clock.nowMs())
    if (this.state instanceof NavstarError) throw this.state
    return answerOf(type === 'GET_STATE' ? this.state : agentOf(this.hostname))
  }

  get waitsMs(): readonly number[] {
    return this.askedAtMs.slice(1).map((at, index) => at - (this.askedAtMs[index] ?? 0))
  }
}

function answerOf(text: string): Answer {
  return {
    status: 200,
    location: undefined,
    contentType: 'application/json',
    contentEncoding: 'identity',
    body: Buffer.from(text),
  }
}

function agentOf(hostname: string): string {
  return JSON.stringify({ type: 'GET_AGENT', get_agent: { agent_info: { hostname } } })
}

/** The agent's state with these tasks. */
export function stateOf(...tasks: readonly unknown[]): string {
  return JSON.stringify({
    type: 'GET_STATE',
    get_state: { get_tasks: { launched_tasks: tasks }, get_frameworks: {} },
  })
}

/** Thrown by an agent that does not answer. */
export function unreachable(
  code: 'MESOS_UNREACHABLE' | 'MESOS_UNAVAILABLE' = 'MESOS_UNREACHABLE',
): NavstarError {
  return new NavstarError(code, { attempt: 'test' })
}

/** A poller of a scripted agent. */
export interface PolledAgent {
  readonly agent: ScriptedAgent
  readonly poller: Poller
  readonly registry: Registry
  readonly lines: readonly { readonly message: string; readonly fields: LogFields }[]
  readonly poll: () => Promise<void>
}

/** Sets a poller up; it does not run by itself. */
export function setUp(address: { readonly agentIp?: Ip } = { agentIp: AGENT_IP }): PolledAgent {
  const agent = new ScriptedAgent()
  const registry = new Registry()
  const lines: { readonly message: string; readonly fields: LogFields }[] = []
  const note = (message: string, fields: LogFields = {}) => void lines.push({ message, fields })
  const poller = new Poller({
    options: { ...MESOS_DEFAULTS, ...address },
    agent,
    clock: agent.clock,
    random: seededRandom(7),
    log: { ...silentLog, warn: note, info: note },
    metrics: mesosMetrics(registry),
    lookupHost: () => Promise.reject(new Error('no resolver')),
  })
  const { signal } = new AbortController()
  return { agent, poller, registry, lines, poll: () => poller.poll(signal) }
}
