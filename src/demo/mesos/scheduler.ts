import type { Json, JsonMessage } from '../agent/json.ts'

/** What a framework is. */
export interface FrameworkSpec {
  readonly id: string
  readonly name: string
  /** Default: TASK_KILLING_STATE and PARTITION_AWARE, as Marathon. */
  readonly capabilities?: readonly string[]
  /** How long its tasks outlive its connection; default a week. */
  readonly failoverTimeoutSeconds?: number
  /** Which offers it wants, by role. */
  readonly offerFilters?: Json
}

/** The framework's side: a scheduler that acknowledges what it hears while it is connected. */
export class SimulatedScheduler {
  readonly spec: FrameworkSpec
  /** Whether it wants to be connected. */
  isRunning = true

  constructor(spec: FrameworkSpec) {
    this.spec = spec
  }

  /** Its FrameworkInfo message. */
  get info(): JsonMessage {
    const { id, name, failoverTimeoutSeconds, offerFilters } = this.spec
    return {
      user: 'root',
      name,
      id: { value: id },
      failover_timeout: failoverTimeoutSeconds ?? 604_800,
      checkpoint: true,
      role: 'slave_public',
      hostname: '10.0.0.250',
      principal: 'dcos_marathon',
      webui_url: 'http://10.0.0.250:8080',
      capabilities: this.capabilities.map((type) => ({ type })),
      offer_filters: offerFilters,
    }
  }

  /** Its capabilities by name. */
  get capabilities(): readonly string[] {
    return this.spec.capabilities ?? ['TASK_KILLING_STATE', 'PARTITION_AWARE']
  }
}
