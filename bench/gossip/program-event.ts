/**
 * What programs on the nodes of a fleet are told, as words, a line each, and what they print, as
 * lines of JSON.
 *
 * | word | |
 * | --- | --- |
 * | `start` | joins; the node's value is `0` |
 * | `publish VALUE` | changes the node's value |
 * | `state` | prints what it knows |
 * | `metrics` | prints its metrics; only navstar |
 */

/** What a program prints. */
export type ProgramEvent = { /** See machineMs. */ readonly atMs: number } & (
  | { readonly kind: 'ready' }
  /** Listens; from now on others may call it by this name. */
  | { readonly kind: 'started'; readonly name: string }
  /** How the member called `name` looks from here, itself included. */
  | { readonly kind: 'member'; readonly name: string; readonly state: string }
  /** Its own probes of the member failed; memberlist says so only in its log, and not what follows. */
  | { readonly kind: 'suspicion'; readonly name: string }
  /** The member's value arrived. */
  | { readonly kind: 'change'; readonly name: string; readonly value: string }
  | { readonly kind: 'published'; readonly value: string }
  /** It heard itself doubted and objected. */
  | { readonly kind: 'refuted' }
  /** All that must be the same everywhere, a line each, in any order. */
  | { readonly kind: 'state'; readonly picture: readonly string[] }
  /** In the text format of Prometheus. */
  | { readonly kind: 'metrics'; readonly text: string }
)

/** CLOCK_MONOTONIC in milliseconds: one clock for all processes of a machine. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
