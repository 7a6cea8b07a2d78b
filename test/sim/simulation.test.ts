import { describe, expect, it } from 'vitest'
import { nudge, openPair } from './recorder.ts'

const SEQUENCES = Array.from({ length: 200 }, (_, index) => index)

describe('simulated network', () => {
  it('carries datagrams within the delay of the link', () => {
    const { simulation, hosts, engines } = openPair()
    engines[0].send(hosts[1], 'datagram', 7)
    nudge(simulation, hosts[0])
    simulation.runFor(0.3)
    expect(engines[1].heard).toEqual([])
    simulation.runFor(5)
    expect(engines[1].heard).toEqual([7])
  })

  it('loses, doubles and reorders datagrams, but nothing of a stream', () => {
    const network = { lossRate: 0.3, duplicateRate: 0.2, reorderRate: 0.2 }
    const { simulation, hosts, engines } = openPair(network)
    engines[0].send(hosts[1], 'datagram', ...SEQUENCES)
    nudge(simulation, hosts[0])
    simulation.runFor(100)
    const { heard } = engines[1]
    expect(new Set(heard).size).toBeLessThan(200)
    expect(heard.length).toBeGreaterThan(new Set(heard).size)
    expect(heard).not.toEqual(heard.toSorted((left, right) => left - right))
    engines[1].noted.length = 0
    engines[0].send(hosts[1], 'stream', ...SEQUENCES)
    nudge(simulation, hosts[0])
    simulation.runFor(60_000)
    expect(engines[1].heard).toEqual(SEQUENCES)
  })

  it('cuts one direction only', () => {
    const { simulation, hosts, engines } = openPair()
    const heal = simulation.network.cut([hosts[0]], [hosts[1]])
    engines[0].send(hosts[1], 'datagram', 1)
    engines[1].send(hosts[0], 'datagram', 2)
    for (const host of hosts) nudge(simulation, host)
    simulation.runFor(10)
    expect([engines[0].heard, engines[1].heard]).toEqual([[2], []])
    heal()
    engines[0].send(hosts[1], 'datagram', 3)
    nudge(simulation, hosts[0])
    simulation.runFor(10)
    expect(engines[1].heard).toEqual([3])
  })

  it('tells the sender once when a stream breaks', () => {
    const { simulation, hosts, engines } = openPair()
    simulation.crash(hosts[1], { keepsDisk: true })
    engines[0].send(hosts[1], 'stream', 1, 2, 3)
    nudge(simulation, hosts[0])
    simulation.runFor(5000)
    const kinds = engines[0].noted.map(({ input }) => input.kind)
    expect(kinds.filter((kind) => kind === 'unreachable')).toHaveLength(1)
  })
})

describe('simulated host', () => {
  it('ticks when the engine is due, at most a timer late', () => {
    const { simulation, hosts, engines } = openPair()
    engines[0].nextDueMs = hosts[0].clockOffsetMs + 50
    nudge(simulation, hosts[0])
    simulation.runFor(100)
    const [tick] = engines[0].noted.filter(({ input }) => input.kind === 'tick')
    const atMs = (tick?.nowMs ?? 0) - hosts[0].clockOffsetMs
    expect(atMs).toBeGreaterThanOrEqual(50)
    expect(atMs).toBeLessThan(51.1)
  })

  it('wakes from a standstill with the late tick, then what fitted the socket buffer', () => {
    const { simulation, hosts, engines } = openPair({ socketBufferDatagrams: 10, jitterMs: 0 })
    engines[1].nextDueMs = hosts[1].clockOffsetMs + 50
    nudge(simulation, hosts[1])
    simulation.pause(hosts[1], 1000)
    engines[0].send(hosts[1], 'datagram', ...SEQUENCES)
    nudge(simulation, hosts[0])
    simulation.runFor(999)
    expect(engines[1].noted).toHaveLength(2)
    simulation.runFor(2)
    const later = engines[1].noted.slice(2)
    expect(later.map(({ input }) => input.kind)).toEqual(['tick', ...Array(10).fill('received')])
    expect(later[0]?.nowMs).toBe(hosts[1].clockOffsetMs + 1000)
  })

  it('keeps its identity with its disk, and never goes back in its numbers', () => {
    const { simulation, hosts } = openPair()
    const [host] = hosts
    const { node } = host
    host.dateOffsetMs = -86_400_000
    simulation.crash(host, { keepsDisk: true })
    simulation.start(host, {})
    expect(host.node).toBe(node)
    expect(simulation.announcementOf(host).incarnation).toBeGreaterThan(1)
    simulation.crash(host, { keepsDisk: false })
    simulation.start(host, {})
    expect(host.node).not.toBe(node)
  })
})
