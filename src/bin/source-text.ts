/** What is stale, in words for whoever is woken by it: what, since when, what still works, what to do. */
import type { SourceView } from '../daemon/mesos-status.ts'

/** One line about a source. */
export function sourceText(view: SourceView): string {
  switch (view.source) {
    case 'agent':
      return agentText(view)
    case 'leader':
      return leaderText(view)
    case 'stream':
      return streamText(view)
  }
}

const AGENT_WORKS = {
  stale: 'VIPs stay as they were; tasks that start or end here are not seen.',
  searching: 'VIPs in the kernel stay; this node’s tasks are not known yet.',
}

function agentText(view: SourceView): string {
  const { from, state, mayBeAbsent, gone } = view
  if (state === 'current') return from
  if (state === 'absent') return 'no agent here (--mesos none): this node has no tasks of its own'
  if (gone !== undefined) {
    const { agent, by } = gone
    return `${what(view)}: agent ${agent} is gone for good, says ${by}. Its tasks were withdrawn. They come back with an agent that answers.`
  }
  const works = state === 'stale' ? AGENT_WORKS.stale : AGENT_WORKS.searching
  if (mayBeAbsent) {
    const todo = 'Start mesos-agent; on a node where none is meant to run, start navstar with'
    return `${what(view)}. ${works} ${todo} --mesos none.`
  }
  return `${what(view)}. ${works} ${todoOf(view, 'Start mesos-agent, or correct --mesos.')}`
}

function leaderText(view: SourceView): string {
  const { from, state, since, leader, problem } = view
  if (state === 'current') return `${leader} leads, says ${from}`
  if (state === 'missing') {
    const works = 'VIPs stay and follow each node’s own agent; only the masters’ news are missing.'
    return `no master leads since ${since}, says ${from}. ${works} See whether mesos-master runs and has its quorum.`
  }
  const works =
    leader === undefined
      ? 'VIPs do not need it, each node polls its own agent; no master is followed.'
      : `VIPs do not need it; the last known leader ${leader} is followed on, a new one would not be noticed.`
  return `${what(view)}. ${works} ${LEADER_TODOS[problem?.code ?? ''] ?? todoOf(view, '')}`
}

const LEADER_TODOS: Readonly<Record<string, string>> = {
  MASTERS_UNREADABLE: 'Check --masters: a master_list is a JSON array of addresses.',
  MASTER_UNKNOWN: 'Check --masters and that mesos-master runs there.',
  ZOOKEEPER_UNREACHABLE: 'Check --masters and that ZooKeeper has a quorum.',
}

const STREAM_WORKS =
  'VIPs do not need it, each node polls its own agent; only news take up to a poll longer.'

function streamText(view: SourceView): string {
  const { from, state, since, problem, audit, isReceiving } = view
  if (state === 'current' && audit === undefined) return from
  if (state === 'current') {
    const works = 'Events still come; what the master leaves out of them is not made up for.'
    return `${from} is followed, but its audits fail since ${audit?.since}: ${audit?.reason}. ${works} ${todoOf({ ...view, ...audit }, 'It is asked again within minutes.')}`
  }
  if (isReceiving) {
    return `${from} is subscribed to, its state is still on the way; not current since ${since}. ${STREAM_WORKS} Wait; if it lasts minutes, see how busy the master is.`
  }
  if (from === 'no leader' && problem === undefined) {
    return `there is no leader to follow since ${since}. ${STREAM_WORKS} See the line of the leader.`
  }
  return `${what(view)}. ${STREAM_WORKS} ${todoOf(view, 'See whether mesos-master runs there.')}`
}

/** What is wrong and since when. */
function what({ from, since, problem, reason }: SourceView): string {
  const verb = problem === undefined ? 'has not answered yet' : (VERBS[problem.code] ?? 'fails')
  return `${from} ${verb} since ${since}${reason === undefined ? '' : ` (${reason})`}`
}

const VERBS: Readonly<Record<string, string>> = {
  MASTERS_UNREADABLE: 'cannot be read',
  MASTER_SILENT: 'has been silent beyond its heartbeats',
  MASTER_UNKNOWN: 'does not tell who leads',
  MESOS_FORBIDDEN: 'refuses our credentials',
  MESOS_REDIRECT_LOOP: 'redirects in a circle',
  MESOS_RESPONSE_INVALID: 'answers what cannot be used',
  MESOS_RESPONSE_TOO_LARGE: 'answers more than is accepted',
  MESOS_UNAVAILABLE: 'is not ready yet',
  MESOS_UNREACHABLE: 'does not answer',
  MESOS_UNTRUSTED: 'shows a certificate that is not trusted',
  ZOOKEEPER_FORBIDDEN: 'refuses to be read',
  ZOOKEEPER_UNREACHABLE: 'does not answer',
}

/** What to do; the errors' own hints where these know best. */
function todoOf({ source, problem }: SourceView, ifUnreachable: string): string {
  if (problem === undefined) return 'It is being asked.'
  switch (problem.code) {
    case 'MESOS_UNREACHABLE':
      return ifUnreachable
    case 'MESOS_UNAVAILABLE':
      return source === 'agent'
        ? 'It recovers by itself; if that takes minutes, read the agent’s log.'
        : 'It recovers, or has no leader; if that takes minutes, read the master’s log.'
    case 'MESOS_RESPONSE_INVALID':
      return source === 'agent'
        ? 'Is --mesos the address of a Mesos agent (port 5051)?'
        : 'Is it a Mesos master (port 5050), and does it speak http or https as said?'
    default:
      return problem.hint
  }
}
