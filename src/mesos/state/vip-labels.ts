import type { TaskPort, VipOptionLabel } from '../../model/task.ts'

/** A label of a port with a key that begins with VIP. */
export interface TextLabel {
  readonly key: string
  readonly value: string
}

/** As every VIP ends; also those of which DC/OS says that they are malformed. */
const ENDS_WITH_PORT = /:\+?\d+$/

/**
 * Tells VIPs from what is said about them. A label whose value ends with a port is a VIP, as in
 * DC/OS. Any other whose key is that of a VIP and more (`VIP_0` and `VIP_0_ALGORITHM`) is an option of
 * it; what is left is a malformed VIP.
 */
export function vipsOf(labels: readonly TextLabel[]): Pick<TaskPort, 'vips' | 'vipOptions'> {
  const vips = labels.filter(({ value }) => ENDS_WITH_PORT.test(value))
  const malformed: string[] = []
  const vipOptions: VipOptionLabel[] = []
  for (const { key, value } of labels) {
    if (ENDS_WITH_PORT.test(value)) continue
    const base = longestBase(key, vips)
    if (base === undefined) malformed.push(value)
    for (const vip of vips) {
      if (vip.key !== base) continue
      vipOptions.push({ vip: vip.value, option: key.slice(base.length + 1), value })
    }
  }
  const values = [...vips.map(({ value }) => value), ...malformed]
  return vipOptions.length === 0 ? { vips: values } : { vips: values, vipOptions }
}

/** `VIP_0_DRAIN` belongs to `VIP_0` rather than to `VIP`. */
function longestBase(key: string, vips: readonly TextLabel[]): string | undefined {
  let longest: string | undefined
  for (const vip of vips) {
    if (!key.startsWith(`${vip.key}_`)) continue
    if (longest === undefined || vip.key.length > longest.length) longest = vip.key
  }
  return longest
}
