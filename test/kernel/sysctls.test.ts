import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { run } from '../../src/demo/run.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { sysctlsContract } from '../contract/sysctls-contract.ts'
import { requireFeature } from '../feature.ts'

const OWN = '/proc/sys/net/ipv4/ip_default_ttl'
let count = 0

sysctlsContract('settings of a namespace', async (ctx) => {
  await requireFeature(ctx, 'root')
  const own = await readFile(OWN, 'utf8')
  const name = `nsv-sysctl-${process.pid}-${count++}`
  await run('ip', ['netns', 'add', name])
  const namespace = await openNamespace(`/run/netns/${name}`)
  return {
    sysctls: namespace.sysctls,
    close: async () => {
      namespace.close()
      await run('ip', ['netns', 'delete', name])
      expect(await readFile(OWN, 'utf8'), 'the namespace of the process').toBe(own)
    },
  }
})
