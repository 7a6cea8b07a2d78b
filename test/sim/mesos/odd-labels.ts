/** Labels of ports as they have been seen in the wild, and worse; and what VIPs they give. */
import type { JsonMessage } from '../../../src/demo/agent/json.ts'

/** A label each. */
export const ODD_LABELS: readonly JsonMessage[] = [
  { key: 'VIP_1', value: 5 },
  { key: 'VIP_1', value: ['/list:80'] },
  { key: 'VIP_1' },
  { key: 'VIP_1', value: '' },
  { key: 'VIP_0', value: '/twice:80' },
  { key: 'VIP_1', value: `/${'x'.repeat(100_000)}:80` },
  { key: `VIP_${'y'.repeat(100_000)}`, value: '/long-key:80' },
  { key: 'vip', value: '1.2.3.4:5000' },
  { key: 'VIP_8b0a1c5e-6b16-11e7-b302-3edf0088f09a', value: 'fd01:d::1:80' },
  { key: 'VIP_2', value: 'missing-port' },
  { key: 'VIP_2', value: 'invalid-port::1234' },
  { key: 'VIP_2', value: '{{service.name}}:8888' },
  { key: 'Vip_2', value: '/mixed-case:80' },
  { key: 7, value: '/number-key:80' },
  { value: '/no-key:80' },
  {},
  { key: 'network-scope', value: 'galaxy' },
  { key: 'network-scope' },
  { key: '__proto__', value: '/proto:80' },
]

/** The VIPs of a port with these VIPs and such a label; undefined: it voids the ports of its task. */
export function vipsWith(
  vips: readonly string[],
  label: JsonMessage,
): readonly string[] | undefined {
  const { key, value } = label
  if (key === 'network-scope') return undefined
  const isVip = typeof key === 'string' && /^(VIP|vip)/.test(key) && typeof value === 'string'
  return isVip ? [...vips, value] : vips
}
