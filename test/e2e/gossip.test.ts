import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { agreement, allAlive, startAll } from '../../bench/gossip/agreement.ts'
import { Fleet, type FleetNode } from '../../bench/gossip/fleet.ts'
import { addNetwork, setLink, setLoss } from '../../bench/gossip/network.ts'
import { type FleetPlaces, openPlaces } from '../../bench/gossip/places.ts'
import { navstarProgram } from '../../bench/gossip/program.ts'
import { machineMs } from '../../bench/gossip/program-event.ts'
import { changeDelays, delaysUntil } from '../../bench/gossip/sightings.ts'
import { cleanUp } from '../../src/demo/places/cleanup.ts'
import { requireFeature } from '../feature.ts'

const SIZE = 8
const LOSS_PERCENT = 5

interface Running {
  readonly places: FleetPlaces
  readonly fleet: Fleet
}

/** The tests follow one fleet through its life, in this order. */
describe(`gossip of ${SIZE} processes on a network that loses ${LOSS_PERCENT} % of all packets`, () => {
  let running: Promise<Running> | undefined
  const open = async (ctx: TestContext): Promise<Running> => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, 'nftables')
    running ??= openFleet()
    return running
  }
  afterAll(async () => {
    const open = await running?.catch(() => undefined)
    if (open !== undefined) await closeFleet(open)
  })

  it('makes everyone know everyone when all start at once', async (ctx) => {
    const { fleet } = await open(ctx)
    expect(await startAll(fleet)).toBeLessThan(30_000)
    expect(await agreement(fleet, fleet.nodes)).toEqual({ nodes: SIZE, of: SIZE })
  })

  it('brings a change to everyone within two seconds', async (ctx) => {
    const { fleet } = await open(ctx)
    for (const node of fleet.nodes) {
      const value = `value-of-${node.number}`
      fleet.tell([node], `publish ${value}`)
      await fleet.until('changed', 5_000, () => hasValue(fleet.nodes, node, value))
      const delays = changeDelays(fleet, [{ node, value }]).flat()
      expect(Math.max(...delays.map((delay) => delay ?? Number.POSITIVE_INFINITY))).toBeLessThan(
        2_000,
      )
    }
  })

  it('makes all doubt a node within two seconds when its cable is cut, and trust it again', async (ctx) => {
    const { places, fleet } = await open(ctx)
    const subject = fleet.node(SIZE)
    const others = fleet.nodes.filter((node) => node !== subject)
    const fromMs = machineMs()
    await setLink(places, subject.number, 'down')
    const isDoubted = () => others.every(({ states }) => states.get(subject.name) !== 'alive')
    await fleet.until('doubted', 10_000, isDoubted)
    const states = ['doubted', 'dead']
    const delays = delaysUntil(others, { subject, states, fromMs })
    expect(Math.max(...delays.map((delay) => delay ?? Number.POSITIVE_INFINITY))).toBeLessThan(
      2_000,
    )
    await setLink(places, subject.number, 'up')
    await fleet.until('trusted', 20_000, () => allAlive(fleet.nodes))
  })

  it('makes all know the same after quiet: members, incarnations, versions, records', async (ctx) => {
    const { fleet } = await open(ctx)
    expect(await agreement(fleet, fleet.nodes)).toEqual({ nodes: SIZE, of: SIZE })
  })

  it('leaves nothing behind', async (ctx) => {
    const { places, fleet } = await open(ctx)
    await closeFleet({ places, fleet })
    const namespaces = await readdir('/run/netns')
    expect(namespaces.filter((name) => name.startsWith(places.namespacePrefix))).toEqual([])
    expect([places.cgroup, places.stateDirectory].filter(existsSync)).toEqual([])
  })
})

async function openFleet(): Promise<Running> {
  const places = await openPlaces()
  try {
    await addNetwork(places, SIZE)
    await setLoss(places, SIZE, LOSS_PERCENT)
    const fleet = await Fleet.open(places, SIZE, await navstarProgram(places, 'nodes'))
    return { places, fleet }
  } catch (error) {
    await cleanUp(places)
    throw error
  }
}

async function closeFleet({ places, fleet }: Running): Promise<void> {
  await fleet.close()
  await cleanUp(places)
}

function hasValue(nodes: readonly FleetNode[], { name }: FleetNode, value: string): boolean {
  return nodes.every(({ values }) => values.get(name) === value)
}
