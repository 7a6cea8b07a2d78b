import { FakeSysctls } from '../../src/kernel/fake/sysctls.ts'
import { sysctlsContract } from './sysctls-contract.ts'

sysctlsContract('settings in memory', async () => ({
  sysctls: new FakeSysctls({ 'ipv4/ip_default_ttl': '64' }),
  close: async () => undefined,
}))
