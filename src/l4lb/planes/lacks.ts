/** What a plane that works leaves out, in words. */

import type { Ip } from '../../model/ip.ts'
import type { Port } from '../../model/port.ts'
import type { Service } from '../../model/vip.ts'
import {
  ALGORITHMS,
  VIP_OPTION_NAMES,
  type VipOptionName,
  type VipOptions,
} from '../../model/vip-options.ts'
import type { Plane, PlaneKind } from '../plane.ts'

/** A value of each option that some plane may not know; `graceful` is what all do. */
const SAMPLES: Required<Omit<VipOptions, 'algorithm'>> = {
  affinitySeconds: 60,
  drain: 'reset',
  locality: 'node',
  connectionLimit: 1,
  slowStartSeconds: 1,
}

/** What no option of a VIP is about. */
const BEYOND_OPTIONS: Readonly<Record<PlaneKind, readonly string[]>> = {
  ebpf: ['connections that no process of this host opens'],
  nftables: [],
  ipvs: [],
}

/** What the plane leaves out of a TCP service, e.g. `algorithms rr, maglev`; empty: nothing. */
export function lacksOf(plane: Pick<Plane, 'kind' | 'unsupported'>): string[] {
  const isMissing = (options: VipOptions) => plane.unsupported(sampleOf(options)).length > 0
  const algorithms = ALGORITHMS.filter((algorithm) => isMissing({ algorithm }))
  const options = VIP_OPTION_NAMES.filter(
    (name): name is Exclude<VipOptionName, 'algorithm'> => name !== 'algorithm',
  ).filter((name) => isMissing({ [name]: SAMPLES[name] }))
  return [
    ...(algorithms.length > 0 ? [`algorithms ${algorithms.join(', ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(', ')}`] : []),
    ...BEYOND_OPTIONS[plane.kind],
  ]
}

function sampleOf(options: VipOptions): Service {
  return { protocol: 'tcp', address: '11.0.0.1' as Ip, port: 80 as Port, backends: [], options }
}
