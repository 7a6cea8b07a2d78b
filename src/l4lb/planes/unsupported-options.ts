import {
  type Algorithm,
  VIP_OPTION_NAMES,
  type VipOptionName,
  type VipOptions,
} from '../../model/vip-options.ts'
import type { UnsupportedOption } from '../plane.ts'

/** What a plane carries out. */
export interface PlaneAbilities {
  readonly algorithms: readonly Algorithm[]
  /** Options that it knows beside the algorithm. */
  readonly others: readonly VipOptionName[]
}

/** Weights and the choice among records carry these out, whatever the plane. */
const PLANELESS: ReadonlySet<VipOptionName> = new Set(['locality', 'slowStartSeconds'])

/** The options that a plane with these abilities leaves out. `random` without weights is what all do. */
export function unsupportedOptions(
  options: VipOptions | undefined,
  { algorithms, others }: PlaneAbilities,
): readonly UnsupportedOption[] {
  if (options === undefined) return []
  const { algorithm, drain } = options
  const found: UnsupportedOption[] = []
  if (algorithm !== undefined && !algorithms.includes(algorithm)) {
    found.push({ name: 'algorithm', reason: `it knows ${algorithms.join(', ')}` })
  }
  for (const name of VIP_OPTION_NAMES) {
    const isKnown = name === 'algorithm' || PLANELESS.has(name) || others.includes(name)
    if (isKnown || options[name] === undefined) continue
    if (name === 'drain' && drain === 'graceful') continue // what happens anyway
    found.push({ name, reason: 'it has no means for it' })
  }
  return found
}
