import type { Ip } from '../model/ip.ts'
import type { MesosCredential } from './credential.ts'
import { type Masters, type ParsedMasters, parseMasters } from './master/masters.ts'

export type { Masters } from './master/masters.ts'

/** How the Mesos agent of this node is read. */
export interface MesosOptions {
  /**
   * Where the agent listens, without a path: `http://127.0.0.1:5051`, `https://agent:5051`;
   * undefined: none runs here, as on the masters of DC/OS, so the node has no tasks of its own.
   */
  readonly agentUrl: string | undefined
  /** The agent's address for mapped ports; without it the agent is asked (GET_AGENT). */
  readonly agentIp?: Ip
  /** Sent to `agentUrl` and to where it redirects; never from https to http. */
  readonly credential?: MesosCredential
  /** Certificates (PEM) that may sign those of agent and masters; without it those of Node.js. */
  readonly caPem?: string
  /** Where the leading master is learned from; without it the node does without masters. */
  readonly masters?: Masters
  /** From one poll to the next while all is well, ± 10 %; a second when nothing changed for a minute. */
  readonly pollIntervalMs: number
  /** The longest wait between polls while they fail. */
  readonly maxBackoffMs: number
  /** After this long without a whole answer a call fails. */
  readonly timeoutMs: number
  /** The largest answer accepted, decompressed, in bytes. */
  readonly maxStateBytes: number
}

/** What holds where the operator says nothing. */
export const MESOS_DEFAULTS: MesosOptions & { readonly agentUrl: string } = Object.freeze({
  agentUrl: 'http://127.0.0.1:5051',
  pollIntervalMs: 250,
  maxBackoffMs: 60_000,
  timeoutMs: 10_000,
  maxStateBytes: 256 * 1024 * 1024,
})

/** Reads what an operator says about where masters are: `zk://a:2181,b:2181/mesos`. */
export function readMastersText(text: string): ParsedMasters {
  return parseMasters(text)
}
