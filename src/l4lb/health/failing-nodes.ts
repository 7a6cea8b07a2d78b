import type { BackendRecord } from '../../model/backend-record.ts'
import type { NodeId } from '../../model/node-id.ts'
import { type EndpointKey, endpointKeyOf } from './health-engine.ts'

/** Other nodes that state these endpoints: what became of one may have become of its whole node. */
export function nodesOf(
  endpoints: readonly EndpointKey[],
  records: Iterable<BackendRecord>,
): ReadonlySet<NodeId> {
  const wanted = new Set(endpoints)
  const nodes = new Set<NodeId>()
  for (const record of records) {
    if (record.node === undefined || nodes.has(record.node)) continue
    if (wanted.has(endpointKeyOf(record.protocol, record))) nodes.add(record.node)
  }
  return nodes
}
