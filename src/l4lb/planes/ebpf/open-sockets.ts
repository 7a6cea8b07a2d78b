/** Which sockets the programs have sent to which backend, from the maps that they keep of it. */
import type { BpfEntries, BpfMap } from '../../../kernel/bpf.ts'
import type { SocketTarget } from '../../../kernel/sockets.ts'
import type { Protocol } from '../../../model/port.ts'
import { parseServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import { decodeEndpoint, decodeVipKey, encodeMemberKey, encodeVipKey, SIZES } from './layout.ts'
import type { Leaver } from './leaving.ts'

/** Maps that only the programs write. */
export interface SocketMaps {
  /** By socket and backend: the VIP that was meant. Of TCP and UDP. */
  readonly origins: BpfMap
  /** By socket and VIP: the backend of an unconnected socket of UDP. */
  readonly flows: BpfMap
  /** By client and VIP: the backend that it had last. */
  readonly affinities: BpfMap
  /** By socket: the VIP and backend of an open connection of TCP. */
  readonly connections: BpfMap
}

/** Takes sockets and what is kept of them together. */
export interface OpenSockets {
  targetsOf(protocol: Protocol, leavers: readonly Leaver[]): Promise<SocketTarget[]>
  /** Sockets that the programs sent to a backend of a UDP service that has it no more. */
  strays(has: (leaver: Leaver) => boolean): Promise<SocketTarget[]>
  /** Deletes what is kept of flows of UDP to them. */
  forgetFlows(leavers: readonly Leaver[]): Promise<void>
  /** Deletes them as anybody's last backend. */
  forgetClients(leavers: readonly Leaver[]): Promise<void>
}

/** A map whose entries tell a member: the key of its VIP and the endpoint. */
interface Layout {
  readonly keySize: number
  readonly valueSize: number
  /** struct member_key of an entry. */
  memberOf(key: Uint8Array, value: Uint8Array): Uint8Array
}

/** struct origin_key and struct endpoint; the protocol is not told. */
const ORIGINS: Layout = {
  keySize: 32,
  valueSize: SIZES.endpoint,
  memberOf: (key, value) => {
    const member = new Uint8Array(SIZES.memberKey)
    member.set(value.subarray(0, 18), 0)
    member[18] = UDP
    member.set(key.subarray(8, 28), SIZES.vipKey)
    return member
  },
}

/** struct flow_key and struct endpoint; the same begins struct affinity_key and struct affinity. */
const FLOWS: Layout = { keySize: 32, valueSize: SIZES.endpoint, memberOf: ofKeyAndValue }
const AFFINITIES: Layout = { keySize: 32, valueSize: 32, memberOf: ofKeyAndValue }

/** A cookie and struct connection. */
const CONNECTIONS: Layout = {
  keySize: 8,
  valueSize: 56,
  memberOf: (_, value) => value.subarray(0, SIZES.memberKey),
}

const UDP = 17

/** Each question reads the map that tells it. */
export function openSockets(maps: SocketMaps): OpenSockets {
  const forget = async (map: BpfMap, layout: Layout, leavers: readonly Leaver[]) => {
    const found = matching(await map.dump(), layout, membersOf(leavers))
    if (found.length > 0) await map.delete(Buffer.concat(found.map(({ key }) => key)))
  }
  return {
    targetsOf: async (protocol, leavers) => {
      const [map, layout] =
        protocol === 'tcp' ? [maps.connections, CONNECTIONS] : [maps.origins, ORIGINS]
      return matching(await map.dump(), layout, membersOf(leavers)).map(targetOf)
    },
    strays: async (has) => {
      const entries = entriesOf(await maps.origins.dump(), ORIGINS)
      return entries.filter(({ member }) => isStray(member, has)).map(targetOf)
    },
    forgetFlows: async (leavers) => {
      await forget(maps.origins, ORIGINS, leavers)
      await forget(maps.flows, FLOWS, leavers)
    },
    forgetClients: (leavers) => forget(maps.affinities, AFFINITIES, leavers),
  }
}

interface Entry {
  /** Begins with a socket's cookie, or a client's. */
  readonly key: Uint8Array
  readonly member: Uint8Array
}

function ofKeyAndValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  const member = new Uint8Array(SIZES.memberKey)
  member.set(key.subarray(8, 28), 0)
  member.set(value.subarray(0, SIZES.endpoint), SIZES.vipKey)
  return member
}

function entriesOf({ keys, values }: BpfEntries, layout: Layout): Entry[] {
  const { keySize, valueSize, memberOf } = layout
  return Array.from({ length: keys.length / keySize }, (_, index) => {
    const key = keys.subarray(index * keySize, (index + 1) * keySize)
    return {
      key,
      member: memberOf(key, values.subarray(index * valueSize, (index + 1) * valueSize)),
    }
  })
}

function matching(dump: BpfEntries, layout: Layout, members: ReadonlySet<string>): Entry[] {
  return entriesOf(dump, layout).filter(({ member }) => members.has(textOf(member)))
}

function membersOf(leavers: readonly Leaver[]): ReadonlySet<string> {
  return new Set(
    leavers.map(({ key, backend }) =>
      textOf(encodeMemberKey(encodeVipKey(parseServiceKey(key)), backend)),
    ),
  )
}

function isStray(member: Uint8Array, has: (leaver: Leaver) => boolean): boolean {
  const vip = decodeVipKey(member, 0)
  if (vip === undefined) return false
  return !has({ key: serviceKeyOf(vip), backend: decodeEndpoint(member, SIZES.vipKey) })
}

function targetOf({ key, member }: Entry): SocketTarget {
  const cookie = new DataView(key.buffer, key.byteOffset).getBigUint64(0, true)
  return { cookie, ...decodeEndpoint(member, SIZES.vipKey) }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
