/** The rows of the gossip measure: navstar, with memberlist as the baseline. */
import { percentile } from '../../src/demo/load/load-report.ts'
import { digits } from '../numbers.ts'
import type { Row } from '../table.ts'
import type { Delays, ScenarioReport } from './scenario.ts'

interface Line {
  readonly measure: string
  readonly of: (report: ScenarioReport) => number | undefined
  readonly target?: string
}

/** Over all who should have seen it; undefined unless all did. */
function share(delays: Delays, part: number): number | undefined {
  const seen = delays.filter((delay) => delay !== undefined)
  return seen.length === delays.length ? percentile(seen, part) : undefined
}

/** Per change, when the last one had it. */
function everywhere(changes: readonly Delays[]): Delays {
  return changes.map((delays) => share(delays, 1))
}

const LINES: readonly Line[] = [
  { measure: 'start of all to all know all, ms', of: ({ startMs }) => startMs },
  { measure: 'change at a node, p50, ms', of: ({ changes }) => share(changes.flat(), 0.5) },
  { measure: 'change at a node, p99, ms', of: ({ changes }) => share(changes.flat(), 0.99) },
  {
    measure: 'change everywhere, worst of 20, ms',
    of: ({ changes }) => share(everywhere(changes), 1),
    target: '≤ 1000',
  },
  { measure: 'killed: half avoid it, ms', of: ({ killed }) => share(killed.avoided, 0.5) },
  {
    measure: 'killed: all avoid it, ms',
    of: ({ killed }) => share(killed.avoided, 1),
    target: '≤ 1000',
  },
  { measure: 'killed: dead for all, ms', of: ({ killed }) => share(killed.dead, 1) },
  {
    measure: 'cut off: all avoid it, ms',
    of: ({ cut }) => share(cut.avoided, 1),
    target: '≤ 1000',
  },
  { measure: 'cut off: dead for all, ms', of: ({ cut }) => share(cut.dead, 1) },
  { measure: 'cable back to all know all, ms', of: ({ healedMs }) => healedMs },
  { measure: 'at rest, bytes/s sent by a node', of: ({ bytesPerSecond }) => bytesPerSecond },
  { measure: 'at rest, % of a core per node', of: ({ cpuPercent }) => cpuPercent },
  { measure: 'memory per node, MiB', of: ({ rssMib }) => rssMib },
]

/** The rows of one loss. */
export function rowsOf(
  subject: string,
  navstar: ScenarioReport | undefined,
  memberlist: ScenarioReport | undefined,
): Row[] {
  if (navstar === undefined) return [{ measure: 'gossip', subject, value: 'failed' }]
  const rows = LINES.map(({ measure, of, target }) => {
    const value = of(navstar)
    const baseline = memberlist === undefined ? undefined : of(memberlist)
    return {
      measure,
      subject,
      value: text(value),
      ...(memberlist === undefined ? {} : { baseline: text(baseline) }),
      ...ratioOf(value, baseline),
      ...(target === undefined ? {} : { target }),
    }
  })
  return [...rows, ...countRows(subject, navstar, memberlist)]
}

function ratioOf(value = Number.NaN, baseline = Number.NaN): Pick<Row, 'ratio'> {
  const ratio = value / baseline
  return Number.isFinite(ratio) ? { ratio: ratio.toPrecision(2) } : {}
}

function countRows(
  subject: string,
  navstar: ScenarioReport,
  memberlist: ScenarioReport | undefined,
): Row[] {
  const alarmText = (kind: 'doubted' | 'dead', { alarms }: ScenarioReport) =>
    `${alarms[kind]} in ${alarms.nodeHours.toFixed(2)} node-hours`
  const alarms = (kind: 'doubted' | 'dead') => ({
    measure: `false alarms, ${kind}`,
    subject,
    value: alarmText(kind, navstar),
    ...(memberlist === undefined ? {} : { baseline: alarmText(kind, memberlist) }),
    target: '0',
  })
  const { same } = navstar
  return [
    alarms('doubted'),
    alarms('dead'),
    {
      measure: 'after quiet, nodes that know the same',
      subject,
      value: same === undefined ? '–' : `${same.nodes} of ${same.of}`,
      target: 'all',
    },
  ]
}

function text(value: number | undefined): string {
  return value === undefined ? 'never' : digits(value)
}
