import { fetchAdmin } from '../admin/client.ts'
import type { SourceView } from '../daemon/mesos-status.ts'
import type {
  AgentFacts,
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
    'Asks the running daemon. TASK is an id, <framework id>/<task id>, the name of a task of this node,',
    'or how one of them begins; ask where it runs. Exits with 1 when nothing is known of it.',
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
export function textOf(wanted: string, view: TaskExplanations): string {
  const { tasks, candidates, isMasterFollowed, agent } = view
  if (tasks.length > 0) return tasks.flatMap((task) => linesOf(task, view)).join('\n')
  if (candidates.length > 0) {
    return [
      `no task is called ${wanted}; these begin so:`,
      ...candidates.map((key) => `  ${key}`),
    ].join('\n')
  }
  const whom = [
    ...(agent.state === 'absent' ? [] : ['agent']),
    ...(isMasterFollowed ? ['master'] : []),
    'cluster',
  ]
  const who = new Intl.ListFormat('en-GB').format(whom)
  const lines = [
    `nothing is known of task ${wanted}: ${who} ${whom.length === 1 ? 'says' : 'say'} nothing of it`,
  ]
  if (agent.state === 'stale' || agent.state === 'searching') lines.push(unreadLine(agent))
  return lines.join('\n')
}

function linesOf(task: TaskExplanation, view: TaskExplanations): string[] {
  const { key, agent, skipped, stated } = task
  return [
    `task ${key}`,
    ...(agent === undefined ? [absentLine(view.agent)] : agentLines(agent, view.agent)),
    ...masterLines(task, view),
    ...skipped.map((detail) => `  left out: ${detail}`),
    ...(stated.length === 0 ? ['  no node states a backend'] : stated.map(statedLine)),
  ]
}

/** Why the agent says nothing. */
function absentLine(source: SourceView): string {
  switch (source.state) {
    case 'absent':
      return '  no agent runs on this node (--mesos none)'
    case 'stale':
    case 'searching':
      return unreadLine(source)
    default:
      return '  this node’s agent does not run it'
  }
}

/** That the agent may well run what we do not know of. */
function unreadLine({ state, since }: SourceView): string {
  const when = state === 'stale' ? 'is not read since' : 'has not answered yet, since'
  return `  this node’s agent ${when} ${since}: it may run what is not known here; see navstar status`
}

/** `healthy` is also what a task without checks counts as, so it is told of those that run only. */
const PHASES = { running: 'running', killing: 'being killed', other: 'not running' } as const

function agentLines(agent: AgentFacts, { state, since }: SourceView): string[] {
  const { name, framework, phase, health, runtime, agentIp, addresses, ports } = agent
  const own = addresses.length === 0 ? 'no address' : addresses.join(', ')
  const how = phase === 'other' ? PHASES.other : `${PHASES[phase]}, ${health}`
  const age = state === 'current' ? '' : ` (as it was before ${since}: the agent is not read)`
  const head = `  agent ${agentIp}: ${name} of ${framework}, ${how}, ${runtime}, ${own}${age}`
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

function masterLines({ key, agent, master }: TaskExplanation, view: TaskExplanations): string[] {
  const { isMasterFollowed, masterStaleSince } = view
  if (!isMasterFollowed) return ['  no master is followed here (--masters)']
  const age = masterStaleSince === undefined ? '' : ` (not current since ${masterStaleSince})`
  if (master === undefined) return [`  the leading master knows no such task${age}`]
  const { state = 'an unknown state', agentId, agentAddress, hostname } = master
  const where = agentAddress ?? hostname
  const line = `  master: ${state} on agent ${agentId}, ${where ?? 'whose address is not known'}${age}`
  if (agent !== undefined || where === undefined) return [line]
  return [line, `  more on its node, ${where}: navstar mesos --explain ${key}`]
}

function statedLine({ node, vip, endpoint, weight }: StatedBackend): string {
  const who = node === undefined ? 'this node' : `node ${node.slice(0, 8)}`
  return `  ${who} states: ${endpoint} for ${vip}, weight ${weight}`
}
