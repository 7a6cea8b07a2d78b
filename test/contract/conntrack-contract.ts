/** What every implementation of connection tracking does; the kernel's is the measure. */
import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import {
  type Conntrack,
  type ConntrackEndpoint,
  type ConntrackEntry,
  type ConntrackFlow,
  type ConntrackProtocol,
  isOfFlow,
} from '../../src/kernel/conntrack.ts'
import type { Ip } from '../../src/model/ip.ts'

/** The connections of a network namespace, none at first. */
export interface OpenedConntrack {
  readonly conntrack: Conntrack
  insert(entries: readonly ConntrackEntry[]): void | Promise<void>
  close(): void | Promise<void>
}

const VIP = at('11.0.0.1', 53)
const VIP6 = at('fd01:c::5', 53)
const ONE = at('10.0.0.1', 5353)
const TWO = at('10.0.0.2', 5353)
const SIX = at('fd00::1', 5353)

/** Two backends of a VIP, the same backend by another VIP, protocol and port, and IPv6. */
const ENTRIES: readonly ConntrackEntry[] = [
  entry('udp', at('10.0.0.9', 1001), VIP, ONE),
  entry('udp', at('10.0.0.9', 1002), VIP, ONE),
  entry('udp', at('10.0.0.9', 1003), VIP, TWO),
  entry('udp', at('10.0.0.9', 1004), at('11.0.0.2', 53), ONE),
  entry('udp', at('10.0.0.9', 1005), at('11.0.0.1', 54), ONE),
  entry('udp', at('10.0.0.9', 1006), VIP, at('10.0.0.1', 5354)),
  entry('udp', at('10.0.0.9', 1007), ONE, ONE),
  entry('tcp', at('10.0.0.9', 1001), VIP, ONE),
  entry('udp', at('fd00::9', 1001), VIP6, SIX),
]

const CASES: readonly {
  readonly name: string
  readonly flows: readonly ConntrackFlow[]
  readonly count: number
}[] = [
  { name: 'no flow', flows: [], count: 0 },
  { name: 'a VIP at a backend', flows: [flow('udp', VIP, ONE)], count: 2 },
  { name: 'a VIP at all backends', flows: [flow('udp', VIP)], count: 4 },
  { name: 'a VIP by TCP', flows: [flow('tcp', VIP)], count: 1 },
  { name: 'IPv6', flows: [flow('udp', VIP6, SIX)], count: 1 },
  { name: 'IPv6 at all backends', flows: [flow('udp', VIP6)], count: 1 },
  { name: 'IPv6 at another backend', flows: [flow('udp', VIP6, at('fd00::2', 5353))], count: 0 },
  { name: 'a backend without a VIP', flows: [flow('udp', ONE, ONE)], count: 1 },
  {
    name: 'several flows, one named twice',
    flows: [flow('udp', VIP, TWO), flow('udp', VIP), flow('tcp', VIP, ONE), flow('udp', VIP6)],
    count: 6,
  },
  {
    name: 'many VIPs of a backend',
    flows: [VIP, at('11.0.0.2', 53), at('11.0.0.1', 54), at('11.0.0.5', 1), VIP6].map((vip) =>
      flow('udp', vip, ONE),
    ),
    count: 4,
  },
  {
    name: 'many backends of a VIP',
    flows: [ONE, TWO, at('10.0.0.1', 5354), at('10.0.0.3', 1), SIX].map((backend) =>
      flow('udp', VIP, backend),
    ),
    count: 4,
  },
  {
    name: 'many backends of an IPv6 VIP, one of them',
    flows: [SIX, ...[2, 3, 4, 5].map((number) => at(`fd00::${number}`, 5353))].map((backend) =>
      flow('udp', VIP6, backend),
    ),
    count: 1,
  },
  {
    name: 'flows that there are not',
    flows: [flow('sctp', VIP), flow('udp', at('11.0.0.3', 53))],
    count: 0,
  },
]

/** Runs the suite. */
export function conntrackContract(
  title: string,
  open: (ctx: TestContext) => Promise<OpenedConntrack>,
): void {
  describe(title, () => {
    let opened: OpenedConntrack
    beforeEach(async (ctx) => {
      opened = await open(ctx)
      onTestFinished(() => opened.close())
      await opened.insert(ENTRIES)
    })

    test.each(CASES)('$name: $count found and deleted, no others', async ({ flows, count }) => {
      const { conntrack } = opened
      const isMeant = (one: ConntrackEntry) => flows.some((wanted) => isOfFlow(one, wanted))
      const found = await conntrack.entries(flows)
      expect(texts(found)).toEqual(texts(ENTRIES.filter(isMeant)))
      expect(found).toHaveLength(count)
      expect(await conntrack.delete(flows)).toBe(count)
      expect(await conntrack.entries(flows)).toEqual([])
      const kept = ENTRIES.filter((one) => !isMeant(one))
      expect(texts(await conntrack.entries(ENTRIES.map(flowOf)))).toEqual(texts(kept))
      expect(await conntrack.delete(flows)).toBe(0)
    })

    test('connections are tracked, but not those that are known or whose answers are another’s', async () => {
      const { conntrack } = opened
      const from = (port: number) => ({ source: at('10.0.0.9', port), destination: ONE })
      // 1001 reaches ONE through the VIP; 1003 is tracked twice.
      const given = [from(1001), from(1002), from(1003), from(1003)]
      given.push({ source: at('fd00::9', 1002), destination: SIX })
      expect(await conntrack.track(given, 500)).toBe(3)
      expect(await conntrack.track(given, 500)).toBe(0)
      const found = await conntrack.entries([flow('tcp', ONE), flow('tcp', SIX)])
      const wanted = [given[1], given[2], given[4]].flatMap((original) =>
        original === undefined
          ? []
          : [{ original, reply: { source: original.destination, destination: original.source } }],
      )
      expect(texts(found)).toEqual(
        texts(wanted.map((tuples) => ({ protocol: 'tcp', ...tuples, timeoutSeconds: 500 }))),
      )
    })

    test('the time that a connection is kept is told', async () => {
      const [found] = await opened.conntrack.entries([flow('tcp', VIP)])
      expect(found?.timeoutSeconds).toBeGreaterThan(500)
      expect(found?.timeoutSeconds).toBeLessThanOrEqual(600)
    })
  })
}

function at(address: string, port: number): ConntrackEndpoint {
  return { address: address as Ip, port }
}

function entry(
  protocol: ConntrackProtocol,
  client: ConntrackEndpoint,
  ...[vip, backend]: readonly [ConntrackEndpoint, ConntrackEndpoint]
): ConntrackEntry {
  return {
    protocol,
    original: { source: client, destination: vip },
    reply: { source: backend, destination: client },
    timeoutSeconds: 600,
  }
}

function flow(
  protocol: ConntrackProtocol,
  originalDestination: ConntrackEndpoint,
  replySource?: ConntrackEndpoint,
): ConntrackFlow {
  return { protocol, originalDestination, ...(replySource && { replySource }) }
}

function flowOf(one: ConntrackEntry): ConntrackFlow {
  return flow(one.protocol, one.original.destination, one.reply.source)
}

/** Without what time changes. */
function texts(entries: readonly ConntrackEntry[]): readonly string[] {
  return entries
    .map(({ protocol, original, reply }) => JSON.stringify({ protocol, original, reply }))
    .sort()
}
