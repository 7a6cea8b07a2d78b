import { fetchAdmin } from '../admin/client.ts'
import type { PlaneSwitchedView } from '../daemon/plane-resources.ts'
import type { PlaneView } from '../daemon/plane-view.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'

/** `navstar plane`: what serves VIPs here, and a change of it. */
export const planeCommand: Command = {
  name: 'plane',
  summary: 'Show which data plane serves VIPs and why, or switch to another one',
  description: [
    'Asks the running daemon, which tries every plane.',
    '',
    'plane switch KIND serves by another plane from now on: ebpf, nftables or ipvs. Open connections go on,',
    'new ones are served all the while. If the new plane cannot do it, the one before serves on and the',
    'command exits with 1. The next start goes on with it as long as --plane is auto. KIND auto takes the',
    'first that works, and forgets what was asked for.',
  ].join('\n'),
  operands: '[switch KIND]',
  flags: [JSON_FLAG, ...ADMIN_FLAGS],
  run,
}

const EXIT_USAGE = 64

/** Tens of thousands of VIPs are written and read again. */
const SWITCH_TIMEOUT_MS = 120_000

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  const isJson = given.switches.has('json')
  const [verb, kind, ...more] = given.operands
  if (verb === 'switch' && kind !== undefined && more.length === 0) {
    const switched = await switchPlane(admin.listen, kind)
    console.log(isJson ? JSON.stringify(switched, null, 2) : switchedText(switched))
    return 0
  }
  if (verb !== undefined) {
    console.error('navstar plane takes nothing, or switch KIND. See navstar plane --help.')
    return EXIT_USAGE
  }
  const view = (await fetchAdmin(admin.listen, '/v1/navstar/plane')) as PlaneView
  console.log(isJson ? JSON.stringify(view, null, 2) : planeText(view))
  return 0
}

async function switchPlane(address: string, kind: string): Promise<PlaneSwitchedView> {
  const answer = await fetchAdmin(address, '/v1/navstar/plane/switch', {
    method: 'POST',
    body: { kind },
    timeoutMs: SWITCH_TIMEOUT_MS,
  })
  return answer as PlaneSwitchedView
}

/** What a switch did, as text. */
export function switchedText({ kind, before, note }: PlaneSwitchedView): string {
  const done =
    kind === before
      ? `plane ${kind} serves already`
      : `plane ${kind} serves now instead of ${before}; open connections go on`
  return note === undefined ? done : `${done}\nnote: ${note}`
}

/** The planes as text. */
export function planeText({ kind, why, note, planes }: PlaneView): string {
  const head = `plane ${kind}: ${why}`
  const notes = note === undefined ? [] : [`note: ${note}`]
  return [head, ...notes, ...planes.flatMap(planeLines)].join('\n')
}

const STATES: Readonly<Record<string, string>> = {
  serves: 'serves',
  usable: 'works, not chosen',
  unusable: 'does not work',
}

function planeLines({ kind, state, isRetired, reason, lacks }: PlaneView['planes'][number]) {
  const retired = isRetired ? '; takes no new connections, open ones go on' : ''
  return [
    `${kind}: ${STATES[state] ?? state}${retired}`,
    `  ${reason}`,
    ...lacks.map((each) => `  lacks: ${each}`),
  ]
}
