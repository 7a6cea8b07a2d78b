import { FakeConntrack } from '../../src/kernel/fake/conntrack.ts'
import { conntrackContract } from './conntrack-contract.ts'

conntrackContract('tracked connections in memory', async () => {
  const conntrack = new FakeConntrack()
  return {
    conntrack,
    insert: (entries) => {
      for (const entry of entries) conntrack.insert(entry)
    },
    close: () => undefined,
  }
})
