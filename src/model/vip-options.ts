/** What a service can ask of its VIP beside being served. */

/** How the backend of a new connection is chosen. */
export type Algorithm = 'random' | 'rr' | 'least-conn' | 'p2c-ewma' | 'maglev'

/** All algorithms. */
export const ALGORITHMS: readonly Algorithm[] = ['random', 'rr', 'least-conn', 'p2c-ewma', 'maglev']

/** Whose backends are preferred while enough of them can take connections. */
export type Locality = 'node' | 'zone' | 'none'

/** All localities. */
export const LOCALITIES: readonly Locality[] = ['node', 'zone', 'none']

/**
 * What becomes of the open connections of a backend that drains: `graceful` leaves them until their
 * task ends, `reset` closes them at once, a number closes them after so many seconds.
 */
export type Drain = 'graceful' | 'reset' | number

/** Options of a VIP; what is absent is left to the plane (`random`, `graceful`, no preference, no limit). */
export interface VipOptions {
  readonly algorithm?: Algorithm
  /** A client keeps its backend until it was silent for so many seconds. */
  readonly affinitySeconds?: number
  readonly drain?: Drain
  readonly locality?: Locality
  /** Open connections that one backend takes at most. */
  readonly connectionLimit?: number
  /** A backend that is new reaches its full share after so many seconds. */
  readonly slowStartSeconds?: number
}

/** The name of an option. */
export type VipOptionName = keyof VipOptions

/** All options, in the order in which they are shown and written. */
export const VIP_OPTION_NAMES: readonly VipOptionName[] = [
  'algorithm',
  'affinitySeconds',
  'drain',
  'locality',
  'connectionLimit',
  'slowStartSeconds',
]

/** Whether both ask for the same. */
export function isSameOptions(one: VipOptions | undefined, other: VipOptions | undefined): boolean {
  return VIP_OPTION_NAMES.every((name) => one?.[name] === other?.[name])
}

/** The options as text, e.g. `algorithm=maglev affinitySeconds=300`; empty for none. */
export function formatOptions(options: VipOptions | undefined): string {
  return VIP_OPTION_NAMES.filter((name) => options?.[name] !== undefined)
    .map((name) => `${name}=${options?.[name]}`)
    .join(' ')
}
