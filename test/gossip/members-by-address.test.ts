import { expect, test } from 'vitest'
import { MembersByAddress } from '../../src/gossip/members-by-address.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'

function at(address: string): Member {
  return { endpoint: { address, port: 62_501 } } as Member
}

function nodesAt(members: MembersByAddress, address: string): string[] {
  return [...members.at(address as Ip)]
}

test('members are found by address while they are known, where they are now', () => {
  const members = new MembersByAddress()
  const [a, b] = ['a', 'b'] as NodeId[] as [NodeId, NodeId]
  members.note([
    [a, at('10.0.0.1')],
    [b, at('10.0.0.1')],
  ])
  expect(nodesAt(members, '10.0.0.1')).toEqual(['a', 'b'])
  members.note([[a, at('10.0.0.2')]])
  expect(nodesAt(members, '10.0.0.1')).toEqual(['b'])
  expect(nodesAt(members, '10.0.0.2')).toEqual(['a'])
  members.note([[a, undefined]])
  expect(nodesAt(members, '10.0.0.2')).toEqual([])
})
