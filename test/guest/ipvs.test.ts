/** IPVS against a kernel that has it: what the host skips or never runs. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { requireFeature } from '../feature.ts'
import { runScript } from './run.ts'

const TIMEOUT_MS = 150_000

test('project inside-guest passes in User Mode Linux', { timeout: TIMEOUT_MS }, async (ctx) => {
  await requireFeature(ctx, 'uml')
  const script = 'NO_COLOR=1 REQUIRE_FEATURES=root,ipvs vitest run --project inside-guest'
  const { end, stdout } = await runScript('uml', script, { timeoutMs: TIMEOUT_MS })
  expect(end, stdout).toEqual({ kind: 'exited', code: 0 })
  expect(stdout).toMatch(/Tests +\d+ passed \(\d+\)/)
})

test('the native IPVS client passes in User Mode Linux', { timeout: TIMEOUT_MS }, async (ctx) => {
  await requireFeature(ctx, 'uml')
  const script = `${await nativeTests()} ipvs::tests::kernel --nocapture --test-threads 1`
  const { end, stdout } = await runScript('uml', script, { timeoutMs: TIMEOUT_MS })
  expect(end, stdout).toEqual({ kind: 'exited', code: 0 })
  const skipped = stdout.match(/SKIPPED \w+/g)
  expect(skipped).toEqual(['SKIPPED says_that_the_kernel_has_no_ipvs'])
})

/**
 * A third of the drawn tables and one kind of bridge, to keep it short, and no switches: the maps of
 * plane ebpf cannot grow in this kernel. `npm run guest` runs the rest.
 */
const CONFORMANCE =
  'the ipvs plane(?! in turn)(?! on a bridge with)(?! decides .*seed 202611(2[4-9]|3))'

test('plane ipvs conforms in User Mode Linux', { timeout: 300_000 }, async (ctx) => {
  await requireFeature(ctx, 'uml')
  const script = `
    modprobe nf_conntrack && sysctl -qw net.netfilter.nf_conntrack_max=262144
    export NO_COLOR=1 REQUIRE_FEATURES=root,ipvs
    vitest run --project kernel test/conformance -t '${CONFORMANCE}'`
  const { end, stdout, stderr } = await runScript('uml', script, { timeoutMs: 290_000 })
  expect(end, `${stdout}\n${stderr}`).toEqual({ kind: 'exited', code: 0 })
  // Reach 117, choice 89, repair 22, ipvs 12, change 10, adoption 5, drawn tables 4.
  const [, passed] = /Tests +(\d+) passed/.exec(stdout) ?? []
  expect(Number(passed), stdout).toBeGreaterThanOrEqual(250)
})

/** The program of the native crate's tests, built when it is not. */
async function nativeTests(): Promise<string> {
  const args = 'test --locked -q -p navstar-kernel --lib --no-run --message-format=json'.split(' ')
  const { stdout } = await promisify(execFile)('cargo', args, { maxBuffer: 64 << 20 })
  const executables = stdout.matchAll(/"executable":"([^"]+)"/g)
  const path = [...executables].at(-1)?.[1]
  if (path === undefined) throw new Error(`cargo names no executable: ${stdout.slice(0, 1000)}`)
  return path
}
