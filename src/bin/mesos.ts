import { fetchAdmin } from '../admin/client.ts'
import type {
  AgentFacts,
  MasterFactsView,
  StatedBackend,
  TaskExplanation,
  TaskExplanations,
} from '../daemon/task-explanations.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'

/** `navstar mesos`: what is known of Mesos. */
export const mesosCommand: Command = {
  name: 'mesos',
  summary: 'Explain what is known of a task, from whom, and what became of its ports',
  description: [
    'Asks the running daemon. TASK is an id, <framework id>/<task id>, or the name of a task of this',
    'node; ask where it runs. Exits with 1 when nothing is known of it.',
  ].join('\n'),
  flags: [
    { name: 'explain', placeholder: 'TASK', help: 'The task to explain' },
    JSON_FLAG,
    ...ADMIN_FLAGS,
  ],
  run,
}

const EXIT_USAGE = 64

async function run(given: GivenFlags): Promise<number> {
  const { explain: task, ...values } = given.values
  const { admin } = await configOf({ ...given, values })
  if (task === undefined) {
    console.error('Which task? Add --explain TASK.')
    return EXIT_USAGE
  }
  const path = `/v1/navstar/mesos/tasks?task=${encodeURIComponent(task)}`
  const view = (await fetchAdmin(admin.listen, path)) as TaskExplanations
  const text = given.switches.has('json') ? JSON.stringify(view, null, 2) : textOf(task, view)
  console.log(text)
  return view.tasks.length > 0 ? 0 : 1
}

/** The explanations as text. */
export function textOf(wanted: string, { tasks, isMasterFollowed }: TaskExplanations): string {
  if (tasks.length > 0) return tasks.flatMap((task) => linesOf(task, isMasterFollowed)).join('\n')
  const whom = isMasterFollowed ? 'agent, master and cluster' : 'agent and cluster'
  return `nothing is known of task ${wanted}: ${whom} say nothing of it`
}

function linesOf(task: TaskExplanation, isMasterFollowed: boolean): string[] {
  const { key, agent, master, skipped, stated } = task
  return [
    `task ${key}`,
    ...(agent === undefined ? ['  this node’s agent does not run it'] : agentLines(agent)),
    ...masterLines(master, isMasterFollowed),
    ...skipped.map((detail) => `  left out: ${detail}`),
    ...(stated.length === 0 ? ['  no node states a backend'] : stated.map(statedLine)),
  ]
}

function agentLines(agent: AgentFacts): string[] {
  const { name, framework, phase, health, runtime, agentIp, addresses, ports } = agent
  const own = addresses.length === 0 ? 'no address' : addresses.join(', ')
  const head = `  agent ${agentIp}: ${name} of ${framework}, ${phase}, ${health}, ${runtime}, ${own}`
  if (ports.length === 0) return [head, '    no ports']
  return [
    head,
    ...ports.map(({ port, vip, verdict, why, endpoints }) => {
      const label = vip === undefined ? '' : ` for VIP ${vip}`
      const where = endpoints.length === 0 ? '' : ` at ${endpoints.join(', ')}`
      const what = { backend: 'a backend', draining: 'drains', none: 'no backend' }[verdict]
      return `    port ${port}${label}: ${what}${where}: ${why}`
    }),
  ]
}

function masterLines(master: MasterFactsView | undefined, isMasterFollowed: boolean): string[] {
  if (!isMasterFollowed) return ['  no master is followed here (--masters)']
  if (master === undefined) return ['  the leading master knows no such task']
  const { state = 'an unknown state', agentId, agentAddress, hostname } = master
  const where = agentAddress ?? hostname ?? 'whose address is not known'
  return [`  master: ${state} on agent ${agentId}, ${where}`]
}

function statedLine({ node, vip, endpoint, weight }: StatedBackend): string {
  const who = node === undefined ? 'this node' : `node ${node.slice(0, 8)}`
  return `  ${who} states: ${endpoint} for ${vip}, weight ${weight}`
}
