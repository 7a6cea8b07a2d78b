/** One backend changes while many VIPs are there: how long until the kernel has it. */
import { percentile } from '../src/demo/load/load-report.ts'
import { changeByNft, loadNftFile } from './nft-file.ts'
import { type ChangeKind, runNode } from './node.ts'
import { digits } from './numbers.ts'
import type { Places } from './places.ts'
import { PLANES } from './planes.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const BACKENDS = 10
const CHANGES = 600
const NFT_CHANGES = 100

/** Measures changes. */
export async function measureChange(places: Places, settings: Settings): Promise<Row[]> {
  const rows: Row[] = []
  for (const vips of settings.isLarge ? [1000, 10_000, 50_000] : [1000, 10_000]) {
    settings.say(`${vips} VIPs`)
    const host = places.host(`nft-${vips}`)
    const size = { vips, backends: BACKENDS }
    await loadNftFile(host, { ...size, directory: places.stateDirectory })
    const baseline = await changeByNft(host, { ...size, changes: NFT_CHANGES })
    for (const plane of PLANES) {
      const node = places.host(`${plane}-${vips}`)
      const { changes } = await runNode(node, { ...size, plane, changes: CHANGES })
      const subject = `${plane}, ${vips} VIPs`
      const all = Object.values(changes).flat()
      const target = vips > 10_000 ? 'p99 ≤ 10 ms' : 'p99 ≤ 5 ms'
      rows.push({ ...rowOf({ measure: 'any', subject, times: all, baseline }), target })
      for (const kind of Object.keys(changes) as ChangeKind[]) {
        rows.push(rowOf({ measure: kind, subject, times: changes[kind], baseline }))
      }
    }
  }
  return rows
}

interface Timed {
  readonly measure: string
  readonly subject: string
  readonly times: readonly number[]
  readonly baseline: readonly number[]
}

function rowOf({ measure, subject, times, baseline }: Timed): Row {
  return {
    measure: `one backend changes (${measure}), ms`,
    subject,
    value: percentilesText(times),
    baseline: `nft -f, replace: ${percentilesText(baseline)}`,
    ratio: (percentile(times, 0.5) / percentile(baseline, 0.5)).toFixed(2),
  }
}

function percentilesText(times: readonly number[]): string {
  const [median, high] = [percentile(times, 0.5), percentile(times, 0.99)]
  return `p50 ${digits(median)}, p99 ${digits(high)}`
}
