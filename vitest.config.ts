import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { TallyReporter } from './dev/tally-reporter.ts'

/** Files whose tests touch the kernel run one after another, each in a process of its own. */
const serial = {
  pool: 'forks',
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
} as const

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default', new TallyReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/{model,base,gossip,sim,fuzz,mesos,l4lb,dns,config,admin,daemon,bin,docs,contract}/**/*.test.ts',
          ],
          // Properties draw many courses, on machines that have other things to do.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts', 'test/conformance/**/*.test.ts'],
          ...serial,
        },
      },
      {
        test: {
          name: 'guest',
          include: ['test/guest/**/*.test.ts'],
          ...serial,
        },
      },
      {
        test: {
          // Needs a kernel that hosts rarely have: tests of project guest run it in a guest.
          name: 'inside-guest',
          include: ['test/inside-guest/**/*.test.ts'],
          ...serial,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...serial,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})

export default config
