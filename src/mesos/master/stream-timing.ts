import type { BackoffPolicy } from '../../base/backoff.ts'

/** How long things take on a master's stream. */
export interface StreamTiming {
  /** The longest wait for the head of an answer. */
  readonly headTimeoutMs: number
  /** The longest silence until the snapshot is there. */
  readonly firstByteTimeoutMs: number
  /** The snapshot must be there by then, however slowly it comes. */
  readonly subscribedTimeoutMs: number
  /** So many intervals without a record, and the stream counts as dead. */
  readonly missedHeartbeats: number
  /** From one audit to the next, ± 25 %. */
  readonly auditIntervalMs: number
  /** From a doubt to the audit, ± 50 %. */
  readonly doubtMs: number
  /** The longest wait for the answer of an audit. */
  readonly stateTimeoutMs: number
  /** Waits between attempts. */
  readonly backoff: BackoffPolicy
  /** A stream that lasted so long was no failure when it ends. */
  readonly stableMs: number
}

/** **Source:** dcos-net `dcos_net_mesos_listener.erl` gives up after three heartbeats as well */
export const STREAM_TIMING: StreamTiming = Object.freeze({
  headTimeoutMs: 10_000,
  firstByteTimeoutMs: 30_000,
  subscribedTimeoutMs: 600_000,
  missedHeartbeats: 3,
  auditIntervalMs: 300_000,
  doubtMs: 2_000,
  stateTimeoutMs: 120_000,
  backoff: Object.freeze({ baseMs: 500, maxMs: 15_000 }),
  stableMs: 60_000,
})
