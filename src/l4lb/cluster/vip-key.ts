import { NavstarError } from '../../base/error.ts'
import { type BackendRecord, vipKeyOf } from '../../model/backend-record.ts'
import { parseProtocol } from '../../model/port.ts'
import { parseVipLabel } from '../advertise/labels.ts'

/** A VIP with its port, as users name it. */
export type VipIdentity = Pick<BackendRecord, 'vip' | 'vipPort' | 'protocol'>

/**
 * Takes a VIP's key apart, e.g. `tcp/named:/web@marathon:80` or `udp/address:10.1.2.3:53`.
 *
 * @returns undefined when the text is no key that {@link vipKeyOf} makes
 */
export function parseVipKey(text: string): VipIdentity | undefined {
  const match = /^(tcp|udp)\/(named|address):(.*):(\d{1,5})$/su.exec(text)
  const protocol = parseProtocol(match?.[1] ?? '')
  const [, , kind, target = '', port = ''] = match ?? []
  if (protocol === undefined) return undefined
  const [host, framework] = kind === 'named' ? splitAtLast(target) : [target, 'none']
  try {
    const label = parseVipLabel(`${host}:${port}`, framework)
    const identity = { vip: label.vip, vipPort: label.port, protocol }
    return vipKeyOf(identity) === text ? identity : undefined
  } catch (error) {
    if (error instanceof NavstarError) return undefined
    throw error
  }
}

function splitAtLast(target: string): readonly [host: string, framework: string] {
  const at = target.lastIndexOf('@')
  const framework = target
    .slice(at + 1)
    .replaceAll('%40', '@')
    .replaceAll('%25', '%')
  return [target.slice(0, Math.max(at, 0)), framework]
}
