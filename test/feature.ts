import type { TestContext } from 'vitest'

/** What a test can need of the machine beyond Node. */
export type Feature = 'root' | 'ebpf' | 'nftables'

/**
 * Skips the test, by name, when the machine lacks the feature. A feature named in
 * `REQUIRE_FEATURES` (a comma list) must be there: then its absence is a failure.
 */
export function requireFeature(ctx: TestContext, feature: Feature): void {
  if (hasFeature()) return
  const required = (process.env['REQUIRE_FEATURES'] ?? '').split(',')
  if (required.includes(feature))
    throw new Error(`REQUIRE_FEATURES names ${feature}, but it is missing`)
  ctx.skip(`reason: needs ${feature}`)
}

/** The planes need no more than root here; what else they lack, their tests find out by trying. */
function hasFeature(): boolean {
  return process.getuid?.() === 0
}
