/** The state that a master tells a subscriber first: what reading it takes, and what it holds up. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { digits, spreadOf, spreadText } from './numbers.ts'
import type { Places } from './places.ts'
import type { Settings } from './settings.ts'
import type { ReadingReport } from './subscribed/reader-main.ts'
import { type Format, writeSubscribed } from './subscribed/synthetic.ts'
import type { Row } from './table.ts'

const SIZES = [10_000, 100_000] as const
const SMALL = 300
const CONTENT_TYPE = { json: 'application/json', protobuf: 'application/x-protobuf' } as const

const run = promisify(execFile)

/** Measures the reading of SUBSCRIBED, against decoding all of it at once. */
export async function measureSubscribed(places: Places, settings: Settings): Promise<Row[]> {
  const rows: Row[] = []
  for (const tasks of SIZES) {
    const medians: number[] = []
    const sizes: number[] = []
    for (const format of ['protobuf', 'json'] as const) {
      settings.say(`SUBSCRIBED of ${tasks} tasks, ${format}`)
      const {
        rows: found,
        sizeBytes,
        processorMs,
      } = await measureOne(places, settings, { tasks, format })
      rows.push(...found)
      medians.push(processorMs)
      sizes.push(sizeBytes)
    }
    rows.push({
      measure: `SUBSCRIBED of ${thousands(tasks)} tasks`,
      subject: 'protobuf ÷ JSON',
      value: `processor time ${quotient(medians)}, size ${quotient(sizes)}`,
    })
  }
  return rows
}

interface Subscribed {
  readonly tasks: number
  readonly format: Format
}

async function measureOne(
  places: Places,
  settings: Settings,
  subscribed: Subscribed,
): Promise<{ rows: Row[]; sizeBytes: number; processorMs: number }> {
  const file = join(places.stateDirectory, `subscribed.${subscribed.format}`)
  const small = `${file}.small`
  await writeSubscribed(small, { ...subscribed, tasks: SMALL })
  const sizeBytes = await writeSubscribed(file, subscribed)
  const read = async (how: 'reduce' | 'whole'): Promise<ReadingReport> => {
    const program = join(import.meta.dirname, 'subscribed', 'reader-main.ts')
    const flags = ['--expose-gc', '--max-old-space-size=8192', program]
    const type = CONTENT_TYPE[subscribed.format]
    const { stdout } = await run(process.execPath, [...flags, file, type, how, small])
    const report = JSON.parse(stdout) as ReadingReport
    if (report.tasks !== subscribed.tasks) throw new Error(`${report.tasks} tasks were read`)
    return report
  }
  const reports: ReadingReport[] = []
  for (let repeat = 0; repeat < settings.repeats; repeat++) reports.push(await read('reduce'))
  const rows = rowsOf(subscribed, { reports, whole: await read('whole'), sizeBytes })
  return {
    rows,
    sizeBytes,
    processorMs: spreadOf(reports.map(({ processorMs }) => processorMs)).median,
  }
}

function rowsOf(
  { tasks, format }: Subscribed,
  found: { reports: readonly ReadingReport[]; whole: ReadingReport; sizeBytes: number },
): Row[] {
  const { reports, whole, sizeBytes } = found
  const name = `SUBSCRIBED of ${thousands(tasks)} tasks`
  const of = (pick: (report: ReadingReport) => number) => spreadText(spreadOf(reports.map(pick)))
  const relative = ({ peakBytes }: ReadingReport) => peakBytes / sizeBytes
  return [
    {
      measure: `${name}, ms to read ${digits(sizeBytes / 2 ** 20)} MiB`,
      subject: format,
      value: `${of(({ readMs }) => readMs)}, processor ${of(({ processorMs }) => processorMs)}`,
      baseline: `decode all: ${digits(whole.readMs)}`,
    },
    {
      measure: `${name}, longest stall of the event loop, ms`,
      subject: format,
      value: of(({ stallMs }) => stallMs),
      baseline: `decode all: ${digits(whole.stallMs)}`,
      ...(tasks === SIZES[0] ? { target: '≤ 20' } : {}),
    },
    {
      measure: `${name}, longest step, ms of processor time`,
      subject: format,
      value: of(({ stepMs }) => stepMs),
    },
    {
      measure: `${name}, peak memory ÷ its size`,
      subject: format,
      value: of(relative),
      baseline: `decode all: ${digits(relative(whole))}`,
      target: '≤ 3',
    },
  ]
}

function quotient([protobuf = Number.NaN, json = Number.NaN]: readonly number[]): string {
  return (protobuf / json).toFixed(2)
}

function thousands(count: number): string {
  return count.toLocaleString('en-US')
}
