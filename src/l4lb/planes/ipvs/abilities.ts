import type { VipOptions } from '../../../model/vip-options.ts'
import type { UnsupportedOption } from '../../plane.ts'
import { unsupportedOptions } from '../unsupported-options.ts'
import { IPVS_ALGORITHMS } from './service-form.ts'

/** The kernel's own thresholds are of another kind: a busy service would look full. */
const LIMIT_REASON = 'it counts connections until two minutes after their end'

/** The options that IPVS leaves out. */
export function unsupportedByIpvs(options: VipOptions | undefined): readonly UnsupportedOption[] {
  const abilities = { algorithms: IPVS_ALGORITHMS, others: ['affinitySeconds'] } as const
  return unsupportedOptions(options, abilities).map((option) =>
    option.name === 'connectionLimit' ? { ...option, reason: LIMIT_REASON } : option,
  )
}
