/** The present call of the engine: what time it is, and what came of it. */
import type { NodeId } from '../../model/node-id.ts'
import type { ClusterRecord, ClusterRecordId } from '../../model/record.ts'
import type { Effect, EngineEvent } from './effects.ts'

/** Collects what a call changes; the engine's parts share one. */
export class Turn {
  #nowMs = 0
  #effects: Effect[] = []
  #members = new Set<NodeId>()
  #records: (readonly [ClusterRecordId, ClusterRecord | undefined])[] = []

  /** Milliseconds that only grow. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Begins a call. */
  begin(nowMs: number): void {
    this.#nowMs = nowMs
  }

  emit(event: EngineEvent): void {
    this.#effects.push({ kind: 'event', event })
  }

  effect(effect: Effect): void {
    this.#effects.push(effect)
  }

  /** The member's row changed. */
  touch(node: NodeId): void {
    this.#members.add(node)
  }

  /** A record changed. */
  changeRecord(id: ClusterRecordId, record: ClusterRecord | undefined): void {
    this.#records.push([id, record])
  }

  /** Members that changed since the last {@link Turn.end}. */
  get touched(): ReadonlySet<NodeId> {
    return this.#members
  }

  /** What came of the call: records before members before everything else. */
  end(memberEffect: Effect | undefined): readonly Effect[] {
    const effects = this.#effects
    if (memberEffect !== undefined) effects.unshift(memberEffect)
    if (this.#records.length > 0) effects.unshift({ kind: 'records', changes: this.#records })
    this.#effects = []
    if (this.#records.length > 0) this.#records = []
    if (this.#members.size > 0) this.#members = new Set()
    return effects
  }
}
