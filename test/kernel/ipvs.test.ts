/** Where the host's kernel has no IPVS: `npm run guest -- uml -- npx vitest run test/kernel/ipvs.test.ts`. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { ipvsContract } from '../contract/ipvs-contract.ts'
import { requireFeature } from '../feature.ts'

let count = 0

ipvsContract('IPVS of the kernel', async (ctx) => {
  await requireFeature(ctx, 'root')
  await requireFeature(ctx, 'ipvs')
  const name = `nsv-ipvs-${process.pid}-${count++}`
  await ip('netns', 'add', name)
  // Before it ever had an IPv4 address a namespace refuses every destination.
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  const namespace = await openNamespace(`/run/netns/${name}`)
  return {
    ipvs: namespace.ipvs,
    close: async () => {
      namespace.close()
      await ip('netns', 'del', name)
    },
  }
})

async function ip(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', [...args])
}
