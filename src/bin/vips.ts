import { fetchAdmin } from '../admin/client.ts'
import { systemClock } from '../base/clock.ts'
import type { ProblemView } from '../daemon/problem.ts'
import type { VipsView, VipView } from '../daemon/vip-resources.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'
import { showVip } from './show-vip.ts'
import { watchVips } from './watch-vips.ts'

/** `navstar vips`: what the running daemon serves. */
export const vipsCommand: Command = {
  name: 'vips',
  summary: 'List the VIPs of this node, their backends and how they stand',
  description: [
    'Asks the running daemon. Exits with 1 when a VIP is not served as it should be. With --watch it',
    'prints what there is and then each change, until it is interrupted: + came, - went, ~ changed.',
    '',
    'vips show NAME tells of one VIP which backends are in, out or draining, why and since when, and what',
    'the kernel counted of each. NAME is web, web.marathon, the whole name, or an address.',
  ].join('\n'),
  operands: '[show NAME]',
  flags: [
    JSON_FLAG,
    { name: 'watch', help: 'Print changes as they come; with --json an object per line' },
    ...ADMIN_FLAGS,
  ],
  run,
}

const EXIT_USAGE = 64

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  const [verb, name, ...more] = given.operands
  if (verb === 'show' && name !== undefined && more.length === 0) {
    return showVip(admin.listen, name, { isJson: given.switches.has('json') })
  }
  if (verb !== undefined) {
    console.error('navstar vips takes nothing, or show NAME. See navstar vips --help.')
    return EXIT_USAGE
  }
  const ask = async () => (await fetchAdmin(admin.listen, '/v1/navstar/vips')) as VipsView
  const isJson = given.switches.has('json')
  if (given.switches.has('watch')) {
    const { signal } = new AbortController()
    await watchVips({ ask, print: (line) => console.log(line), isJson, clock: systemClock, signal })
    return 0
  }
  const view = await ask()
  console.log(isJson ? JSON.stringify(view, null, 2) : vipsText(view))
  return view.vips.every(({ state }) => state === 'served') ? 0 : 1
}

/** The VIPs as text, a line each and one per backend. */
function vipsText({ plane, isComplete, vips, problems }: VipsView): string {
  const note = isComplete
    ? ''
    : ' (still learning: the Mesos agent or the cluster has not answered yet)'
  const head = `${vips.length} VIPs on plane ${plane}${note}`
  return [head, ...vips.flatMap(vipLines), ...problems.map(problemLine)].join('\n')
}

function vipLines({ backends, error, ...vip }: VipView): string[] {
  const { name, protocol, address, state, isFormer } = vip
  const former = isFormer ? ' (its former address)' : ''
  const reason = error === undefined ? '' : `: ${error.message}`
  const head = `${protocol} ${address}  ${name ?? '(no name)'}  ${state}${former}${reason}`
  const none = backends.some(({ weight }) => weight > 0)
    ? []
    : ['  no active backend: connections are rejected']
  return [head, ...none, ...backends.map((backend) => `  ${backend.address}  ${backend.state}`)]
}

function problemLine({ code, message, hint }: ProblemView): string {
  return `problem ${code}: ${message}\n  hint: ${hint}`
}
