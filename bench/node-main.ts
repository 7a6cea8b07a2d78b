/**
 * The VIP part of a node in a process of its own, through the code that the daemon runs: fills a
 * plane, changes backends, audits. Takes a {@link NodeOrder} and prints a {@link NodeReport}, both
 * as JSON.
 */
import { Registry } from 'prom-client'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { seededRandom, systemRandom } from '../src/base/random.ts'
import { Scope } from '../src/base/scope.ts'
import { Table } from '../src/base/table.ts'
import { startL4lb } from '../src/l4lb/l4lb.ts'
import type { Plane } from '../src/l4lb/plane.ts'
import type { BackendRecord, BackendRecordKey } from '../src/model/backend-record.ts'
import type { ChangeKind, NodeOrder, NodeReport } from './node.ts'
import { openPlaneAt } from './planes.ts'
import { syntheticRecord, VIP_RANGE } from './synthetic.ts'

type Records = Table<BackendRecordKey, BackendRecord>
type RecordChanges = readonly (readonly [BackendRecordKey, BackendRecord | undefined])[]

const order = JSON.parse(process.argv[2] ?? '{}') as NodeOrder
const applied = watchOperations()
const scope = new Scope((error) => {
  throw error
})
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`)
} finally {
  await scope.close()
}

async function measure(): Promise<NodeReport> {
  const rssBefore = rssBytes()
  const records: Records = new Table()
  const plane = await openPlaneAt(order.plane, order.places)
  const empty = applied.after(1)
  startL4lb({
    plane: applied.watch(plane),
    ranges: [VIP_RANGE],
    records,
    problems: () => [],
    nodeIp: () => undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    registry: new Registry(),
    scope,
  })
  await empty // the repair that makes the plane's own structure
  const filled = await fill(records)
  const rssFilled = process.memoryUsage.rss()
  return {
    ...filled,
    rssBefore,
    rssFilled,
    rssAfter: rssBytes(),
    rssPeak: process.resourceUsage().maxRSS * 1024,
    auditMs: await auditTimes(plane),
    observeMs: await observeTime(),
    changes: await changeTimes(records),
  }
}

async function fill(records: Records): Promise<Pick<NodeReport, 'syncMs' | 'deriveMs'>> {
  const { vips, backends } = order
  const rows = Array.from({ length: vips * backends }, (_, index) => {
    const record = syntheticRecord(Math.floor(index / backends), index)
    return [record.key, record] as const
  })
  const done = applied.after(vips)
  const startMs = systemClock.nowMs()
  records.update(rows, true)
  const derivedMs = systemClock.nowMs()
  await done
  return { syncMs: systemClock.nowMs() - startMs, deriveMs: derivedMs - startMs }
}

async function auditTimes(plane: Plane): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count < 5; count++) {
    const startMs = systemClock.nowMs()
    if (!(await plane.audit())) throw new Error('the audit found a difference')
    times.push(systemClock.nowMs() - startMs)
  }
  return times
}

/** A plane that knows nothing reads everything, as after a start. */
async function observeTime(): Promise<number> {
  const plane = await openPlaneAt(order.plane, order.places)
  const startMs = systemClock.nowMs()
  const { services, defects } = await plane.observe()
  const durationMs = systemClock.nowMs() - startMs
  await plane.close()
  if (services.size !== order.vips || defects.length > 0) throw new Error(`observed ${defects}`)
  return durationMs
}

/** Changes at random moments: some meet an audit, as in life. */
async function changeTimes(records: Records): Promise<Record<ChangeKind, number[]>> {
  const times: Record<ChangeKind, number[]> = { replace: [], drain: [], remove: [], add: [] }
  const random = seededRandom(1)
  for (let round = 0; round * 5 < order.changes; round++) {
    const vip = Math.floor(random.next() * order.vips)
    for (const [kind, changes] of changesOf(vip, round)) {
      await systemClock.sleep(random.next() * 20, { signal: scope.signal })
      const done = applied.after(1)
      const startMs = systemClock.nowMs()
      records.update(changes)
      await done
      times[kind].push(systemClock.nowMs() - startMs)
    }
  }
  return times
}

/** A life of one backend of the VIP; at its end there is another in its place. */
function changesOf(vip: number, round: number): [ChangeKind, RecordChanges][] {
  const { vips, backends } = order
  const fresh = vips * backends + round * 2
  const first = syntheticRecord(vip, vip * backends + (round % backends))
  const [second, third] = [syntheticRecord(vip, fresh), syntheticRecord(vip, fresh + 1)]
  return [
    ['replace', [put(second), [first.key, undefined]]],
    ['drain', [put(syntheticRecord(vip, fresh, 0))]],
    ['drain', [put(second)]], // and back: the removal of a drained one is no change to nftables
    ['remove', [[second.key, undefined]]],
    ['add', [put(third)]],
  ]
}

function put(record: BackendRecord): readonly [BackendRecordKey, BackendRecord] {
  return [record.key, record]
}

/** Tells when a plane has carried out so many operations from now on. */
function watchOperations(): {
  watch: (plane: Plane) => Plane
  after: (count: number) => Promise<void>
} {
  let waiting = 0
  let resolve = (): void => undefined
  return {
    watch: (plane) => {
      const apply = plane.apply.bind(plane)
      plane.apply = async (operations) => {
        const outcomes = await apply(operations)
        const failed = outcomes.find(({ error }) => error !== undefined)
        if (failed !== undefined) throw failed.error
        waiting -= operations.length
        if (waiting <= 0) resolve()
        return outcomes
      }
      return plane
    },
    after: (count) => {
      const pending = Promise.withResolvers<void>()
      waiting = count
      resolve = pending.resolve
      return pending.promise
    },
  }
}

/** What is needed: without `last-resort`, V8 keeps half-empty pages until memory is short. */
function rssBytes(): number {
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  return process.memoryUsage.rss()
}
