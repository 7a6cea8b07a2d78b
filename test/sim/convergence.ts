/** Whether all daemons agree with each other and with what each states of itself. */
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import { clusterRecordIdOf } from '../../src/model/record.ts'
import type { Checks } from './checks.ts'
import type { Host } from './host.ts'
import type { SimulatedEngine } from './seam.ts'
import { differenceOf } from './views.ts'

type Living = Host & { readonly engine: SimulatedEngine; readonly node: NodeId }

/** Whether the digests of all are equal: cheap, and necessary. */
export function haveEqualDigests(hosts: readonly Host[]): boolean {
  const first = hosts[0]?.engine?.digest
  return hosts.every(
    ({ engine }) => engine?.digest.high === first?.high && engine?.digest.low === first?.low,
  )
}

/** What all must agree on and do not; at most `limit` lines. Empty: converged. */
export function disagreements(
  hosts: readonly Host[],
  checks: Checks,
  limit = 10,
): readonly string[] {
  const living = hosts.filter((host): host is Living => host.isUp)
  const lines: string[] = []
  const owners = new Map(living.map((host) => [host.node, host]))
  const first = living[0]
  if (first === undefined) return lines
  if (!haveEqualDigests(living)) lines.push('digests differ')
  for (const host of living) {
    if (lines.length >= limit) break
    if (checks.remembersTooLong(host)) lines.push(`${host} does not forget its deletions`)
    for (const line of compareToOwners(host, owners, checks)) lines.push(`${host}: ${line}`)
    for (const line of compareOthers(host, first, owners)) {
      lines.push(`${host} and ${first}: ${checks.nameOf(line[0])}: ${line[1]}`)
    }
  }
  return lines.slice(0, limit)
}

/** What a daemon knows of the living against what those are. */
function* compareToOwners(
  host: Living,
  owners: ReadonlyMap<NodeId, Living>,
  checks: Checks,
): Iterable<string> {
  const view = checks.views.of(host)
  for (const [node, owner] of owners) {
    const member = host.engine.member(node)
    const fault = node === host.node ? faultOfSelf(host, checks) : faultOf(member, owner)
    if (fault !== undefined) yield `${owner} ${fault}`
    const stated = checks.views.of(owner).recordsOf(node)
    const difference = differenceOf(view.recordsOf(node), stated)
    if (difference !== undefined) yield `of ${owner} ${difference}`
    const shown = view.members.get(node)
    if (shown?.state !== member?.state) {
      yield `${owner} is shown as ${shown?.state}, held as ${member?.state}`
    }
  }
  let count = 0
  for (const record of host.engine.records()) {
    count++
    const id = clusterRecordIdOf(record.node, `${record.kind}/${record.key}` as never)
    if (view.recordsOf(record.node).get(id)?.version !== record.version) yield `did not show ${id}`
  }
  let shownCount = 0
  for (const rows of view.records.values()) shownCount += rows.size
  if (shownCount !== count) yield `shows ${shownCount} records, holds ${count}`
}

function faultOf(member: Member | undefined, owner: Living): string | undefined {
  if (member === undefined) return 'is not known'
  if (member.state !== 'alive') return `is ${member.state}`
  if (member.incarnation !== owner.engine.incarnation) return 'has another incarnation'
  if (member.endpoint.address !== owner.endpoint.address) return 'has another address'
  const version = owner.engine.member(owner.node)?.heldVersion ?? 0
  if (member.heldVersion !== version) {
    return `is held at ${member.heldVersion}, not ${version}`
  }
  if (member.knownVersion > version) return 'is said to have more'
  return undefined
}

/** A daemon's own rows are what it published. */
function faultOfSelf(host: Living, checks: Checks): string | undefined {
  const rows = checks.views.of(host).recordsOf(host.node)
  if (rows.size !== host.own.size) return `shows ${rows.size} own records of ${host.own.size}`
  for (const [id, record] of host.own) {
    const row = rows.get(clusterRecordIdOf(host.node, id))
    if (row === undefined || Buffer.compare(row.value, record.value) !== 0) return `lacks own ${id}`
  }
  return undefined
}

/** What two daemons know of those that are gone. */
function* compareOthers(
  host: Living,
  first: Living,
  owners: ReadonlyMap<NodeId, Living>,
): Iterable<readonly [NodeId, string]> {
  for (const member of host.engine.members()) {
    if (owners.has(member.id)) continue
    if (member.state === 'alive') yield [member.id, 'is alive, though gone']
    const other = first.engine.member(member.id)
    if (other === undefined) yield [member.id, 'is known to one only']
    else if (other.incarnation !== member.incarnation) yield [member.id, 'incarnations differ']
    else if (other.heldVersion !== member.heldVersion) yield [member.id, 'held versions differ']
  }
}
