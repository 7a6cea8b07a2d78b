import type { Clock } from '../base/clock.ts'
import type { Scope } from '../base/scope.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { DnsMetrics } from './metrics.ts'
import type { Transport } from './response.ts'

/** Answers one packet; undefined when it must not be answered. Never throws or rejects. */
export type Respond = (
  packet: Buffer,
  transport: Transport,
) => Buffer | undefined | Promise<Buffer | undefined>

/** What a listener works with. */
export interface ListenerContext {
  readonly respond: Respond
  readonly clock: Clock
  readonly metrics: DnsMetrics
  /** Carries the answers that take time. */
  readonly scope: Scope
}

/** A bound socket. */
export interface Listener {
  /** Where it really listens. */
  readonly endpoint: Endpoint
  /** Resolves with the reason when the socket fails by itself. */
  readonly failed: Promise<Error>
  close(): Promise<void>
}
