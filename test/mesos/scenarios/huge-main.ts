/**
 * Takes the framed snapshot in a file as the first of a stream, then once more as an audit does, and
 * prints what is known then and the memory it took, as JSON. A process of its own: others' memory
 * must not count. Arguments: file, content type.
 */
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { MasterFacts } from '../../../src/mesos/master/facts.ts'
import { RecordioDecoder } from '../../../src/mesos/recordio.ts'
import { reduceSnapshot } from '../../../src/mesos/records.ts'
import { inTurns } from '../../../src/mesos/snapshot/steps.ts'

/** What is known, and what it took. */
export interface HugeReport {
  readonly tasks: number
  readonly agents: number
  /** Tasks on the agent that the generator put them on. */
  readonly placed: number
  /** Resident memory at its most, above what the process had before: of the stream, of the audit. */
  readonly peakBytes: readonly [number, number]
}

const [path = '', contentType = ''] = process.argv.slice(2)
const facts = new MasterFacts()
const { signal } = new AbortController()
const beforeBytes = memoryBytes('VmRSS')

const first = await peakOf(async () => {
  const snapshot = await reduceSnapshot(await record(), contentType, { signal })
  await inTurns(facts.subscribing(snapshot, 0), signal)
})
// Audits come minutes later.
globalThis.gc?.()
const second = await peakOf(async () => {
  const audit = facts.beginAudit()
  const snapshot = await reduceSnapshot(await record(), contentType, { signal })
  await inTurns(facts.auditing(audit, snapshot, 1), signal)
})
const report: HugeReport = {
  tasks: facts.tasks.size,
  agents: facts.agents.size,
  placed: [...facts.tasks.values()].filter(isPlaced).length,
  peakBytes: [first, second],
}
console.log(JSON.stringify(report))

/** The record as a socket brings it. */
async function record(): Promise<Uint8Array> {
  const decoder = new RecordioDecoder({ maxRecordBytes: 2 ** 30 })
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const [whole] = decoder.push(chunk)
    if (whole !== undefined) return whole
  }
  throw new Error(`no record in ${path}`)
}

async function peakOf(work: () => Promise<void>): Promise<number> {
  // proc(5), clear_refs: 5 resets the peak.
  writeFileSync('/proc/self/clear_refs', '5')
  await work()
  return memoryBytes('VmHWM') - beforeBytes
}

function memoryBytes(field: string): number {
  const text = readFileSync('/proc/self/status', 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) * 1024
}

/** `service-7.instance-00000507-…` is the 507th task; there are ten on an agent. */
function isPlaced({ taskId, agentId, state }: { taskId: string; agentId: string; state: unknown }) {
  const index = Number(/instance-(\d+)/.exec(taskId)?.[1])
  return agentId.endsWith(`-S${Math.floor(index / 10)}`) && state === 'TASK_RUNNING'
}
