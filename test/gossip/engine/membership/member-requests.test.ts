import { describe, expect, test } from 'vitest'
import { MemberRequests } from '../../../../src/gossip/engine/membership/member-requests.ts'
import { accuse, endpointOf, nodeOf, notaryOf } from '../nodes.ts'
import { Stand } from '../stand.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']

function open(): { stand: Stand; members: MemberRequests } {
  const stand = new Stand('self')
  stand.meet(...NAMES)
  stand.ground.membership.accuse(accuse(notaryOf('a'), nodeOf('b')), 0)
  return { stand, members: new MemberRequests(stand.ground) }
}

describe('a request for statements about members', () => {
  test('goes to a peer, not to a stranger and not to this node', () => {
    const { stand, members } = open()
    for (const name of ['a', 'stranger', 'self']) {
      stand.call(() => members.want(nodeOf(name), [nodeOf('x')]))
    }
    expect(stand.sent).toMatchObject([
      { to: nodeOf('a'), message: { kind: 'want-members', nodes: [nodeOf('x')] } },
    ])
  })

  test('is answered with what is known, doubts included', () => {
    const { stand, members } = open()
    const nodes = [nodeOf('b'), nodeOf('stranger')]
    const reply = { endpoint: endpointOf(1) }
    stand.call(() => members.onWant(nodeOf('a'), { kind: 'want-members', nodes }, reply))
    expect(stand.sent.map(({ to, channel, message }) => [to, channel, message.kind])).toEqual([
      [nodeOf('a'), 'datagram', 'announcement'],
      [nodeOf('a'), 'datagram', 'accusation'],
    ])
  })

  test('for many is answered over the stream', () => {
    const { stand, members } = open()
    const nodes = NAMES.map(nodeOf)
    const reply = { endpoint: endpointOf(1) }
    stand.call(() => members.onWant(nodeOf('a'), { kind: 'want-members', nodes }, reply))
    expect(stand.take('announcement').map(({ channel }) => channel)).toEqual(
      nodes.map(() => 'stream'),
    )
  })

  test('of a stranger is answered where it came from', () => {
    const { stand, members } = open()
    const nodes = [nodeOf('b')]
    const reply = { endpoint: endpointOf(77) }
    stand.call(() => members.onWant(nodeOf('stranger'), { kind: 'want-members', nodes }, reply))
    expect(stand.take('announcement').map(({ to }) => to)).toEqual(['10.0.0.77:62080'])
  })
})
