/** VIPs as they change: the daemon is asked again and again, and what differs is printed. */
import { type Clock, wallText } from '../base/clock.ts'
import { messageOf } from '../base/error.ts'
import type { VipsView } from '../daemon/vip-resources.ts'

/** One thing that came, went or changed. */
export interface VipChange {
  readonly change: 'added' | 'removed' | 'changed'
  /** E.g. `tcp 11.0.0.37:80 web.marathon… backend 10.0.0.1:31000`. */
  readonly what: string
  /** How it stands, or stood: `served`, `active`. */
  readonly state: string
}

/** What {@link watchVips} works with. */
export interface WatchParts {
  readonly ask: () => Promise<VipsView>
  readonly print: (line: string) => void
  readonly isJson: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The daemon answers within milliseconds; people do not see more. */
const INTERVAL_MS = 100

/** Prints what there is, then each change, until the signal aborts. A daemon that restarts is waited for. */
export async function watchVips({ ask, print, isJson, clock, signal }: WatchParts): Promise<void> {
  let states: ReadonlyMap<string, string> = new Map()
  let silence: string | undefined
  while (!signal.aborted) {
    const time = wallText(clock.wallMs())
    try {
      const next = statesOf(await ask())
      for (const change of changesBetween(states, next)) {
        print(isJson ? JSON.stringify({ time, ...change }) : changeText(time, change))
      }
      states = next
      silence = undefined
    } catch (error) {
      const reason = messageOf(error)
      if (reason !== silence)
        print(isJson ? JSON.stringify({ time, reason }) : `${time} ! ${reason}`)
      silence = reason
    }
    await clock.sleep(INTERVAL_MS, { signal })
  }
}

/** How each VIP, backend and problem stands. */
export function statesOf({ vips, problems }: VipsView): ReadonlyMap<string, string> {
  const states = new Map<string, string>()
  for (const { protocol, address, name, state, error, backends } of vips) {
    const vip = `${protocol} ${address} ${name ?? '(no name)'}`
    states.set(vip, error === undefined ? state : `${state}: ${error.message}`)
    for (const backend of backends) states.set(`${vip} backend ${backend.address}`, backend.state)
  }
  for (const { code, message } of problems) states.set(`problem ${code}: ${message}`, 'lasts')
  return states
}

/** What differs, in the order of what there is now; what is gone comes last. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly VipChange[] {
  const changes: VipChange[] = []
  for (const [what, state] of after) {
    const known = before.get(what)
    if (known === undefined) changes.push({ change: 'added', what, state })
    else if (known !== state) changes.push({ change: 'changed', what, state })
  }
  for (const [what, state] of before) {
    if (!after.has(what)) changes.push({ change: 'removed', what, state })
  }
  return changes
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

function changeText(time: string, { change, what, state }: VipChange): string {
  return `${time} ${SIGNS[change]} ${what}  ${state}`
}
