import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressClaim } from '../../../src/l4lb/addresses/address-claim.ts'
import { AddressPlanner, type VipRange } from '../../../src/l4lb/addresses/address-plan.ts'
import { addressSpaceOf, firstCandidate } from '../../../src/l4lb/addresses/address-space.ts'
import { type Ip, ipFromBigint, ipToBigint } from '../../../src/model/ip.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { ip, nodeId } from '../records.ts'
import { runs } from '../runs.ts'

interface Claim {
  readonly name: string
  readonly node: NodeId
  readonly claim: AddressClaim | undefined
}

type Step = Claim | { readonly name: string; readonly isWanted: boolean }

/** What is claimed and wanted. */
interface World {
  /** By name and node. */
  readonly claims: Map<string, Claim & { readonly claim: AddressClaim }>
  readonly wanted: Set<string>
}

const FIRST = ipToBigint(ip('11.0.0.0'))
const rangeOf = (size: number): VipRange => ({
  first: ip('11.0.0.0'),
  last: ipFromBigint(FIRST + BigInt(size), 4),
})
const anyRange = fc.nat(9).map(rangeOf)
const anyName = fc.nat(11).map((number) => `name-${number}.marathon`)
const anyNode = fc.nat(3).map(nodeId)
/** One address is outside of each range. */
const anyClaim: fc.Arbitrary<AddressClaim> = fc.record({
  address: fc.nat(10).map((offset) => ipFromBigint(FIRST + BigInt(offset), 4)),
  claimedAtMs: fc.nat(4),
})
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ name: anyName, isWanted: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      name: anyName,
      node: anyNode,
      claim: fc.option(anyClaim, { nil: undefined, freq: 4 }),
    }),
  },
)

function apply(step: Step, world: World): void {
  if ('isWanted' in step) {
    if (step.isWanted) world.wanted.add(step.name)
    else world.wanted.delete(step.name)
    return
  }
  const { claim } = step
  const key = `${step.name} ${step.node}`
  if (claim === undefined) world.claims.delete(key)
  else world.claims.set(key, { ...step, claim })
}

function tell(planner: AddressPlanner, step: Step): void {
  if ('isWanted' in step) planner.want(step.name, step.isWanted)
  else planner.claim(step.name, step.node, step.claim)
}

/** The earliest valid claim of each name, in the order in which they count. */
function bidsOf({ claims }: World, { first, last }: VipRange): readonly Claim[] {
  const isInside = (address: Ip) =>
    ipToBigint(address) >= ipToBigint(first) && ipToBigint(address) <= ipToBigint(last)
  const valid = [...claims.values()].filter(({ claim }) => isInside(claim.address))
  const rank = ({ name, node, claim }: Claim) => `${claim?.claimedAtMs} ${name} ${node}`
  const sorted = valid.sort((left, right) => (rank(left) < rank(right) ? -1 : 1))
  return sorted.filter((bid, at) => sorted.findIndex(({ name }) => name === bid.name) === at)
}

/** The plan by the rule and nothing else. */
function oracle(world: World, range: VipRange): Map<string, Ip> {
  const plan = new Map<string, Ip>()
  const taken = new Set<Ip>()
  const bids = bidsOf(world, range)
  for (const { name, claim } of bids) {
    if (claim === undefined || taken.has(claim.address)) continue
    plan.set(name, claim.address)
    taken.add(claim.address)
  }
  const bidders = bids.map(({ name }) => name)
  const others = [...world.wanted].filter((name) => !bidders.includes(name)).sort()
  const space = addressSpaceOf(range)
  for (const name of [...bidders, ...others]) {
    for (let probe = 0n; probe < space.size && !plan.has(name); probe++) {
      const offset = (firstCandidate(name, space) + probe) % space.size
      const address = ipFromBigint(space.base + offset, 4)
      if (taken.has(address)) continue
      plan.set(name, address)
      taken.add(address)
    }
  }
  return plan
}

function emptyWorld(): World {
  return { claims: new Map(), wanted: new Set() }
}

function worldOf(steps: readonly Step[]): World {
  const world = emptyWorld()
  for (const step of steps) apply(step, world)
  return world
}

function plannerOf(world: World, range: VipRange): AddressPlanner {
  const planner = new AddressPlanner(range)
  for (const claim of world.claims.values()) tell(planner, claim)
  for (const name of world.wanted) planner.want(name, true)
  planner.settle()
  return planner
}

function planOf(world: World, range: VipRange): Map<string, Ip> {
  return new Map(plannerOf(world, range).addresses)
}

