/** What a test needs of the host. A test that lacks it is skipped by name. */
import { existsSync } from 'node:fs'
import type { TestContext } from 'vitest'
import { debianKernel } from '../dev/guest/debian-kernel.ts'
import { missingFor } from '../dev/guest/kinds.ts'
import { bpfFeatures } from '../src/kernel/bpf.ts'
import { openNamespace } from '../src/kernel/namespace.ts'

/** Things that not every host has. */
export type Feature =
  | 'root'
  | 'ebpf'
  | 'nftables'
  | 'ipvs'
  | 'conntrack'
  | 'zookeeper'
  | 'uml'
  | 'qemu'

/** Answers whether the feature is there, or in words what it lacks. */
type Trial = () => Promise<boolean | string>

const TRIALS: Readonly<Record<Feature, Trial>> = {
  root: async () => process.getuid?.() === 0,
  ebpf: async () => {
    const supported = (await bpfFeatures()).filter(({ isSupported }) => isSupported)
    const names = supported.map(({ name }) => name)
    return ['cgroup_link', 'bpf_file_system', 'cgroup2'].every((name) => names.includes(name))
  },
  nftables: async () => {
    const namespace = await openNamespace()
    const table = 'nsv-feature'
    const results = await namespace.nftables.transaction([
      { kind: 'addTable', table },
      { kind: 'deleteTable', table },
    ])
    namespace.close()
    return results.every(({ errno }) => errno === 0)
  },
  ipvs: async () => {
    const namespace = await openNamespace()
    const information = await namespace.ipvs.information()
    namespace.close()
    return information !== undefined
  },
  conntrack: async () => existsSync('/usr/sbin/conntrack'),
  zookeeper: async () => ['/usr/bin/java', '/usr/share/java/zookeeper.jar'].every(existsSync),
  uml: async () => missingFor('uml').join(', ') || true,
  qemu: async () =>
    missingFor('qemu').join(', ') ||
    (await debianKernel().then(
      () => true,
      (error: Error) => `a kernel: ${error.message}`,
    )),
}

const tried = new Map<Feature, ReturnType<Trial>>()

/**
 * Skips the test when the host lacks a feature; fails it when `REQUIRE_FEATURES`, a comma list
 * such as `root,ebpf,nftables`, demands the feature.
 *
 * Call as `await requireFeature(ctx, 'root')` first thing in the test.
 */
export async function requireFeature(ctx: TestContext, feature: Feature): Promise<void> {
  const trial = tried.get(feature) ?? TRIALS[feature]()
  tried.set(feature, trial)
  const answer = await trial
  if (answer === true) return
  const lack = answer === false ? feature : `${feature}, which lacks ${answer}`
  const required = (process.env['REQUIRE_FEATURES'] ?? '').split(',')
  if (required.includes(feature)) throw new Error(`REQUIRE_FEATURES asks for ${lack}`)
  ctx.skip(`reason: needs ${lack}`)
}
