/** Any backends of one VIP, as a node may have them. */
import fc from 'fast-check'
import type { VipIdentity } from '../../../src/l4lb/cluster/vip-key.ts'
import { type BackendRecord, backendRecordKeyOf } from '../../../src/model/backend-record.ts'
import { taskKeyOf } from '../../../src/model/task.ts'
import { DRAIN_REASONS } from '../../../src/model/vip.ts'
import type { VipOptions } from '../../../src/model/vip-options.ts'
import { anyIp, anyIpv4 } from '../../model/addresses.ts'
import { ip, port, record, vip } from '../records.ts'

const anyPort = fc.integer({ min: 1, max: 65_535 }).map(port)
const anyText = fc.string({ unit: 'grapheme', maxLength: 40 })

/** VIPs whose names are hard to take apart among them. */
export const anyIdentity: fc.Arbitrary<VipIdentity> = fc.record({
  vip: fc.oneof(
    fc
      .tuple(
        fc.constantFrom('/web', 'web', '/a@b', '/Ünter:x', 'a/b%40c'),
        fc.constantFrom('marathon', 'a@b', '50%40', 'x:y'),
      )
      .map(([label, framework]) => vip(label, framework)),
    fc.constant(vip('10.1.2.3')),
  ),
  vipPort: anyPort,
  protocol: fc.constantFrom('tcp', 'udp'),
})

const OPTIONS: readonly VipOptions[] = [
  { algorithm: 'random' },
  { algorithm: 'maglev', drain: 'graceful', locality: 'none', connectionLimit: 1_000_000 },
  { affinitySeconds: 604_800, drain: 'reset', slowStartSeconds: 1 },
  { drain: 604_800, locality: 'node' },
]

/** Some backends of one VIP, at least one. */
export function anySetOf(identity: VipIdentity): fc.Arbitrary<readonly BackendRecord[]> {
  const keyOf = (parts: object) => backendRecordKeyOf({ ...identity, ...parts } as BackendRecord)
  const parts = fc.record({
    address: identity.vip.kind === 'address' ? anyIpv4 : anyIp,
    port: anyPort,
    weight: fc.nat(65_535),
    nodeIp: fc.constantFrom(ip('10.0.0.1'), ip('10.0.0.2'), ip('fd00::1')),
    taskKey: fc.tuple(anyText, anyText).map(([one, two]) => taskKeyOf(one, two)),
    drainReason: fc.option(fc.constantFrom(...DRAIN_REASONS), { nil: undefined }),
    options: fc.option(fc.constantFrom(...OPTIONS), { nil: undefined }),
    local: fc.option(fc.record({ address: anyIp, port: anyPort }), { nil: undefined }),
  })
  return fc.uniqueArray(parts, { minLength: 1, maxLength: 12, selector: keyOf }).map((all) =>
    all.map(({ local, options, drainReason, ...each }) =>
      record({
        ...{ ...identity, ...each },
        ...(local && { local }),
        ...(options && { options }),
        ...(drainReason && { drainReason }),
      }),
    ),
  )
}

/** Some backends of any VIP. */
export const anySet: fc.Arbitrary<readonly BackendRecord[]> = anyIdentity.chain(anySetOf)
