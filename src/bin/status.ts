import { fetchAdmin } from '../admin/client.ts'
import type { GossipStatusView } from '../daemon/node-resources.ts'
import type { StatusView } from '../daemon/resources.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'
import { sourceText } from './source-text.ts'
import { columns } from './text-columns.ts'

/** `navstar status`: whether what the daemon goes by is current. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Show what the daemon goes by, and what of it is stale and since when',
  description: [
    'Asks the running daemon. What is stale is used on: VIPs stay as they were. Exits with 1 when',
    'something is stale, the node is cut off, or the kernel cannot be brought in line.',
  ].join('\n'),
  flags: [JSON_FLAG, ...ADMIN_FLAGS],
  run,
}

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  const view = (await fetchAdmin(admin.listen, '/v1/navstar/status')) as StatusView
  console.log(given.switches.has('json') ? JSON.stringify(view, null, 2) : statusText(view))
  return isWell(view) ? 0 : 1
}

/** Whether everything is current and as it should be. */
export function isWell({ l4lb, gossip, mesos }: StatusView): boolean {
  const isCurrent = mesos.sources.every(({ state }) => state === 'current' || state === 'absent')
  return isCurrent && !gossip.isIsolated && l4lb.lastError === undefined
}

/** The status as text, a line per part. */
export function statusText(view: StatusView): string {
  const { plane, l4lb, gossip, mesos } = view
  const kernel = l4lb.lastError?.message ?? (l4lb.isInSync ? 'as it should be' : 'being changed')
  return columns([
    ['plane', l4lb.lastError === undefined ? 'current' : 'failing', `${plane.kind}: ${kernel}`],
    ['gossip', gossip.isIsolated ? 'isolated' : 'current', gossipText(gossip)],
    ...mesos.sources.map((view) => [view.source, view.state, sourceText(view)]),
  ]).join('\n')
}

function gossipText({ clusterId, isComplete, members, missingVersions }: GossipStatusView): string {
  if (clusterId === undefined) return 'no cluster: this node stands alone'
  const states = Object.entries(members).filter(([state, count]) => state === 'alive' || count > 0)
  const counts = states.map(([state, count]) => `${count} ${state}`).join(', ')
  const behind = missingVersions === 0 ? '' : `; newer records known of ${missingVersions}`
  return `cluster ${clusterId}: ${counts}${behind}${isComplete ? '' : '; still learning'}`
}
