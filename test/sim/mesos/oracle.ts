/** Compares pictures of a cluster with the truth of its simulator, after quiet. */
import { idOf } from '../../../src/demo/agent/state.ts'
import type { SimulatedMaster } from '../../../src/demo/mesos/master.ts'
import { isTerminalState } from '../../../src/demo/mesos/messages.ts'
import { Violation } from '../violation.ts'
import type { Scene } from './scene.ts'
import type { KnownTask, Subject } from './subject.ts'

/** The leading master's truth. */
export interface Truth {
  /** Tasks that have not ended, by key. */
  readonly tasks: ReadonlyMap<string, KnownTask>
  /** Addresses of registered agents by id. */
  readonly agents: ReadonlyMap<string, string>
  /** Keys of tasks of which events told something else than the master knows. */
  readonly untold: ReadonlySet<string>
}

/** What the leading master knows. */
export function truthOf({ state }: SimulatedMaster): Truth {
  const tasks = new Map<string, KnownTask>()
  for (const agent of state.agents.values()) {
    for (const [key, task] of agent.tasks) {
      if (isTerminalState(task['state'])) continue
      tasks.set(key, { agentId: idOf(task, 'agent_id'), state: String(task['state']) })
    }
  }
  const addresses = [...state.agents.values()].map(({ id, agent }) => [id, agent.ip] as const)
  return { tasks, agents: new Map(addresses), untold: state.untold }
}

/**
 * A naive listener knows all tasks by the stream alone; the subject as well; and after an audit
 * the subject's picture is exact.
 *
 * @throws Violation
 */
export function compareToTruth(scene: Scene, subject?: Subject): void {
  const { cluster, listener, schedule, agents } = scene
  const { master } = cluster
  if (master === undefined) throw new Violation('calm', 'nobody leads')
  listener.order?.rest()
  const truth = truthOf(master)
  if (!listener.isListening) throw new Violation('calm', 'nobody listens')
  const told = new Map(
    [...(listener.order?.tasks ?? [])]
      .filter(([, { state }]) => isRunnable(state))
      .map(([key, { agentId, state }]) => [key, { agentId, state: String(state) }] as const),
  )
  expectEqual(['the naive listener', told], truth, truth.untold)
  if (subject === undefined) return
  expectEqual(['the stream', runnable(subject.tasks())], truth, truth.untold)
  expectAgents('the stream', subject, truth)
  listener.audit()
  schedule.runFor(0)
  expectEqual(['the audit', runnable(subject.tasks())], truth)
  expectAgents('the audit', subject, truth)
  expectAddresses(subject, truth)
  expectNoneGone(agents, subject, master)
}

/** Whether a task in this state is on a registered agent and has not ended. */
export function isRunnable(state: unknown): boolean {
  return !isTerminalState(state as string) && state !== 'TASK_UNREACHABLE'
}

function runnable(tasks: ReadonlyMap<string, KnownTask>): ReadonlyMap<string, KnownTask> {
  return new Map([...tasks].filter(([, { state }]) => isRunnable(state)))
}

function expectEqual(
  [by, said]: readonly [string, ReadonlyMap<string, KnownTask>],
  { tasks }: Truth,
  untold: ReadonlySet<string> = new Set(),
): void {
  const lines = [...new Set([...said.keys(), ...tasks.keys()])].flatMap((key) => {
    const [left, right] = [lineOf(said.get(key)), lineOf(tasks.get(key))]
    return left === right || untold.has(key) ? [] : [`${key}: said ${left}, is ${right}`]
  })
  if (lines.length > 0) throw new Violation(`tasks by ${by}`, lines.join('; '))
}

function expectAgents(by: string, subject: Subject, { agents }: Truth): void {
  const said = subject.agents()
  for (const id of agents.keys()) {
    if (!said.has(id)) throw new Violation(`agents by ${by}`, `${id} is missing`)
  }
}

function expectAddresses(subject: Subject, { agents }: Truth): void {
  for (const [id, address] of subject.agents()) {
    const real = agents.get(id)
    if (real !== address) throw new Violation('addresses', `${id}: said ${address}, is ${real}`)
  }
}

/** Who is said to be gone must not come back: an agent that only nobody hears of is not gone. */
function expectNoneGone(
  agents: Scene['agents'],
  subject: Subject,
  { state }: SimulatedMaster,
): void {
  for (const { id = '' } of agents) {
    const isSaid = subject.goneAgents().has(id) && !state.registry.gone.has(id)
    if (isSaid) throw new Violation('gone agents', `${id} may come back`)
  }
}

function lineOf(task: KnownTask | undefined): string {
  return task === undefined ? 'nothing' : `${task.state} on ${task.agentId}`
}
