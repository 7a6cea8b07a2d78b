import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ConntrackEntry } from '../../src/kernel/conntrack.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { conntrackContract } from '../contract/conntrack-contract.ts'
import { requireFeature } from '../feature.ts'

const run = promisify(execFile)
let count = 0

conntrackContract('tracked connections of the kernel', async (ctx) => {
  await requireFeature(ctx, 'root')
  await requireFeature(ctx, 'conntrack')
  const name = `nsv-ct-${process.pid}-${count++}`
  await run('ip', ['netns', 'add', name])
  const namespace = await openNamespace(`/run/netns/${name}`)
  return {
    conntrack: namespace.conntrack,
    insert: async (entries) => {
      for (const entry of entries) {
        await run('ip', ['netns', 'exec', name, 'conntrack', '-I', ...words(entry)])
      }
    },
    close: async () => {
      namespace.close()
      await run('ip', ['netns', 'del', name])
    },
  }
})

/** The entry as conntrack(8) takes it. */
function words({ protocol, original, reply, timeoutSeconds }: ConntrackEntry): string[] {
  const given = {
    '-p': protocol,
    '-s': original.source.address,
    '-d': original.destination.address,
    '--sport': original.source.port,
    '--dport': original.destination.port,
    '-r': reply.source.address,
    '-q': reply.destination.address,
    '--reply-port-src': reply.source.port,
    '--reply-port-dst': reply.destination.port,
    '-t': timeoutSeconds,
    ...(protocol === 'tcp' && { '--state': 'ESTABLISHED' }),
  }
  return Object.entries(given).flatMap(([option, value]) => [option, String(value)])
}
