import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import type { PlaneKind } from '../../src/l4lb/plane.ts'
import { requireFeature } from '../feature.ts'
import { allCells, impossible, NETWORKS, PLACES, whyImpossible } from './matrix/cells.ts'
import { DECOY, type MatrixStage, openMatrix } from './matrix/stage.ts'
import { ADDRESS_PORT, EQUAL_PORT, labelOf, MANY, questionOf } from './matrix/tasks.ts'

const PLANES: readonly PlaneKind[] = ['ebpf', 'nftables']
/** One of 64 drawn at random is missed by so many requests once in 100,000 runs. */
const REQUESTS_TO_MANY = 1_100

describe.each(PLANES)('on plane %s a client reaches', (plane) => {
  let opening: Promise<MatrixStage> | undefined
  const open = async (ctx: TestContext): Promise<MatrixStage> => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, plane)
    opening ??= openMatrix(plane)
    return opening
  }
  afterAll(async () => (await opening?.catch(() => undefined))?.close())

  it.for(allCells().filter((cell) => whyImpossible(cell) === undefined))(
    '$name',
    async (cell, ctx) => {
      const stage = await open(ctx)
      const answer = await stage.client(cell.place, cell.client).ask(questionOf(cell))
      expect(answer).toBe(labelOf(cell.subject))
    },
  )

  it.for(NETWORKS)('a VIP, not the mapped port of its own host, from %s', async (network, ctx) => {
    const client = (await open(ctx)).client('other host', network)
    const ask = (host: string) =>
      client.ask({ host, port: ADDRESS_PORT, family: 4, protocol: 'tcp' })
    expect(await ask('198.51.100.11')).toBe('host-process-host')
    expect(await ask('10.99.0.2')).toBe(DECOY)
  })

  it('a backend whose host port has the number of the VIP’s', async (ctx) => {
    const stage = await open(ctx)
    for (const place of PLACES) {
      const { address: host, port } = EQUAL_PORT
      const question = { host, port, family: 4, protocol: 'tcp' } as const
      expect(await stage.client(place, 'container').ask(question)).toBe('equal-port')
    }
  })

  it('five services behind one VIP, and each behind one of its own', async (ctx) => {
    const client = (await open(ctx)).client('other host', 'container')
    const names = Array.from({ length: 5 }, (_, index) => `app-${index}`)
    expect(await answers(60, () => client.ask(byName('shared', 5000)))).toEqual(names)
    for (const name of names) expect(await client.ask(byName(name))).toBe(name)
  })

  it('by TCP and UDP on one port different servers', async (ctx) => {
    const client = (await open(ctx)).client('other host', 'container')
    expect(await client.ask(byName('split'))).toBe('split-tcp')
    expect(await client.ask({ ...byName('split'), protocol: 'udp' })).toBe('split-udp')
  })

  it(`each of ${MANY} backends`, async (ctx) => {
    const client = (await open(ctx)).client('other host', 'host')
    const seen = await answers(REQUESTS_TO_MANY, () => client.ask(byName('many')))
    const all = Array.from({ length: MANY }, (_, index) => `many-${index}`).sort()
    expect(seen).toEqual(all)
  })

  it.for(NETWORKS)(
    'nobody behind a VIP without backends, at once, from %s',
    async (network, ctx) => {
      const stage = await open(ctx)
      for (const place of PLACES) {
        expect(await stage.client(place, network).ask(byName('none'))).toBe('ECONNREFUSED')
      }
    },
  )
})

describe('the matrix', () => {
  it.each([...impossible()].map(([reason, cells]) => ({ count: cells.length, reason })))(
    'has $count cells that cannot be: $reason',
    ({ reason, count }) => {
      expect(impossible().get(reason)).toHaveLength(count)
    },
  )

  it('leaves out no other cell', () => {
    const counts = [...impossible()].map(([reason, cells]) => [reason, cells.length] as const)
    expect(allCells()).toHaveLength(576)
    expect(Object.fromEntries(counts)).toEqual({
      'a process without a container has the network of its host': 96,
      'a namespace of its own is not the network of the host': 48,
      'on the network of the host no port is mapped': 48,
      'Mesos maps ports on the address of the agent, which is IPv4': 72,
      'without a mapped port a bridge is reached from its own host only': 24,
    })
  })
})

function byName(label: string, port = 80) {
  const host = `${label}.marathon.l4lb.thisdcos.directory`
  return { host, port, family: 4, protocol: 'tcp' } as const
}

/** Who answered, each once. */
async function answers(count: number, ask: () => Promise<string>): Promise<string[]> {
  const seen = new Set<string>()
  for (let asked = 0; asked < count; asked++) seen.add(await ask())
  return [...seen].sort()
}
