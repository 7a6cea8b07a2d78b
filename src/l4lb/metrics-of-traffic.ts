/**
 * What the kernel counted of VIPs and backends, for Prometheus: read when it asks. As many series as a
 * server bears: a node of a large cluster serves more backends than that, and uses few of them.
 */
import {
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  type MetricValueWithName,
  type Registry,
} from 'prom-client'
import type { BackendStatistics } from './plane.ts'
import {
  type Traffic,
  type TrafficLimits,
  TrafficReader,
  type TrafficReading,
  type VipTraffic,
} from './traffic-reading.ts'

/** How much has series of its own. */
const LIMITS: TrafficLimits = { backends: 1_000, vips: 200 }

const VIP_LABELS = ['protocol', 'vip', 'name'] as const
const LABELS = [...VIP_LABELS, 'backend'] as const

/** Defines the metrics. @param traffic asked for at each scrape */
export function defineTraffic(
  registry: Registry,
  traffic: () => Traffic | undefined,
  limits: TrafficLimits = LIMITS,
): void {
  const reader = new TrafficReader(traffic, limits)
  const read = () => reader.read()
  for (const [name, { help, of }] of Object.entries(COUNTERS)) {
    new ReadCounter(registry, { name, help, valuesOf: async () => valuesOf(await read(), of) })
  }
  for (const [name, { help, of }] of Object.entries(GAUGES)) {
    new ReadGauge(registry, { name, help, valuesOf: async () => valuesOf(await read(), of) })
  }
  new ConnectTimes(registry, async () => (await read()).vips)
  new Gauge({
    name: 'navstar_l4lb_traffic_left_out',
    help: `What the kernel counted and has no series of its own, by kind: backend (beyond ${limits.backends}), vip (beyond ${limits.vips}); those that are used most have one, and keep it`,
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const { leftOut } = await read()
      this.set({ kind: 'backend' }, leftOut.backend)
      this.set({ kind: 'vip' }, leftOut.vip)
    },
  })
}

interface Column {
  readonly help: string
  readonly of: (counted: BackendStatistics) => number | undefined
}

const COUNTERS: Readonly<Record<string, Column>> = {
  navstar_l4lb_backend_connections_total: {
    help: 'New connections to a backend through a VIP, or flows of UDP',
    of: ({ connections }) => connections,
  },
  navstar_l4lb_backend_failures_total: {
    help: 'Connections to a backend through a VIP that were never established',
    of: ({ failures }) => failures,
  },
  navstar_l4lb_backend_retransmits_total: {
    help: 'Segments that were sent again to a backend through a VIP',
    of: ({ retransmits }) => retransmits,
  },
  navstar_l4lb_backend_sent_bytes_total: {
    help: 'Bytes to a backend through a VIP, of connections that ended',
    of: ({ bytesToBackend }) => bytesToBackend,
  },
  navstar_l4lb_backend_received_bytes_total: {
    help: 'Bytes from a backend through a VIP, of connections that ended',
    of: ({ bytesFromBackend }) => bytesFromBackend,
  },
}

const GAUGES: Readonly<Record<string, Column>> = {
  navstar_l4lb_backend_active_connections: {
    help: 'Connections to a backend through a VIP that are open',
    of: ({ activeConnections }) => activeConnections,
  },
  navstar_l4lb_backend_pending_connections: {
    help: 'Connections to a backend through a VIP that wait to be established',
    of: ({ pendingConnections }) => pendingConnections,
  },
}

type Value = MetricValue<string>

function valuesOf({ rows }: TrafficReading, of: Column['of']): Value[] {
  const values: Value[] = []
  for (const { labels, counted } of rows) {
    const value = of(counted)
    if (value !== undefined) values.push({ labels, value })
  }
  return values
}

/** What a metric says of itself, and where its values come from. */
interface ReadMetric {
  readonly name: string
  readonly help: string
  readonly valuesOf: () => Promise<Value[]>
}

/** Its values are read, not counted here: kept by label they would cost ten times as much. */
class ReadCounter extends Counter {
  readonly #valuesOf: ReadMetric['valuesOf']

  constructor(registry: Registry, { name, help, valuesOf }: ReadMetric) {
    super({ name, help, labelNames: [...LABELS], registers: [registry] })
    this.#valuesOf = valuesOf
  }

  override async get(): Promise<MetricObjectWithValues<Value>> {
    return { ...(await super.get()), values: await this.#valuesOf() }
  }
}

class ReadGauge extends Gauge {
  readonly #valuesOf: ReadMetric['valuesOf']

  constructor(registry: Registry, { name, help, valuesOf }: ReadMetric) {
    super({ name, help, labelNames: [...LABELS], registers: [registry] })
    this.#valuesOf = valuesOf
  }

  override async get(): Promise<MetricObjectWithValues<Value>> {
    return { ...(await super.get()), values: await this.#valuesOf() }
  }
}

const CONNECT_TIMES = 'navstar_l4lb_vip_connect_duration_seconds'
/** Of the kernel's counts by powers of two of a microsecond, from 64 µs to 4 s. */
const BUCKETS = [6, 8, 10, 11, 12, 13, 14, 16, 18, 20, 22] as const
const secondsOf = (power: number): number => 2 ** power / 1e6

class ConnectTimes extends Histogram {
  readonly #vips: () => Promise<readonly VipTraffic[]>
  /** What a histogram says of itself. */
  readonly #blank: Histogram

  constructor(registry: Registry, vips: () => Promise<readonly VipTraffic[]>) {
    const definition = {
      name: CONNECT_TIMES,
      help: 'How long connections through a VIP took to be established; the sum is an estimate from counts by powers of two',
      labelNames: [...VIP_LABELS],
      buckets: BUCKETS.map(secondsOf),
    }
    super({ ...definition, registers: [registry] })
    this.#blank = new Histogram({ ...definition, registers: [] })
    this.#vips = vips
  }

  /** What the registry asks for its text; the parent's {@link Histogram.get} asks it too. */
  async getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = (await this.#vips()).flatMap(histogramOf)
    return { ...(await this.#blank.get()), values }
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.getForPromString()
  }
}

function histogramOf({ labels, connectTimes }: VipTraffic): MetricValueWithName<string>[] {
  const upTo = (power: number) =>
    connectTimes.slice(0, power + 1).reduce((sum, count) => sum + count, 0)
  const count = upTo(connectTimes.length)
  // In the middle of what each bucket holds.
  const sum = connectTimes.reduce((all, each, power) => all + each * 0.75 * secondsOf(power), 0)
  const bucket = (le: number | string, value: number): MetricValueWithName<string> => {
    return { metricName: `${CONNECT_TIMES}_bucket`, labels: { ...labels, le }, value }
  }
  return [
    ...BUCKETS.map((power) => bucket(secondsOf(power), upTo(power))),
    bucket('+Inf', count),
    { metricName: `${CONNECT_TIMES}_sum`, labels, value: sum },
    { metricName: `${CONNECT_TIMES}_count`, labels, value: count },
  ]
}
