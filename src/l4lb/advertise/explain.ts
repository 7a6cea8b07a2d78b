/** Why each port of a task is a backend of a VIP, or is not. */
import { messageOf, type NavstarError } from '../../base/error.ts'
import { ERROR_CODES } from '../../base/error-codes.ts'
import type { Task, TaskPort } from '../../model/task.ts'
import { formatEndpoint } from '../../model/vip.ts'
import { advertise } from './advertise.ts'

/** What became of one VIP label of a port; of the port itself when it has none. */
export interface PortVerdict {
  /** E.g. `tcp 80 (host port 31000, http)`. */
  readonly port: string
  /** The label's value, e.g. `/web:80`. */
  readonly vip?: string
  /** `draining`: no new connections. */
  readonly verdict: 'backend' | 'draining' | 'none'
  readonly why: string
  /** Where it answers, e.g. `10.0.0.1:31000`. */
  readonly endpoints: readonly string[]
}

/** Explains each port and each of its labels. */
export function explainPorts(task: Task): readonly PortVerdict[] {
  return task.ports.flatMap((port): PortVerdict[] => {
    const text = portText(port)
    const why = 'it has no VIP label'
    if (port.vips.length === 0) return [{ port: text, verdict: 'none', why, endpoints: [] }]
    return port.vips.map((vip) => ({ port: text, vip, ...judge(task, { ...port, vips: [vip] }) }))
  })
}

function judge(task: Task, port: TaskPort): Pick<PortVerdict, 'verdict' | 'why' | 'endpoints'> {
  if (task.phase === 'other') {
    return { verdict: 'none', why: 'the agent does not say that it runs', endpoints: [] }
  }
  // What is stated is asked, so that the explanation cannot differ from it.
  const { records, problems } = advertise({ ...task, ports: [port] })
  const notes = problems.map(noteOf)
  if (records.length === 0) return { verdict: 'none', why: notes.join('; '), endpoints: [] }
  const endpoints = records.map(formatEndpoint)
  const isActive = records.some(({ weight }) => weight > 0)
  const reason = isActive ? 'the task runs and is healthy' : whyDraining(task)
  const why = [reason, ...notes].join('; ')
  return { verdict: isActive ? 'backend' : 'draining', why, endpoints }
}

/** A problem without what was attempted: the port and the label stand before it. */
function noteOf({ code, cause }: NavstarError): string {
  const { summary } = ERROR_CODES[code]
  const what = summary.startsWith('VIP')
    ? summary
    : `${summary.charAt(0).toLowerCase()}${summary.slice(1)}`
  return cause === undefined ? what : `${what}: ${messageOf(cause)}`
}

function whyDraining({ phase, health }: Task): string {
  if (phase === 'killing') return 'the task is being killed'
  return health === 'unchecked'
    ? 'its health check has no result yet'
    : 'its health check says that it is unhealthy'
}

function portText({ protocol, port, hostPort, name }: TaskPort): string {
  const host = hostPort === undefined ? undefined : `host port ${hostPort}`
  const notes = [host, name].filter((note) => note !== undefined)
  const head = port === undefined ? protocol : `${protocol} ${port}`
  return notes.length === 0 ? head : `${head} (${notes.join(', ')})`
}
