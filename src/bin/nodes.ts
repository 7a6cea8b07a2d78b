import { fetchAdmin } from '../admin/client.ts'
import type { NodesView, NodeView } from '../daemon/node-resources.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'
import { forgetNode } from './forget-node.ts'
import { columns } from './text-columns.ts'

/** `navstar nodes`: the cluster as this node sees it. */
export const nodesCommand: Command = {
  name: 'nodes',
  summary: 'List the nodes of the cluster and how they stand',
  description: [
    'Asks the running daemon. The node itself is marked with *. Exits with 1 when this node is cut',
    'off from all others.',
    '',
    'nodes forget ID lets all nodes forget one that does not come back, with its records, instead of',
    'keeping it for 24 h. ID is the id of a node, or how it begins. A node that is alive is refused; one',
    'that is doubted is forgotten once it is dead. Should it come back after all, it joins anew.',
  ].join('\n'),
  operands: '[forget ID]',
  flags: [JSON_FLAG, ...ADMIN_FLAGS],
  run,
}

const EXIT_USAGE = 64

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  const isJson = given.switches.has('json')
  const [verb, node, ...more] = given.operands
  if (verb === 'forget' && node !== undefined && more.length === 0) {
    await forgetNode(admin.listen, node, { isJson })
    return 0
  }
  if (verb !== undefined) {
    console.error('navstar nodes takes nothing, or forget ID. See navstar nodes --help.')
    return EXIT_USAGE
  }
  const view = (await fetchAdmin(admin.listen, '/v1/navstar/nodes')) as NodesView
  console.log(isJson ? JSON.stringify(view, null, 2) : nodesText(view))
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
    node.isEvicted ? `${node.state}, evicted` : node.state,
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
