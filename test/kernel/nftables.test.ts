import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { nftablesContract } from '../contract/nftables-contract.ts'
import { requireFeature } from '../feature.ts'

let count = 0

nftablesContract('nf_tables of the kernel', async (ctx) => {
  await requireFeature(ctx, 'root')
  await requireFeature(ctx, 'nftables')
  const name = `nsv-nft-${process.pid}-${count++}`
  await ip('netns', 'add', name)
  const namespace = await openNamespace(`/run/netns/${name}`)
  return {
    nftables: namespace.nftables,
    close: async () => {
      namespace.close()
      await ip('netns', 'del', name)
    },
  }
})

async function ip(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', [...args])
}
