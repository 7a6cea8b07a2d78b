/** Which of the kernel's counts have series of their own, read once per scrape. */
import { formatEndpoint, parseServiceKey, type ServiceKey } from '../model/vip.ts'
import type { BackendStatistics, PlaneStatistics } from './plane.ts'

/** What is read. */
export interface Traffic {
  /** @throws NavstarError `KERNEL_READ_FAILED`, `BPF_MAP_FAILED` */
  readonly statistics: () => Promise<PlaneStatistics>
  /** Name below the zone, for named VIPs. */
  readonly nameOf: (key: ServiceKey) => string | undefined
}

/** How much has series of its own. */
export interface TrafficLimits {
  readonly backends: number
  readonly vips: number
}

/** E.g. `protocol="tcp", vip="11.0.0.1:80", name="web.marathon"`, for backends `backend` too. */
export type TrafficLabels = Readonly<
  Record<'protocol' | 'vip' | 'name', string> & { readonly backend?: string }
>

/** A row of statistics with its labels. */
export interface BackendTraffic {
  readonly labels: TrafficLabels
  readonly counted: BackendStatistics
}

/** A VIP with its connect times. */
export interface VipTraffic {
  readonly labels: TrafficLabels
  /** As of {@link BackendStatistics}, over all its backends. */
  readonly connectTimes: readonly number[]
}

/** What has series. */
export interface TrafficReading {
  readonly rows: readonly BackendTraffic[]
  readonly vips: readonly VipTraffic[]
  readonly leftOut: { readonly backend: number; readonly vip: number }
}

/** Reads once for all metrics of a scrape. */
export class TrafficReader {
  readonly #traffic: () => Traffic | undefined
  readonly #limits: TrafficLimits
  #reading: Promise<TrafficReading> | undefined
  /** What had series at the last scrape. */
  #shownBackends: ReadonlySet<string> = new Set()
  #shownVips: ReadonlySet<string> = new Set()

  constructor(traffic: () => Traffic | undefined, limits: TrafficLimits) {
    this.#traffic = traffic
    this.#limits = limits
  }

  /** Those that ask at once are given one reading. */
  read(): Promise<TrafficReading> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<TrafficReading> {
    const traffic = this.#traffic()
    // The other metrics are worth having when the kernel cannot be read; the health watch logs it.
    const statistics = await traffic?.statistics().catch(() => undefined)
    if (traffic === undefined || statistics === undefined) return NOTHING
    const all = [...statistics].flatMap(([key, backends]) =>
      backends.map((counted): Used => {
        const used = counted.connections ?? counted.activeConnections ?? 0
        return { id: `${key} ${formatEndpoint(counted)}`, used, key, counted: [counted] }
      }),
    )
    const vips = [...statistics].flatMap(([key, counted]): Used[] => {
      if (counted.every(({ connectTimes }) => connectTimes === undefined)) return []
      return [{ id: key, used: sumOf(counted), key, counted }]
    })
    const backends = choose(all, this.#shownBackends, this.#limits.backends)
    const histograms = choose(vips, this.#shownVips, this.#limits.vips)
    this.#shownBackends = new Set(backends.map(({ id }) => id))
    this.#shownVips = new Set(histograms.map(({ id }) => id))
    return {
      rows: backends.flatMap(({ key, counted }) => rowsOf(traffic, key, counted)),
      vips: histograms.map(({ key, counted }) => ({
        labels: labelsOf(traffic, key),
        connectTimes: addUp(counted),
      })),
      leftOut: {
        backend: all.length - backends.length,
        vip: vips.length - histograms.length,
      },
    }
  }
}

const NOTHING: TrafficReading = { rows: [], vips: [], leftOut: { backend: 0, vip: 0 } }

/** What may have series of its own. */
interface Used {
  readonly id: string
  /** How much. */
  readonly used: number
  readonly key: ServiceKey
  readonly counted: readonly BackendStatistics[]
}

/** Those that were shown before, then those that are used most: a series that comes and goes tells little. */
function choose(all: readonly Used[], shown: ReadonlySet<string>, limit: number): readonly Used[] {
  if (all.length <= limit) return all
  const old = all.filter(({ id }) => shown.has(id)).slice(0, limit)
  const others = all
    .filter(({ id }) => !shown.has(id))
    .sort((left, right) => right.used - left.used)
  return [...old, ...others.slice(0, limit - old.length)]
}

function rowsOf(
  traffic: Traffic,
  key: ServiceKey,
  counted: readonly BackendStatistics[],
): BackendTraffic[] {
  const labels = labelsOf(traffic, key)
  return counted.map((each) => ({
    labels: { ...labels, backend: formatEndpoint(each) },
    counted: each,
  }))
}

function labelsOf({ nameOf }: Traffic, key: ServiceKey): TrafficLabels {
  const service = parseServiceKey(key)
  const { protocol } = service
  return { protocol, vip: formatEndpoint(service), name: nameOf(key) ?? '' }
}

function sumOf(counted: readonly BackendStatistics[]): number {
  return counted.reduce((sum, { connections = 0 }) => sum + connections, 0)
}

function addUp(counted: readonly BackendStatistics[]): number[] {
  const sums: number[] = []
  for (const { connectTimes = [] } of counted) {
    for (const [power, count] of connectTimes.entries()) sums[power] = (sums[power] ?? 0) + count
  }
  return sums
}
