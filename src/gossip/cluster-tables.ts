/** Members and records as tables: what the engine says in one turn of the event loop is one revision. */
import type { Scope } from '../base/scope.ts'
import { Table } from '../base/table.ts'
import { endOfTurn } from '../base/turn.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'
import type { ClusterRecord, ClusterRecordId } from '../model/record.ts'

/** Gathers changes and publishes them at the end of the turn. */
export class ClusterTables {
  readonly members: Table<NodeId, Member> = new Table()
  /** Complete after the first anti-entropy. */
  readonly records: Table<ClusterRecordId, ClusterRecord> = new Table()
  readonly #scope: Scope
  readonly #members = new Map<NodeId, Member | undefined>()
  readonly #records = new Map<ClusterRecordId, ClusterRecord | undefined>()
  #isComplete = false
  #isScheduled = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Members changed; undefined: forgotten. */
  noteMembers(changes: Iterable<readonly [NodeId, Member | undefined]>): void {
    for (const [id, member] of changes) this.#members.set(id, member)
    this.#schedule()
  }

  /** Records changed; undefined: gone. */
  noteRecords(changes: Iterable<readonly [ClusterRecordId, ClusterRecord | undefined]>): void {
    for (const [id, record] of changes) this.#records.set(id, record)
    this.#schedule()
  }

  /** From now on what is not there does not exist. */
  noteComplete(): void {
    this.#isComplete = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#scope.run(async () => {
      await endOfTurn()
      this.#publish()
    })
  }

  /** Members first: whoever follows the records looks up the state of their node. */
  #publish(): void {
    this.#isScheduled = false
    const [members, records] = [[...this.#members], [...this.#records]]
    this.#members.clear()
    this.#records.clear()
    this.members.update(members, this.#isComplete)
    this.records.update(records, this.#isComplete)
  }
}
