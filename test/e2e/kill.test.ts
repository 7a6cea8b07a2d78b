import { describe, expect, it } from 'vitest'
import { requireFeature } from '../feature.ts'
import { killUnderLoad } from './kill-under-load.ts'

const KILLS = 20

describe.each(['ebpf', 'nftables'] as const)(
  'a daemon on plane %s that is killed with -9 under load',
  (plane) => {
    it(`fails no request over ${KILLS} kills, and each start adopts the data path`, async (ctx) => {
      await requireFeature(ctx, 'root')
      await requireFeature(ctx, plane)
      const { loads, kills, operationsAfterStart } = await killUnderLoad(
        plane,
        (done) => done < KILLS,
      )
      expect(kills).toBe(KILLS)
      expect(operationsAfterStart).toBe(0)
      for (const { failures, timesUs, spread } of loads) {
        expect(failures).toEqual({})
        expect(timesUs.length).toBeGreaterThan(KILLS * 20)
        expect(Object.keys(spread)).toEqual(['h1-web-1', 'h1-web-2', 'h1-web-3'])
      }
    })
  },
)
