/** Everything at once: 5,000 VIPs with 50 backends each into an empty kernel; what it costs then. */
import { loadNftFile } from './nft-file.ts'
import { type NodeReport, runNode } from './node.ts'
import { digits, spreadOf } from './numbers.ts'
import type { Places } from './places.ts'
import { PLANES } from './planes.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const SIZE = { vips: 5000, backends: 50 } as const

/** Measures full synchronisation. */
export async function measureSync(places: Places, settings: Settings): Promise<Row[]> {
  settings.say(`${SIZE.vips} VIPs with ${SIZE.backends} backends each`)
  const host = places.host('nft')
  const nftMs = await loadNftFile(host, { ...SIZE, directory: places.stateDirectory })
  const rows: Row[] = []
  for (const plane of PLANES) {
    const report = await runNode(places.host(plane), { ...SIZE, plane, changes: 0 })
    rows.push(...rowsOf(plane, report, nftMs))
  }
  return rows
}

function rowsOf(subject: string, report: NodeReport, nftMs: number): Row[] {
  const { syncMs, deriveMs, auditMs, observeMs, rssBefore, rssFilled, rssAfter, rssPeak } = report
  const perBackend = (rssAfter - rssBefore) / SIZE.vips / SIZE.backends / 1024
  return [
    {
      measure: 'full sync of 5,000 × 50, s',
      subject,
      value: `${digits(syncMs / 1000)} (deriving ${digits(deriveMs / 1000)})`,
      baseline: `nft -f: ${digits(nftMs / 1000)}`,
      ratio: (syncMs / nftMs).toFixed(2),
      target: '≤ 5 s',
    },
    {
      measure: 'memory per backend then, KiB',
      subject,
      value: `${digits(perBackend)} (all ${mib(rssAfter)} MiB; before collection ${mib(rssFilled)}, peak ${mib(rssPeak)})`,
      baseline: `empty ${mib(rssBefore)} MiB`,
      target: '≤ 1 KiB',
    },
    { measure: 'audit then, ms', subject, value: digits(spreadOf(auditMs).median) },
    { measure: 'reading everything then, ms', subject, value: digits(observeMs) },
  ]
}

function mib(bytes: number): string {
  return digits(bytes / 2 ** 20)
}
