import { beforeEach, expect, test } from 'vitest'
import { Scope } from '../../src/base/scope.ts'
import { endOfTurn } from '../../src/base/turn.ts'
import { forwardGoneAgents } from '../../src/daemon/gone-agents.ts'
import type { FollowedMasters } from '../../src/mesos/mesos.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { NodeId } from '../../src/model/node-id.ts'

const OWN_AGENT = '10.0.0.1' as Ip
const OWN_NODE = '10.1.0.1' as Ip
const OTHER = '10.0.0.2' as Ip

type GoneListener = Parameters<FollowedMasters['onGone']>[0]

let scope: Scope
let fromMasters: Set<GoneListener>
let fromNodes: Set<(agent: string, from: NodeId) => void>
let told: string[]

function forward(isFollowing: boolean): void {
  const onGone: FollowedMasters['onGone'] = (listener) => {
    fromMasters.add(listener)
    return () => void fromMasters.delete(listener)
  }
  forwardGoneAgents({
    masters: isFollowing ? { onGone } : undefined,
    mesos: {
      agentIp: () => OWN_AGENT,
      agentGone: ({ agent, by }) => void told.push(`own ${agent}, says ${by}`),
    },
    gossip: {
      agentGone: (address, agent) => void told.push(`${address} ${agent}`),
      onAgentGone: (listener) => {
        fromNodes.add(listener)
        return () => void fromNodes.delete(listener)
      },
    },
    nodeIp: () => OWN_NODE,
    scope,
  })
}

beforeEach(() => {
  scope = new Scope((error) => told.push(String(error)))
  fromMasters = new Set()
  fromNodes = new Set()
  told = []
})

function isGone(...given: Parameters<GoneListener>): void {
  for (const listener of fromMasters) listener(...given)
}

test('an agent elsewhere is told to all, this node’s to the poller', async () => {
  forward(true)
  isGone('a-S1', OTHER, false)
  isGone('a-S2', OWN_AGENT, false)
  isGone('a-S3', OWN_NODE, false)
  await endOfTurn()
  expect(told).toEqual([
    'own a-S2, says the leading master',
    'own a-S3, says the leading master',
    `${OTHER} a-S1`,
  ])
})

test('where another agent is already, nothing is done', async () => {
  forward(true)
  for (const address of [OTHER, OWN_AGENT]) isGone('a-S1', address, true)
  await endOfTurn()
  expect(told).toEqual([])
})

test('a thousand go a few in a turn, all in the end', async () => {
  forward(true)
  for (let agent = 0; agent < 1000; agent++) isGone(`a-S${agent}`, OTHER, false)
  await endOfTurn()
  expect(told.length).toBeLessThan(40)
  for (let turn = 0; told.length < 1000 && turn < 1000; turn++) await endOfTurn()
  expect(new Set(told).size).toBe(1000)
})

test('what another node says reaches the poller, also without masters', async () => {
  forward(false)
  for (const listener of fromNodes) listener('a-S1', 'b'.repeat(32) as NodeId)
  expect(told).toEqual([`own a-S1, says node ${'b'.repeat(32)}`])
  await scope.close()
  expect(fromNodes.size + fromMasters.size).toBe(0)
})
