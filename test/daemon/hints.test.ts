import { beforeEach, expect, test } from 'vitest'
import { Scope } from '../../src/base/scope.ts'
import { endOfTurn } from '../../src/base/turn.ts'
import { forwardHints } from '../../src/daemon/hints.ts'
import type { Ip } from '../../src/model/ip.ts'

const OWN_AGENT = '10.0.0.1' as Ip
const OWN_NODE = '10.1.0.1' as Ip
const OTHER = '10.0.0.2' as Ip

let scope: Scope
let listeners: Set<(address: Ip) => void>
let told: string[]

beforeEach(() => {
  scope = new Scope((error) => told.push(String(error)))
  listeners = new Set()
  told = []
  forwardHints({
    masters: {
      onHint: (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    mesos: { agentIp: () => OWN_AGENT, pollSoon: () => void told.push('poll') },
    gossip: { hint: (address) => void told.push(address) },
    nodeIp: () => OWN_NODE,
    scope,
  })
})

function hint(...addresses: readonly Ip[]): void {
  for (const address of addresses) for (const listener of listeners) listener(address)
}

test('a hint for this node’s agent polls it, for another goes there, within a turn', async () => {
  hint(OWN_AGENT, OTHER, OWN_NODE)
  await endOfTurn()
  expect(told).toEqual(['poll', 'poll', OTHER])
})

test('a storm goes a few in a turn, each agent once, all in the end', async () => {
  const all = Array.from({ length: 1000 }, (_, index) => `10.2.${index >> 8}.${index & 255}` as Ip)
  hint(...all)
  expect(told.length).toBeLessThan(20)
  hint(...all.slice(500))
  for (let before = -1; before < told.length; await endOfTurn()) {
    expect(told.length - Math.max(before, 0)).toBeLessThan(40)
    before = told.length
  }
  expect(told).toEqual(all)
  hint(OTHER)
  await endOfTurn()
  expect(told.at(-1)).toBe(OTHER)
})

test('with the scope it ends', async () => {
  hint(OTHER)
  await scope.close()
  expect(told).toEqual([OTHER])
  expect(listeners.size).toBe(0)
})