describe('the address plan of claims', () => {
  test('is that of the naive rule, after any changes, in batches', () => {
    const batches = fc.array(fc.array(anyStep, { maxLength: 4 }), { maxLength: 40 })
    fc.assert(
      fc.property(anyRange, batches, (range, steps) => {
        const planner = new AddressPlanner(range)
        const world = emptyWorld()
        let before = new Map<string, Ip>()
        for (const batch of steps) {
          for (const step of batch) {
            apply(step, world)
            tell(planner, step)
          }
          const moved = planner.settle()
          const expected = oracle(world, range)
          expect(new Map(planner.addresses)).toEqual(expected)
          const names = [...new Set([...before.keys(), ...expected.keys()])]
          const changed = names.filter((name) => before.get(name) !== expected.get(name))
          expect([...moved].sort()).toEqual(changed.sort())
          before = expected
        }
      }),
      runs(1500),
    )
  })

  test('is the same for every order of arrival, and never gives an address twice', () => {
    const orders = fc
      .array(anyStep, { maxLength: 40 })
      .map((steps) => worldOf(steps))
      .chain((world) => {
        const steps: Step[] = [
          ...world.claims.values(),
          ...[...world.wanted].map((name) => ({ name, isWanted: true })),
        ]
        const shuffled = fc.shuffledSubarray(steps, { minLength: steps.length })
        return fc.tuple(fc.constant(world), shuffled)
      })
    fc.assert(
      fc.property(anyRange, orders, (range, [world, steps]) => {
        const planner = new AddressPlanner(range)
        for (const step of steps) {
          tell(planner, step)
          planner.settle()
        }
        expect(new Map(planner.addresses)).toEqual(planOf(world, range))
        const addresses = [...planner.addresses.values()]
        expect(new Set(addresses).size).toBe(addresses.length)
      }),
      runs(500),
    )
  })

  test('stays when owners claim what it gave them, one after another in any order', () => {
    const worlds = fc.array(anyStep, { maxLength: 40 }).map(worldOf)
    fc.assert(
      fc.property(anyRange, worlds, fc.integer(), (range, world, seed) => {
        const plan = planOf(world, range)
        const planner = plannerOf(world, range)
        const claim = (name: string, node: NodeId, claimedAtMs: number) => {
          const address = plan.get(name)
          if (address !== undefined) planner.claim(name, node, { address, claimedAtMs })
          expect(planner.settle()).toEqual([])
        }
        const claims = [...world.claims.values()]
        claims.sort((left, right) => hash(left, seed) - hash(right, seed))
        for (const { name, node } of claims) {
          const claimedAtMs = planner.claimOf(name)?.claimedAtMs
          if (claimedAtMs !== undefined) claim(name, node, claimedAtMs)
        }
        const unclaimed = [...world.wanted].filter((name) => planner.claimOf(name) === undefined)
        for (const name of unclaimed) claim(name, nodeId(9), 1000)
      }),
      runs(500),
    )
  })

  test('moves the loser of a merge to its next free address, and nobody else', () => {
    const planner = new AddressPlanner(rangeOf(255))
    const address = ip('11.0.0.7')
    planner.claim('late.marathon', nodeId(1), { address, claimedAtMs: 20 })
    planner.claim('other.marathon', nodeId(1), { address: ip('11.0.0.8'), claimedAtMs: 30 })
    expect([...planner.settle()].sort()).toEqual(['late.marathon', 'other.marathon'])
    planner.claim('early.marathon', nodeId(2), { address, claimedAtMs: 10 })
    expect([...planner.settle()].sort()).toEqual(['early.marathon', 'late.marathon'])
    const space = addressSpaceOf(rangeOf(255))
    const candidate = ipFromBigint(space.base + firstCandidate('late.marathon', space), 4)
    expect(planner.addresses.get('early.marathon')).toBe(address)
    expect(planner.addresses.get('late.marathon')).toBe(candidate)
  })

  test('is DC/OS’ first candidate without contention', () => {
    const planner = new AddressPlanner({ first: ip('11.0.0.0'), last: ip('11.255.255.255') })
    planner.want('web.marathon', true)
    planner.settle()
    const space = addressSpaceOf({ first: ip('11.0.0.0'), last: ip('11.255.255.255') })
    const candidate = ipFromBigint(space.base + firstCandidate('web.marathon', space), 4)
    expect(planner.addresses.get('web.marathon')).toBe(candidate)
    planner.claim('web.marathon', nodeId(1), { address: candidate, claimedAtMs: 5 })
    expect(planner.settle()).toEqual([])
  })
})

function hash({ name, node }: Claim, seed: number): number {
  let mixed = seed
  for (const letter of name + node) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193)
  return mixed
}
