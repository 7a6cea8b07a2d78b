import { NavstarError } from '../base/error.ts'
import { runDemo } from '../demo/demo.ts'
import type { Command, GivenFlags } from './command.ts'

const DEFAULT_HOSTS = 3
const MAX_HOSTS = 20

/** `navstar demo`: a cluster on this machine. */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'Bring up a cluster in network namespaces and show it at work',
  description: [
    'Needs root. Touches only namespaces, cgroups and pins of its own, and removes them at the end,',
    'also after it was killed.',
  ].join('\n'),
  flags: [
    {
      name: 'once',
      help: 'Lose masters, kill, return, add and cut off hosts, and end; exit with 1 when a bound is missed by far',
    },
    {
      name: 'hosts',
      placeholder: 'N',
      help: `How many hosts, 1 to ${MAX_HOSTS}`,
      defaultText: String(DEFAULT_HOSTS),
    },
    {
      name: 'plane',
      placeholder: 'auto|ebpf|nftables|ipvs',
      help: 'The data plane of the daemon',
      defaultText: 'auto',
    },
  ],
  run,
}

async function run({ switches, values }: GivenFlags): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error('the demo needs root: it makes network namespaces')
    return 1
  }
  const { promise: interrupted, resolve } = Promise.withResolvers<string>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  const isFine = await runDemo({
    hosts: hostsOf(values['hosts']),
    isOnce: switches.has('once'),
    plane: planeOf(values['plane']),
    interrupted,
    print: (line) => console.log(line),
  })
  return isFine ? 0 : 1
}

function planeOf(text: string | undefined): 'auto' | 'ebpf' | 'nftables' | 'ipvs' {
  return text === 'ebpf' || text === 'nftables' || text === 'ipvs' ? text : 'auto'
}

/** @throws NavstarError `CONFIG_INVALID` */
function hostsOf(text = String(DEFAULT_HOSTS)): number {
  const hosts = Number(text)
  if (Number.isInteger(hosts) && hosts >= 1 && hosts <= MAX_HOSTS) return hosts
  const cause = `'${text}' is no whole number from 1 to ${MAX_HOSTS}`
  throw new NavstarError('CONFIG_INVALID', { attempt: 'read --hosts', cause })
}
