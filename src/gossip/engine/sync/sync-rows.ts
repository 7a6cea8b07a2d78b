/** What two nodes that compare rows have to tell each other. Pure. */
import type { NodeId } from '../../../model/node-id.ts'
import type { Membership } from '../membership/membership.ts'
import type { Message, SyncRow } from '../messages.ts'

/** The outcome of a comparison. */
export interface Comparison {
  /** For the peer: what it lacks, the versions that are held here, and what is wanted of it. */
  readonly messages: readonly Message[]
  /** What the peer holds and this node lacks. */
  readonly missing: readonly { readonly node: NodeId; readonly version: number }[]
}

/**
 * Compares rows.
 *
 * @param nodes own members to compare
 * @param strangers nodes that only the peer knows
 */
export function compareRows(
  membership: Membership,
  {
    nodes,
    strangers,
    theirs,
  }: {
    readonly nodes: readonly NodeId[]
    readonly strangers: readonly NodeId[]
    readonly theirs: ReadonlyMap<NodeId, SyncRow>
  },
): Comparison {
  const rows = nodes.flatMap((node) => membership.rowOf(node) ?? [])
  const pairs = rows.map((own) => ({ own, their: theirs.get(own.node) }))
  const news = rows.flatMap(({ node }) => newsFor(membership, node, theirs.get(node)))
  const older = pairs.filter(({ own, their }) => lacks(own, their)).map(({ own }) => own.node)
  const wanted = [...older, ...strangers]
  const entries = pairs
    .filter(({ own, their }) => own.held > (their?.held ?? 0))
    .map(({ own: { node, held } }) => ({ node, version: held }))
  const behind = pairs.filter(({ own, their }) => own.held < (their?.held ?? 0))
  const missing = [...behind.map(({ own }) => own.node), ...strangers].map((node) => ({
    node,
    version: theirs.get(node)?.held ?? 0,
  }))
  return {
    messages: [
      ...news,
      ...(entries.length > 0 ? [{ kind: 'have', entries } as const] : []),
      ...(wanted.length > 0 ? [{ kind: 'want-members', nodes: wanted } as const] : []),
    ],
    missing: missing.filter(({ version }) => version > 0),
  }
}

/** The statements about a node that someone with this row lacks. */
function newsFor(
  membership: Membership,
  node: NodeId,
  their: SyncRow | undefined,
): readonly Message[] {
  const announcement = membership.announcementOf(node)
  if (announcement === undefined) return []
  const { incarnation } = announcement
  if (their !== undefined && their.incarnation > incarnation) return []
  const isNewer = their === undefined || their.incarnation < incarnation
  const accusations = membership.suspicionOf(node)?.accusations ?? []
  return [
    ...(isNewer ? [announcement] : []),
    ...(isNewer || their?.isAccused === false ? accusations : []),
  ]
}

function lacks(own: SyncRow, their: SyncRow | undefined): boolean {
  if (their === undefined || their.incarnation < own.incarnation) return false
  return their.incarnation > own.incarnation || (their.isAccused && !own.isAccused)
}
