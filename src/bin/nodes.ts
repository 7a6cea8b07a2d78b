import { fetchAdmin } from '../admin/client.ts'
import type { NodesView, NodeView } from '../daemon/node-resources.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'
import { columns } from './text-columns.ts'

/** `navstar nodes`: the cluster as this node sees it. */
export const nodesCommand: Command = {
  name: 'nodes',
  summary: 'List the nodes of the cluster and how they stand',
  description: [
    'Asks the running daemon. The node itself is marked with *. Exits with 1 when this node is cut',
    'off from all others.',
  ].join('\n'),
  flags: [JSON_FLAG, ...ADMIN_FLAGS],
  run,
}

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  const view = (await fetchAdmin(admin.listen, '/v1/navstar/nodes')) as NodesView
  console.log(given.switches.has('json') ? JSON.stringify(view, null, 2) : nodesText(view))
  return view.isIsolated ? 1 : 0
}

/** The nodes as text, a line each. */
export function nodesText({ clusterId, isIsolated, isComplete, nodes }: NodesView): string {
  const where =
    clusterId === undefined ? 'no cluster: this node stands alone' : `cluster ${clusterId}`
  const note = isComplete ? '' : ' (still learning what the others have)'
  const alarm = isIsolated
    ? ['ISOLATED: every other node looks dead. This node is cut off; it keeps what it knew.']
    : []
  const heads = ['  id', 'address', 'state', 'incarnation', 'rtt ms', 'records', 'held', 'missing']
  return [...alarm, `${where}${note}`, ...columns([heads, ...nodes.map(nodeCells)])].join('\n')
}

function nodeCells(node: NodeView): string[] {
  return [
    `${node.isSelf ? '*' : ' '} ${node.id.slice(0, 8)}`,
    node.address,
    node.state,
    String(node.incarnation),
    node.isSelf ? '-' : (node.rttMs?.toFixed(1) ?? '?'),
    String(node.records),
    String(node.heldVersion),
    missingText(node),
  ]
}

function missingText({ heldVersion, knownVersion }: NodeView): string {
  if (knownVersion <= heldVersion) return '0'
  return heldVersion === 0 ? 'all' : String(knownVersion - heldVersion)
}
