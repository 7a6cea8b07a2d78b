/**
 * Tracked connections as plain data.
 *
 * **Source:** `include/uapi/linux/netfilter/nfnetlink_conntrack.h`
 */
import type { Ip } from '../model/ip.ts'

/** A protocol with ports. */
export type ConntrackProtocol = 'tcp' | 'udp' | 'sctp'

/** One end of a connection. */
export interface ConntrackEndpoint {
  readonly address: Ip
  readonly port: number
}

/** Packets of one direction. */
export interface ConntrackTuple {
  readonly source: ConntrackEndpoint
  readonly destination: ConntrackEndpoint
}

/** A tracked connection. */
export interface ConntrackEntry {
  readonly protocol: ConntrackProtocol
  /** The first packet, as its sender made it. */
  readonly original: ConntrackTuple
  /** An answer, before it is translated back: its source is where packets really went. */
  readonly reply: ConntrackTuple
  /** It ends when nothing comes for this long. */
  readonly timeoutSeconds: number
}

/** What connections are found by. */
export interface ConntrackFlow {
  readonly protocol: ConntrackProtocol
  /** Where the first packet was sent to, e.g. a VIP. */
  readonly originalDestination: ConntrackEndpoint
  /** Where it really went, e.g. a backend; absent: anywhere. */
  readonly replySource?: ConntrackEndpoint
}

/** The connection tracking of one network namespace. */
export interface Conntrack {
  /**
   * The connections of these flows. One that begins meanwhile may be missed.
   *
   * @throws NavstarError `KERNEL_READ_FAILED`
   */
  entries(flows: readonly ConntrackFlow[]): Promise<readonly ConntrackEntry[]>
  /**
   * Deletes the connections of these flows, and no others.
   *
   * @returns how many; one that ended by itself meanwhile does not count
   * @throws NavstarError `KERNEL_OPERATION_FAILED`; some may be deleted
   */
  delete(flows: readonly ConntrackFlow[]): Promise<number>
  /**
   * Makes entries of connections of TCP that are established and that nobody translates. One that is
   * tracked, or whose answers another one takes, is left as it is.
   *
   * @param connections as their clients' packets are addressed
   * @returns how many were not tracked before
   * @throws NavstarError `KERNEL_OPERATION_FAILED`; some may be made
   */
  track(connections: readonly ConntrackTuple[], timeoutSeconds: number): Promise<number>
}

/** Whether a connection is one of a flow. */
export function isOfFlow(entry: ConntrackEntry, flow: ConntrackFlow): boolean {
  return (
    entry.protocol === flow.protocol &&
    isSame(entry.original.destination, flow.originalDestination) &&
    (flow.replySource === undefined || isSame(entry.reply.source, flow.replySource))
  )
}

function isSame(left: ConntrackEndpoint, right: ConntrackEndpoint): boolean {
  return left.address === right.address && left.port === right.port
}
