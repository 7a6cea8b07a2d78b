/** What the traffic program of a namespace is asked and answers, one line of JSON each way. */

/** How a client's socket is made. A v4-mapped address makes an IPv6 socket that speaks IPv4. */
export type Transport = 'tcp' | 'udp connected' | 'udp unconnected'

/** Where something listens or connects to. */
export interface Target {
  readonly address: string
  readonly port: number
}

/** A destination and how to reach it. */
export interface Destination extends Target {
  readonly transport: Transport
  /** After this an answer counts as lost, with code `ETIMEDOUT`; default: three seconds. */
  readonly timeoutMs?: number
  /** Of TCP: the client's port; default: one that is free. */
  readonly localPort?: number
}

/** What one exchange with a server showed. */
export interface Exchange {
  /** The name of the server that answered. */
  readonly server: string
  /** The client as the server saw it. */
  readonly client: Target
  /** Where the answer came from, as the client saw it. */
  readonly source: Target
  /** getpeername() of the client's socket; absent for unconnected ones. */
  readonly peer?: Target
}

/** What became of one attempt: an exchange, or the code of the error, e.g. `ECONNREFUSED`. */
export interface Visit {
  readonly exchange?: Exchange
  readonly error?: string
  readonly durationMs: number
}

/** What became of many attempts. */
export interface Tally {
  /** Exchanges by server. */
  readonly servers: Readonly<Record<string, number>>
  /** Failures by code. */
  readonly errors: Readonly<Record<string, number>>
}

/** One request to a traffic program. */
export type TrafficCall =
  | ({ readonly call: 'serve'; readonly protocol: 'tcp' | 'udp'; readonly name: string } & Target)
  | ({ readonly call: 'visit' } & Destination)
  | ({ readonly call: 'visits'; readonly count: number } & Destination)
  /** Opens a flow that stays, under a name. */
  | ({ readonly call: 'open'; readonly flow: string } & Destination)
  | { readonly call: 'say' | 'hangUp'; readonly flow: string }
  /** Opens so many flows that stay, named after the group. */
  | ({ readonly call: 'openMany'; readonly group: string; readonly count: number } & Destination)
  /** Another exchange on each of a group. */
  | { readonly call: 'sayAll'; readonly group: string }
  /** Visits without end, several at a time. */
  | ({ readonly call: 'flood' } & Destination)
  | { readonly call: 'floodCount' | 'endFlood' }

/** The answer to one request. */
export interface TrafficAnswer {
  readonly result?: unknown
  readonly error?: string
}

/** Longer than an exchange takes on a machine with too much to do. */
export const EXCHANGE_TIMEOUT_MS = 3_000

/** How long to wait where no answer is expected. */
export const SILENCE_MS = 200
