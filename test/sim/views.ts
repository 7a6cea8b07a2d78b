/** What each daemon's tables show, made of the effects of its engine alone. */
import type { Effect } from '../../src/gossip/engine/effects.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { ClusterRecord, ClusterRecordId } from '../../src/model/record.ts'
import type { Host } from './host.ts'

/** Records of one owner, as one daemon shows them. */
export type Shown = ReadonlyMap<ClusterRecordId, ClusterRecord>

/** The tables of one daemon. */
export class View {
  readonly members: Map<NodeId, Member> = new Map()
  readonly records: Map<NodeId, Map<ClusterRecordId, ClusterRecord>> = new Map()

  recordsOf(owner: NodeId): Shown {
    return this.records.get(owner) ?? NOTHING
  }

  /** @returns owners whose rows changed */
  apply(effects: readonly Effect[]): ReadonlySet<NodeId> {
    let touched: Set<NodeId> | undefined
    for (const effect of effects) {
      if (effect.kind !== 'records' && effect.kind !== 'members') continue
      touched ??= new Set()
      if (effect.kind === 'records') this.#applyRecords(effect.changes, touched)
      else this.#applyMembers(effect.changes, touched)
    }
    return touched ?? NOBODY
  }

  #applyMembers(
    changes: readonly (readonly [NodeId, Member | undefined])[],
    touched: Set<NodeId>,
  ): void {
    for (const [node, member] of changes) {
      touched.add(node)
      if (member === undefined) this.members.delete(node)
      else this.members.set(node, member)
    }
  }

  #applyRecords(
    changes: readonly (readonly [ClusterRecordId, ClusterRecord | undefined])[],
    touched: Set<NodeId>,
  ): void {
    for (const [id, record] of changes) {
      const owner = id.slice(0, 32) as NodeId
      touched.add(owner)
      const rows = this.records.get(owner) ?? new Map<ClusterRecordId, ClusterRecord>()
      this.records.set(owner, rows)
      if (record === undefined) rows.delete(id)
      else rows.set(id, record)
    }
  }
}

const NOTHING: Shown = new Map()
const NOBODY: ReadonlySet<NodeId> = new Set()

/** The tables of all daemons that run. */
export class Views {
  readonly #views = new Map<Host, View>()

  open(host: Host): View {
    const view = new View()
    this.#views.set(host, view)
    return view
  }

  of(host: Host): View {
    return this.#views.get(host) ?? this.open(host)
  }
}

/** Why two sets of rows of one owner differ; undefined: they do not. */
export function differenceOf(shown: Shown, stated: Shown): string | undefined {
  for (const [id, record] of shown) {
    const own = stated.get(id)
    if (own === undefined) return `shows ${id.slice(33)}@${record.version}, which is not in it`
    if (own === record) continue
    const isEqual =
      own.version === record.version &&
      own.schema === record.schema &&
      own.node === record.node &&
      Buffer.compare(own.value, record.value) === 0
    if (!isEqual) return `shows another ${id.slice(33)}@${record.version} (its is @${own.version})`
  }
  for (const id of stated.keys()) if (!shown.has(id)) return `lacks ${id.slice(33)}`
  return undefined
}
