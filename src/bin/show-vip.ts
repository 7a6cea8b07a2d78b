/** `navstar vips show NAME`: one VIP, its backends, and why each is in or out. */
import { fetchAdmin } from '../admin/client.ts'
import type { BackendView, VipDetails, VipDetailsView } from '../daemon/vip-resources.ts'
import { columns } from './text-columns.ts'

/** Prints a VIP. @returns the exit code: 1 when one of its addresses has no backend that is in */
export async function showVip(
  adminAddress: string,
  name: string,
  { isJson }: { readonly isJson: boolean },
): Promise<number> {
  const path = `/v1/navstar/vips/show?name=${encodeURIComponent(name)}`
  const view = (await fetchAdmin(adminAddress, path)) as VipDetailsView
  console.log(isJson ? JSON.stringify(view, null, 2) : detailsText(view))
  return view.vips.every(({ backends }) => backends.some(({ state }) => state === 'in')) ? 0 : 1
}

/** The VIPs as text: a head, then a line per backend. */
export function detailsText({ plane, vips }: VipDetailsView): string {
  return vips.flatMap((vip) => [...headLines(vip, plane), ...backendLines(vip)]).join('\n')
}

function headLines(vip: VipDetails, plane: string): string[] {
  const { protocol, address, name, state, isFormer, error, options, unsupported } = vip
  const former = isFormer ? ' (its former address)' : ''
  const reason = error === undefined ? '' : `: ${error.message}`
  const lines = [
    `${protocol} ${address}  ${name ?? '(no name)'}  ${state} by ${plane}${former}${reason}`,
  ]
  if (options !== '') lines.push(`  options: ${options}`)
  lines.push(...unsupported.map((text) => `  without ${text}`))
  if (vip.backends.every((backend) => backend.state !== 'in')) {
    lines.push('  no backend is in: connections are rejected')
  }
  return lines
}

function backendLines({ backends }: VipDetails): string[] {
  const shown = COUNTERS.filter(({ of }) => backends.some((backend) => of(backend) !== undefined))
  const heads = ['  backend', 'state', 'share', 'for', ...shown.map(({ head }) => head), 'why']
  const rows = backends.map((backend) => [
    `  ${backend.address}`,
    backend.state,
    `${Math.round(backend.share * 100)} %`,
    backend.forSeconds === undefined ? 'long' : durationText(backend.forSeconds),
    ...shown.map(({ of }) => of(backend) ?? '-'),
    backend.why,
  ])
  return backends.length === 0 ? [] : columns([heads, ...rows])
}

interface CounterColumn {
  readonly head: string
  readonly of: (backend: BackendView) => string | undefined
}

const COUNTERS: readonly CounterColumn[] = [
  { head: 'connections', of: ({ connections }) => connections?.toString() },
  { head: 'open', of: ({ activeConnections }) => activeConnections?.toString() },
  { head: 'failed', of: ({ failures }) => failures?.toString() },
  { head: 'resent', of: ({ retransmits }) => retransmits?.toString() },
  { head: 'sent', of: ({ bytesToBackend }) => bytesText(bytesToBackend) },
  { head: 'received', of: ({ bytesFromBackend }) => bytesText(bytesFromBackend) },
  { head: 'connect p50', of: ({ connectTimes }) => percentileText(connectTimes, 0.5) },
  { head: 'p99', of: ({ connectTimes }) => percentileText(connectTimes, 0.99) },
]

/** From a histogram by powers of two: the upper end of the bucket in which the percentile lies. */
export function percentileText(
  counts: readonly number[] | undefined,
  share: number,
): string | undefined {
  if (counts === undefined) return undefined
  const total = counts.reduce((sum, count) => sum + count, 0)
  let left = total * share
  const bucket = counts.findIndex((count) => {
    left -= count
    return count > 0 && left <= 0
  })
  if (bucket < 0) return undefined
  const microseconds = 2 ** bucket
  if (microseconds < 1000) return `≤ ${microseconds} µs`
  return `≤ ${(microseconds / 1000).toPrecision(3)} ms`
}

function bytesText(bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined
  const step = [1e9, 1e6, 1e3].findIndex((size) => bytes >= size)
  if (step < 0) return `${bytes} B`
  return `${(bytes / 10 ** (9 - 3 * step)).toFixed(1)} ${['GB', 'MB', 'kB'][step]}`
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}
