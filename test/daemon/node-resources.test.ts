import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { Table } from '../../src/base/table.ts'
import { gossipStatusView, type NodesView, nodeResources } from '../../src/daemon/node-resources.ts'
import type { Gossip } from '../../src/gossip/gossip.ts'
import { type Ip, parseIp } from '../../src/model/ip.ts'
import type { Member, MemberState } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'

const SELF = 'a'.repeat(32) as NodeId

function member(id: string, state: MemberState, heldVersion = 7): Member {
  return {
    id: id.repeat(32) as NodeId,
    endpoint: { address: parseIp('fd00::1') as Ip, port: 62_501 },
    state,
    incarnation: 3,
    isSelf: id === 'a',
    heldVersion,
    knownVersion: 7,
    recordCount: 2,
  }
}

function gossipOf(members: readonly Member[], given: Partial<Gossip> = {}): Gossip {
  return {
    self: SELF,
    clusterId: 'blue',
    members: new Table(),
    records: new Table(),
    currentMembers: () => members,
    endpoint: () => ({ address: parseIp('10.0.0.1') as Ip, port: 62_501 }),
    isIsolated: () => false,
    publish: () => undefined,
    report: () => undefined,
    hint: () => undefined,
    onHint: () => () => undefined,
    agentGone: () => undefined,
    onAgentGone: () => () => undefined,
    forget: () => {
      throw new Error('asked')
    },
    leave: async () => undefined,
    ...given,
  }
}

function ask(gossip: Gossip, resource: string, body?: unknown): unknown {
  return nodeResources(gossip)[resource]?.(new URLSearchParams(), body)
}

test('nodes are listed by id, with what is held of them', () => {
  const gossip = gossipOf([member('b', 'doubted', 5), member('a', 'alive')])
  const view = ask(gossip, '/v1/navstar/nodes') as NodesView
  expect(view).toMatchObject({
    self: SELF,
    clusterId: 'blue',
    isIsolated: false,
    isComplete: false,
  })
  expect(view.nodes.map(({ id }) => id[0])).toEqual(['a', 'b'])
  expect(view.nodes[1]).toMatchObject({
    address: '[fd00::1]:62501',
    state: 'doubted',
    heldVersion: 5,
    knownVersion: 7,
    records: 2,
  })
})

test('the status counts members by state, and whose versions are missing', () => {
  const members = [member('a', 'alive'), member('b', 'dead', 5), member('c', 'left', 0)]
  expect(gossipStatusView(gossipOf(members))).toEqual({
    self: SELF,
    clusterId: 'blue',
    listen: '10.0.0.1:62501',
    isIsolated: false,
    isComplete: false,
    members: { alive: 1, doubted: 0, dead: 1, left: 1 },
    records: 0,
    missingVersions: 1,
  })
})

test('a node leaves when it is told', async () => {
  let hasLeft = false
  const leave = async () => {
    hasLeft = true
  }
  await expect(ask(gossipOf([], { leave }), 'POST /v1/navstar/leave')).resolves.toEqual({
    left: SELF,
  })
  expect(hasLeft).toBe(true)
})

test('a node alone cannot leave', async () => {
  const alone = gossipOf([], { clusterId: undefined })
  await expect(ask(alone, 'POST /v1/navstar/leave')).rejects.toMatchObject({
    code: 'ADMIN_REQUEST_INVALID',
  })
})

describe('to forget a node', () => {
  const FORGET = 'POST /v1/navstar/nodes/forget'
  const members = [member('a', 'alive'), member('b', 'dead'), member('c', 'doubted')]
  const forget = (id: NodeId) => {
    const found = members.find((each) => each.id === id)
    if (found === undefined) throw new NavstarError('GOSSIP_MEMBER_UNKNOWN', { attempt: 'test' })
    return { member: found, isPending: found.state === 'doubted' }
  }
  const gossip = gossipOf([...members, { ...member('c', 'left'), id: 'cd'.repeat(16) as NodeId }], {
    forget,
  })

  test.each([
    ['its id', 'b'.repeat(32), { id: 'b'.repeat(32), state: 'forgotten' }],
    ['how its id begins', 'b', { id: 'b'.repeat(32), state: 'forgotten' }],
    ['how only its id begins', 'cc', { id: 'c'.repeat(32), state: 'pending' }],
  ])('takes %s', (_name, node, view) => {
    expect(ask(gossip, FORGET, { node })).toEqual({ ...view, address: '[fd00::1]:62501' })
  })

  test.each([
    ['nothing', undefined, 'ADMIN_REQUEST_INVALID'],
    ['no id', { node: 'web.1' }, 'ADMIN_REQUEST_INVALID'],
    ['an empty id', { node: '' }, 'ADMIN_REQUEST_INVALID'],
    ['how two ids begin', { node: 'c' }, 'ADMIN_REQUEST_INVALID'],
    ['how no id begins', { node: 'f' }, 'GOSSIP_MEMBER_UNKNOWN'],
    ['the id of nobody', { node: 'f'.repeat(32) }, 'GOSSIP_MEMBER_UNKNOWN'],
  ])('does not take %s', (_name, body, code) => {
    expect(() => ask(gossip, FORGET, body)).toThrow(expect.objectContaining({ code }))
  })
})
