/**
 * Reads one framed SUBSCRIBED from a file as from a socket and prints what that took, as JSON.
 * Arguments: file, content type, `reduce` or `whole` (decode everything at once), a small file of
 * the same kind to warm up with.
 */
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { RecordioDecoder } from '../../src/mesos/recordio.ts'
import { decodeEvent, reduceSnapshot } from '../../src/mesos/records.ts'
import { snapshotSteps } from '../../src/mesos/snapshot/reduce.ts'

/** What a reading took. */
export interface ReadingReport {
  readonly tasks: number
  /** Until the last byte of the record was there. */
  readonly receiveMs: number
  /** From then until the snapshot was. */
  readonly readMs: number
  /** Processor time of the same. */
  readonly processorMs: number
  readonly stallMs: number
  /** Processor time of the longest of the steps between which others have their turn. */
  readonly stepMs: number
  /** Resident memory at its most, above what the process had before. */
  readonly peakBytes: number
}

const [path = '', contentType = '', how = '', smallPath = ''] = process.argv.slice(2)

for (let times = 0; times < 5; times++) await read(smallPath)
globalThis.gc?.()
const stall = monitorEventLoopDelay({ resolution: 1 })
stall.enable()
await sleep(200)
stall.reset()
// proc(5), clear_refs: 5 resets the peak.
writeFileSync('/proc/self/clear_refs', '5')
const beforeBytes = memoryBytes('VmRSS')
const times = await read(path)
await sleep(20)
const peakBytes = memoryBytes('VmHWM') - beforeBytes
const stallMs = stall.max / 1e6
const stepMs = how === 'reduce' ? await longestStepMs() : times.readMs
const report: ReadingReport = { ...times, stallMs, stepMs, peakBytes }
console.log(JSON.stringify(report))

async function read(
  file: string,
): Promise<Pick<ReadingReport, 'tasks' | 'receiveMs' | 'readMs' | 'processorMs'>> {
  const decoder = new RecordioDecoder({ maxRecordBytes: 2 ** 30 })
  const startMs = performance.now()
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (const record of decoder.push(chunk)) {
      const receivedMs = performance.now()
      const before = process.threadCpuUsage()
      const tasks = await tasksOf(record)
      return {
        tasks,
        receiveMs: receivedMs - startMs,
        readMs: performance.now() - receivedMs,
        processorMs: processorMsSince(before),
      }
    }
  }
  throw new Error(`no record in ${file}`)
}

async function tasksOf(record: Uint8Array): Promise<number> {
  if (how === 'reduce') return (await reduceSnapshot(record, contentType)).tasks.length
  const event = decodeEvent(record, contentType) as {
    subscribed: { get_state: { get_tasks: { tasks: unknown[] } } }
  }
  return event.subscribed.get_state.get_tasks.tasks.length
}

/** What else runs on the machine stretches a stall, but not this. */
async function longestStepMs(): Promise<number> {
  const decoder = new RecordioDecoder({ maxRecordBytes: 2 ** 30 })
  const [bytes = new Uint8Array(0)] = decoder.push(await readFile(path))
  const format = contentType.endsWith('json') ? 'json' : 'protobuf'
  const steps = snapshotSteps({ bytes, format, source: 'SUBSCRIBED' })
  let longestMs = 0
  for (let isDone = false; !isDone; ) {
    const before = process.threadCpuUsage()
    isDone = steps.next().done === true
    longestMs = Math.max(longestMs, processorMsSince(before))
  }
  return longestMs
}

function processorMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

function memoryBytes(field: string): number {
  const text = readFileSync('/proc/self/status', 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) * 1024
}
