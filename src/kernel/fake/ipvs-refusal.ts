/**
 * What the kernel refuses, in its order.
 *
 * **Source:** `net/netfilter/ipvs/ip_vs_ctl.c`
 */
import { type Family, familyOf, type Ip, ipToBigint } from '../../model/ip.ts'
import { familyOfKey, type IpvsDestination, type IpvsOperation, type IpvsService } from '../ipvs.ts'

/** Error numbers by name. */
export const ERRNOS = { ENOENT: 2, ESRCH: 3, EEXIST: 17, EINVAL: 22, ERANGE: 34 } as const

/** Why an operation is refused. */
export type Refusal = keyof typeof ERRNOS

const SCHEDULERS: ReadonlySet<string> = new Set(
  'none rr wrr lc wlc fo ovf lblc lblcr dh sh mh sed nq'.split(' '),
)
const NAME_BYTES = 15

/** Why a service is refused that is new or known, as its kind demands. */
export function refusalOfService(service: IpvsService): Refusal | undefined {
  if (service.scheduler.length > NAME_BYTES) return 'EINVAL'
  if (!SCHEDULERS.has(service.scheduler)) return 'ENOENT'
  const { persistencePrefix } = service
  const isPrefix = persistencePrefix >= 1 && persistencePrefix <= 128
  return familyOfKey(service.key) === 6 && !isPrefix ? 'EINVAL' : undefined
}

/** Why a destination is refused. */
export function refusalOfDestination(
  service: IpvsService,
  destination: IpvsDestination,
  { kind, isKnown }: { readonly kind: IpvsOperation['kind']; readonly isKnown: boolean },
): Refusal | undefined {
  const family = familyOf(destination.address)
  const isTunnel = destination.forwarding === 'tunnel'
  if (family !== familyOfKey(service.key) && !isTunnel) return 'EINVAL'
  if (destination.weight > 0x7fffffff) return 'ERANGE'
  if (destination.lowerThreshold > destination.upperThreshold) return 'ERANGE'
  if (kind === 'setDestination') return isKnown ? undefined : 'ENOENT'
  if (isKnown) return 'EEXIST'
  return isUnicast(destination.address, family) ? undefined : 'EINVAL'
}

function isUnicast(address: Ip, family: Family): boolean {
  const number = ipToBigint(address)
  if (family === 6) {
    const isLinkLocal = number >> 118n === 0x3fan
    return number !== 0n && number >> 120n !== 0xffn && !isLinkLocal
  }
  const first = number >> 24n
  return first !== 0n && first < 224n
}
