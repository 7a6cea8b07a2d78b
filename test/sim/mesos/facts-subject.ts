/** The product from bytes to facts: RecordIO, decoders and {@link MasterFacts}. */
import { type BegunAudit, MasterFacts } from '../../../src/mesos/master/facts.ts'
import type { FactsChange } from '../../../src/mesos/master/ledger.ts'
import { readMasterEvent } from '../../../src/mesos/master/master-event.ts'
import { RecordioDecoder } from '../../../src/mesos/recordio.ts'
import { decodeEvent, isSnapshot } from '../../../src/mesos/records.ts'
import { type SnapshotSource, snapshotSteps } from '../../../src/mesos/snapshot/reduce.ts'
import type { Snapshot } from '../../../src/mesos/snapshot/snapshot.ts'
import type { Ear } from './listener.ts'
import type { KnownTask, Subject } from './subject.ts'

/** Facts behind the ear of a listener. */
export class FactsSubject implements Subject, Ear {
  readonly ear: Ear = this
  readonly facts: MasterFacts = new MasterFacts()
  readonly #gone = new Set<string>()
  #decoder = new RecordioDecoder({ maxRecordBytes: 1 << 24 })
  #contentType = ''
  #audit: BegunAudit | undefined
  #nowMs: () => number = () => 0

  begin(contentType: string): void {
    this.#contentType = contentType
    this.#decoder = new RecordioDecoder({ maxRecordBytes: 1 << 24 })
  }

  starts(nowMs: () => number): void {
    this.#nowMs = nowMs
  }

  hear(bytes: Uint8Array): void {
    for (const record of this.#decoder.push(bytes)) this.#note(this.#take(record))
  }

  lose(): void {
    this.facts.dropAudit()
  }

  beginAudit(): void {
    this.#audit = this.facts.beginAudit()
  }

  audited(bytes: Uint8Array, contentType: string): void {
    if (this.#audit === undefined) return
    const snapshot = reduce(bytes, contentType, 'GET_STATE')
    this.#note(this.facts.audited(this.#audit, snapshot, this.#nowMs()))
  }

  tasks(): ReadonlyMap<string, KnownTask> {
    this.#note(this.facts.apply({ kind: 'nothing' }, this.#nowMs()))
    return this.facts.tasks
  }

  agents(): ReadonlyMap<string, string | undefined> {
    return new Map([...this.facts.agents].map(([id, { address }]) => [id, address]))
  }

  goneAgents(): ReadonlySet<string> {
    return this.#gone
  }

  #take(record: Uint8Array): FactsChange {
    const nowMs = this.#nowMs()
    const contentType = this.#contentType
    if (isSnapshot(record, contentType)) {
      return this.facts.subscribed(reduce(record, contentType, 'SUBSCRIBED'), nowMs)
    }
    return this.facts.apply(readMasterEvent(decodeEvent(record, contentType)), nowMs)
  }

  #note({ gone }: FactsChange): void {
    for (const { agentId } of gone) this.#gone.add(agentId)
  }
}

/** Opens facts that hear bytes. */
export function openMasterFacts(): Subject {
  return new FactsSubject()
}

/** Reduces a snapshot in one go: virtual time stands still meanwhile. */
function reduce(bytes: Uint8Array, contentType: string, source: SnapshotSource): Snapshot {
  const format = contentType === 'application/json' ? 'json' : 'protobuf'
  const steps = snapshotSteps({ bytes, format, source })
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
