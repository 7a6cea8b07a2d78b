/** The figures by size, loss and stalls as one table in Markdown. */
import { measureAlarms } from './alarms.ts'
import type { MeasureOptions } from './cluster.ts'
import { measureDetection } from './detection.ts'
import { millis } from './percentile.ts'
import { measureRest } from './rest.ts'
import { measureSpread } from './spread.ts'

/** What is measured, how long. */
export interface TableOptions {
  readonly sizes: readonly number[]
  /** Shares of packets, e.g. 0.05. */
  readonly losses: readonly number[]
  /** Of the nodes, in one more row; 0: no such row. */
  readonly stallingShare: number
  readonly nodeHours: number
  readonly changes: number
  readonly crashes: number
  readonly base: Omit<MeasureOptions, 'nodes' | 'owners' | 'recordsEach'>
}

type Row = readonly [measure: string, nodes: number, condition: string, result: string]

/** The measures by name. */
export const MEASURES: Readonly<Record<string, (options: TableOptions) => Iterable<Row>>> = {
  spread: spreadRows,
  detection: detectionRows,
  rest: restRows,
  alarms: alarmRows,
}

/** Runs the named measures, or all with `table`, and prints each row as it comes. */
export function printTable(
  name: string,
  options: TableOptions,
  print: (line: string) => void,
): boolean {
  const names = name === 'table' ? Object.keys(MEASURES) : [name]
  print('| measure | nodes | conditions | result |\n|---|---|---|---|')
  for (const each of names) {
    const measure = MEASURES[each]
    if (measure === undefined) return false
    for (const row of measure(options)) print(`| ${row.join(' | ')} |`)
  }
  return true
}

/** So many have records; a cluster of ten thousand would spend its time on bringing them up. */
function ownersOf(nodes: number): number {
  return nodes <= 1000 ? nodes : 50
}

function* spreadRows({ base, sizes, changes }: TableOptions): Iterable<Row> {
  for (const nodes of sizes) {
    for (const lossRate of [0, 0.05]) {
      const network = { ...base.network, lossRate }
      const owners = Math.min(ownersOf(nodes), 100)
      const spread = measureSpread({ ...base, network, nodes, owners, recordsEach: 10 }, changes)
      const { p50Ms, p99Ms, lastMs, bytesPerNodeAndChange, payloadBytes } = spread
      const times = `p50 ${millis(p50Ms)} ms, p99 ${millis(p99Ms)} ms, last ${millis(lastMs)} ms`
      const ratio = (bytesPerNodeAndChange / payloadBytes).toFixed(2)
      yield [
        'change is everywhere',
        nodes,
        `${percent(lossRate)} loss, ${changes} changes`,
        `${times}; ${bytesPerNodeAndChange.toFixed(0)} bytes per node and change = ${ratio} × payload (${payloadBytes})`,
      ]
    }
  }
}

function* detectionRows({ base, sizes, crashes }: TableOptions): Iterable<Row> {
  for (const nodes of sizes) {
    for (const lossRate of [0, 0.05]) {
      const network = { ...base.network, lossRate }
      const options = { ...base, network, nodes, owners: 0, recordsEach: 0 }
      const { p50Ms, p99Ms, lastMs } = measureDetection(options, crashes)
      yield [
        'dead node is avoided',
        nodes,
        `${percent(lossRate)} loss, ${crashes} crashes`,
        `p50 ${millis(p50Ms)} ms, p99 ${millis(p99Ms)} ms, last ${millis(lastMs)} ms`,
      ]
    }
  }
}

function* restRows({ base, sizes }: TableOptions): Iterable<Row> {
  for (const nodes of sizes) {
    for (const recordsEach of [1, 10, 100]) {
      const owners = Math.min(ownersOf(nodes), 200)
      const rest = measureRest({ ...base, nodes, owners, recordsEach }, 30)
      yield [
        'traffic at rest',
        nodes,
        `${owners * recordsEach} records`,
        `${rest.bytesPerNodeAndSecond.toFixed(0)} bytes, ${rest.packetsPerNodeAndSecond.toFixed(1)} packets per node and second`,
      ]
    }
  }
}

function* alarmRows({ base, sizes, losses, nodeHours, ...rest }: TableOptions): Iterable<Row> {
  for (const nodes of sizes) {
    const conditions = [
      ...losses.map((lossRate) => ({ lossRate, stallingShare: 0 })),
      ...(rest.stallingShare > 0 ? [{ lossRate: 0, stallingShare: rest.stallingShare }] : []),
    ]
    for (const { lossRate, stallingShare } of conditions) {
      const network = { ...base.network, lossRate }
      const options = { ...base, network, nodes, owners: 0, recordsEach: 0 }
      const alarms = measureAlarms(options, { nodeHours, stallingShare })
      const stalls =
        stallingShare === 0
          ? ''
          : `; ${alarms.stalledDoubts} doubts of stalled nodes in ${alarms.stalls} stalls`
      yield [
        'false alarms',
        nodes,
        `${percent(lossRate)} loss, ${percent(stallingShare)} of nodes stalling`,
        `${alarms.falseAlarms} in ${nodeHours} node-hours (${((alarms.falseAlarms / nodeHours) * 1e4).toFixed(2)} per 10,000)${stalls}`,
      ]
    }
  }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
