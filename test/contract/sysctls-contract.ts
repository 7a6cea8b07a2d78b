/** What settings of a network namespace do, whoever keeps them. */
import { describe, expect, it, type TestContext } from 'vitest'
import type { Sysctls } from '../../src/kernel/sysctls.ts'

/** Settings under test; `ipv4/ip_default_ttl` is 64. */
export interface OpenedSysctls {
  readonly sysctls: Sysctls
  close(): Promise<void>
}

const TTL = 'ipv4/ip_default_ttl'
const MISSING = 'ipv4/no_such_setting'

/** Runs the contract. */
export function sysctlsContract(
  name: string,
  open: (ctx: TestContext) => Promise<OpenedSysctls>,
): void {
  describe(name, () => {
    it('are read without those that are not there', async (ctx) => {
      const { sysctls, close } = await open(ctx)
      expect(await sysctls.read([MISSING, TTL])).toEqual(new Map([[TTL, '64']]))
      await close()
    })

    it('are read as they were written', async (ctx) => {
      const { sysctls, close } = await open(ctx)
      await sysctls.write(TTL, '77')
      expect(await sysctls.read([TTL])).toEqual(new Map([[TTL, '77']]))
      await close()
    })

    it('cannot be written when they are not there', async (ctx) => {
      const { sysctls, close } = await open(ctx)
      const refusal = { code: 'KERNEL_OPERATION_FAILED' }
      await expect(sysctls.write(MISSING, '1')).rejects.toMatchObject(refusal)
      await close()
    })
  })
}
