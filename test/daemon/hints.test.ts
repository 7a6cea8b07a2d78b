import { expect, test } from 'vitest'
import { forwardHints } from '../../src/daemon/hints.ts'
import type { Ip } from '../../src/model/ip.ts'

const OWN_AGENT = '10.0.0.1' as Ip
const OWN_NODE = '10.1.0.1' as Ip
const OTHER = '10.0.0.2' as Ip

test('a hint for this node’s agent polls it, for another goes there; until it ends', () => {
  const listeners = new Set<(address: Ip) => void>()
  const told: string[] = []
  const end = forwardHints({
    masters: {
      onHint: (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    mesos: { agentIp: () => OWN_AGENT, pollSoon: () => void told.push('poll') },
    gossip: { hint: (address) => void told.push(address) },
    nodeIp: () => OWN_NODE,
  })
  for (const address of [OWN_AGENT, OTHER, OWN_NODE]) {
    for (const listener of listeners) listener(address)
  }
  expect(told).toEqual(['poll', OTHER, 'poll'])
  end()
  expect(listeners.size).toBe(0)
})
