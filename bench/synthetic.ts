/** Made-up VIPs and backends, the same in every run. */
import { type BackendRecord, backendRecordKeyOf } from '../src/model/backend-record.ts'
import { type Cidr, parseCidr } from '../src/model/cidr.ts'
import { type Ip, ipFromBigint } from '../src/model/ip.ts'
import type { Port } from '../src/model/port.ts'
import { taskKeyOf } from '../src/model/task.ts'
import type { Service } from '../src/model/vip.ts'

/** The block that all VIPs are in. */
export const VIP_RANGE: Cidr = known(parseCidr('11.0.0.0/8'))

const FIRST_BACKEND = 0x0a_80_00_00n // 10.128.0.0
const FIRST_VIP = 0x0b_80_00_00n // 11.128.0.0
const NODE = '10.77.0.1' as Ip

/** The address of backend `index`, no two alike. */
export function backendAddress(index: number): Ip {
  return ipFromBigint(FIRST_BACKEND + BigInt(index), 4)
}

/** The address of the VIP `index` of {@link syntheticServices}. */
export function vipAddress(index: number): Ip {
  return ipFromBigint(FIRST_VIP + BigInt(index), 4)
}

/** Services as a plane takes them. */
export function* syntheticServices(vips: number, backends: number): Generator<Service> {
  for (let vip = 0; vip < vips; vip++) {
    yield {
      address: vipAddress(vip),
      port: 80 as Port,
      protocol: 'tcp',
      backends: Array.from({ length: backends }, (_, backend) => ({
        address: backendAddress(vip * backends + backend),
        port: 8080 as Port,
        weight: 1,
      })),
    }
  }
}

/** The record of backend `backend` (a number over all VIPs) of the named VIP `vip`. */
export function syntheticRecord(vip: number, backend: number, weight = 1): BackendRecord {
  const label = `service-${vip}`
  const record = {
    vip: {
      kind: 'named',
      label,
      rawLabel: `/${label}`,
      framework: 'marathon',
      name: `${label}.marathon`,
    },
    vipPort: 80 as Port,
    protocol: 'tcp',
    address: backendAddress(backend),
    port: 8080 as Port,
    weight,
    nodeIp: NODE,
    taskKey: taskKeyOf('f7a3c1de-0001', `${label}.${backend}`),
  } as const
  return { ...record, key: backendRecordKeyOf(record) }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not a constant of this file')
  return value
}
