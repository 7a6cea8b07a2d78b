import { runDemo } from '../demo/demo.ts'
import type { Command, GivenFlags } from './command.ts'

/** `navstar demo`: a cluster host on this machine. */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'Bring up a cluster host in network namespaces and show it at work',
  description: [
    'Needs root. Touches only namespaces, cgroups and pins of its own, and removes them at the end,',
    'also after it was killed.',
  ].join('\n'),
  flags: [
    { name: 'once', help: 'End after the measurements; exit with 1 when they fail' },
    {
      name: 'plane',
      placeholder: 'auto|ebpf|nftables',
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
    isOnce: switches.has('once'),
    plane: planeOf(values['plane']),
    interrupted,
    print: (line) => console.log(line),
  })
  return isFine ? 0 : 1
}

function planeOf(text: string | undefined): 'auto' | 'ebpf' | 'nftables' {
  return text === 'ebpf' || text === 'nftables' ? text : 'auto'
}
