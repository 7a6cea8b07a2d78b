import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Ip } from '../../src/model/ip.ts'
import {
  fact,
  heldBy,
  LOOPBACK,
  metricOf,
  RunningNodes,
  startThree,
  statesSeenBy,
} from './running-nodes.ts'

let nodes: RunningNodes

beforeEach(async () => {
  nodes = await RunningNodes.open()
})
afterEach(() => nodes.close())

vi.setConfig({ testTimeout: 60_000 })
const SOON = { timeout: 40_000, interval: 10 }

describe('a node that does not come back', () => {
  test('is forgotten by all when one says so; one that lives is not', async () => {
    const [first, second, third] = await startThree(nodes)
    third.own.update([fact('name', 'x')], true)
    await vi.waitFor(() => expect(heldBy(first)).toHaveLength(1), SOON)
    const { self } = third.gossip
    expect(() => first.gossip.forget(self)).toThrow(
      expect.objectContaining({ code: 'GOSSIP_MEMBER_ALIVE' }),
    )
    await third.gossip.leave()
    await third.stop()
    await vi.waitFor(() => expect(statesSeenBy(first)).toContain('left'), SOON)
    expect(first.gossip.forget(self)).toMatchObject({ member: { id: self }, isPending: false })
    for (const node of [first, second]) {
      await vi.waitFor(() => expect(statesSeenBy(node)).toEqual(['alive', 'alive']), SOON)
      expect(heldBy(node)).toEqual([])
    }
    expect(() => first.gossip.forget(self)).toThrow(
      expect.objectContaining({ code: 'GOSSIP_MEMBER_UNKNOWN' }),
    )
    expect(await metricOf(second, 'navstar_gossip_evictions_total')).toBe(1)
    const again = await nodes.start('c')
    await vi.waitFor(() => expect(statesSeenBy(first)).toHaveLength(3), SOON)
    expect(again.gossip.self).toBe(self)
  })

  test('is forgotten later while it is only doubted, and not before it is dead', async () => {
    const [first, , third] = await startThree(nodes)
    await vi.waitFor(() => expect(statesSeenBy(first)).toHaveLength(3), SOON)
    await third.stop()
    await vi.waitFor(() => expect(statesSeenBy(first)).toContain('doubted'), SOON)
    expect(first.gossip.forget(third.gossip.self).isPending).toBe(true)
    const member = () => first.gossip.members.snapshot.rows.get(third.gossip.self)
    await vi.waitFor(() => expect(member()?.isEvicted).toBe(true), SOON)
    await vi.waitFor(() => expect(member()).toBeUndefined(), SOON)
  })

  test('nor does its agent: a living member there is told, and no other forgotten', async () => {
    const [first, second, third] = await startThree(nodes)
    await vi.waitFor(() => expect(statesSeenBy(first)).toEqual(['alive', 'alive', 'alive']), SOON)
    const heard: string[] = []
    second.gossip.onAgentGone((agent, from) => heard.push(`${agent} ${from}`))
    await third.gossip.leave()
    await vi.waitFor(() => expect(statesSeenBy(first)).toContain('left'), SOON)
    first.gossip.agentGone('127.0.0.9' as Ip, 'a-S0')
    first.gossip.agentGone(LOOPBACK, 'a-S1')
    await vi.waitFor(() => expect(heard).toEqual([`a-S1 ${first.gossip.self}`]), SOON)
    expect(statesSeenBy(first)).toEqual(['alive', 'alive'])
  })
})
