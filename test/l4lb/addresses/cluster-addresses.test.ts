import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { decodeAddressClaim } from '../../../src/l4lb/addresses/address-claim.ts'
import type { VipRange } from '../../../src/l4lb/addresses/address-space.ts'
import { RECORD_KINDS } from '../../../src/model/record.ts'
import { ip, record, vip } from '../records.ts'
import { runs } from '../runs.ts'
import { PlayedNode, settled } from './cluster-nodes.ts'

/** Names contend, but each finds an address. */
const RANGES: readonly VipRange[] = [{ first: ip('11.0.0.0'), last: ip('11.0.0.9') }]
const NAMES = Array.from({ length: 8 }, (_, index) => `name-${index}`)
const NODES = 4

type Step =
  | { readonly kind: 'task'; readonly node: number; readonly name: string; readonly isUp: boolean }
  | { readonly kind: 'hear'; readonly node: number; readonly from: number }
  | { readonly kind: 'restart'; readonly node: number }
  | { readonly kind: 'complete'; readonly node: number }
  | { readonly kind: 'time' }

const node = fc.nat(NODES - 1)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('task' as const),
      node,
      name: fc.constantFrom(...NAMES),
      isUp: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('hear' as const), node, from: node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('complete' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const) }) },
)

/** Some nodes, each of which hears of others only what a step says. */
class Cluster {
  readonly clock = new VirtualClock()
  readonly nodes: PlayedNode[] = []

  async start(number: number, before?: PlayedNode): Promise<void> {
    const parts = { number, ranges: RANGES, clock: this.clock }
    const started = await PlayedNode.start(before ? { ...parts, kept: before.kept } : parts)
    started.own.update(before?.own.snapshot.rows ?? [])
    this.nodes[number] = started
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'time') return this.clock.advance(25_000)
    const at = this.nodes[step.node]
    if (at === undefined) return
    if (step.kind === 'restart') {
      await at.close()
      await this.start(step.node, at)
    }
    if (step.kind === 'complete') at.complete()
    if (step.kind === 'hear') this.hear(step.node, step.from)
    if (step.kind === 'task') {
      const address = ip(`10.0.0.${step.node + 1}`)
      at.set(record({ vip: vip(`/${step.name}`), address, nodeIp: address }), step.isUp)
    }
    await settled()
  }

  hear(to: number, from: number): void {
    const [listener, speaker] = [this.nodes[to], this.nodes[from]]
    if (listener !== undefined && speaker !== undefined && to !== from)
      listener.gossip.hear(speaker.id, speaker.told)
  }

  /** Everyone hears everyone until nobody has anything new. @returns how often that took */
  async heal(): Promise<number> {
    for (const each of this.nodes) each.complete()
    await settled()
    for (let round = 1; round < 12; round++) {
      const before = this.nodes.map(({ publisher }) => publisher?.records.snapshot.revision)
      for (let to = 0; to < NODES; to++)
        for (let from = 0; from < NODES; from++) this.hear(to, from)
      await settled()
      const after = this.nodes.map(({ publisher }) => publisher?.records.snapshot.revision)
      if (before.join() === after.join()) return round
    }
    return Number.POSITIVE_INFINITY
  }

  async close(): Promise<void> {
    for (const each of this.nodes) await each.close()
  }
}

function planOf({ addresses }: PlayedNode): Record<string, string> {
  const entries = NAMES.flatMap((name) => {
    const address = addresses.addressOf(`${name}.marathon`, 4)
    return address === undefined ? [] : [[name, address]]
  })
  return Object.fromEntries(entries)
}

/** Names with backends at the node, and what it claims for them. */
function claimsOf({ told, own }: PlayedNode): Record<string, string> {
  const used = new Set(own.snapshot.rows.valueSeq().map(({ vip: each }) => JSON.stringify(each)))
  const claims: Record<string, string> = {}
  for (const each of told.values()) {
    if (each.kind !== RECORD_KINDS.addressClaim) continue
    const read = decodeAddressClaim({ ...each, node: '' as PlayedNode['id'] })
    if (!('claim' in read)) throw read.problem
    const label = read.subject.name.replace('.marathon', '')
    if (used.has(JSON.stringify(vip(`/${label}`)))) claims[label] = read.claim.address
  }
  return claims
}

test('all nodes agree on all addresses after any partitions, merges, restarts and changes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      const cluster = new Cluster()
      for (let number = 0; number < NODES; number++) await cluster.start(number)
      try {
        for (const step of steps) await cluster.take(step)
        expect(await cluster.heal()).toBeLessThan(8)
        const [first, ...others] = cluster.nodes.map(planOf)
        for (const other of others) expect(other).toEqual(first)
        const addresses = Object.values(first ?? {})
        expect(new Set(addresses).size).toBe(addresses.length)
        for (const each of cluster.nodes) {
          const names = new Set(
            [...each.own.snapshot.rows.values()].map((backend) =>
              backend.vip.kind === 'named' ? backend.vip.label : '',
            ),
          )
          expect(new Set(Object.keys(claimsOf(each)))).toEqual(names)
          expect(first).toMatchObject(claimsOf(each))
        }
      } finally {
        await cluster.close()
      }
    }),
    runs(120),
  )
}, 60_000)
