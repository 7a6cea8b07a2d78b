/** What the tasks behind one VIP ask for together. */
import { NavstarError } from '../../base/error.ts'
import { type BackendRecord, type VipKey, vipKeyOf } from '../../model/backend-record.ts'
import { VIP_OPTION_NAMES, type VipOptionName, type VipOptions } from '../../model/vip-options.ts'

/** The options that count, and those on which the tasks differ. */
export interface AgreedOptions {
  readonly options?: VipOptions
  readonly contested: readonly VipOptionName[]
}

const NONE: AgreedOptions = { contested: [] }

/**
 * Per option, what most records say that say something; of equally many the first in the order of the
 * text, so that all nodes agree. While a service is rolled its old and new tasks may differ.
 */
export function agreedOptions(records: readonly BackendRecord[]): AgreedOptions {
  const stated = records.flatMap(({ options }) => options ?? [])
  if (stated.length === 0) return NONE
  const contested: VipOptionName[] = []
  let options: VipOptions = {}
  for (const name of VIP_OPTION_NAMES) {
    const counts = new Map<VipOptions[VipOptionName], number>()
    for (const { [name]: value } of stated) {
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    const [winner] = [...counts].sort(byCountAndText)
    if (winner !== undefined) options = { ...options, [name]: winner[0] }
    if (counts.size > 1) contested.push(name)
  }
  return { ...(Object.keys(options).length > 0 && { options }), contested }
}

/** A problem per VIP and option on which these records differ. */
export function contestedOptions(records: readonly BackendRecord[]): readonly NavstarError[] {
  const byVip = new Map<VipKey, BackendRecord[]>()
  for (const record of records) {
    const key = vipKeyOf(record)
    const known = byVip.get(key)
    if (known === undefined) byVip.set(key, [record])
    else known.push(record)
  }
  return [...byVip].flatMap(([vip, own]) => {
    const { options, contested } = agreedOptions(own)
    return contested.map((name) => {
      const attempt = `give ${vip} one ${name}`
      const cause = `its tasks differ; most say ${options?.[name]}`
      return new NavstarError('VIP_OPTION_CONTESTED', { attempt, cause })
    })
  })
}

type Count = readonly [value: VipOptions[VipOptionName], count: number]

function byCountAndText([left, leftCount]: Count, [right, rightCount]: Count): number {
  if (leftCount !== rightCount) return rightCount - leftCount
  return String(left) < String(right) ? -1 : 1
}
