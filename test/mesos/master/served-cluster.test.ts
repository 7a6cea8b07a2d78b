/** The stream against simulated masters: their own encoders, their own rules of order. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MesosVersion } from '../../../src/demo/mesos/rules.ts'
import { type MasterAddress, masterOfUrl } from '../../../src/mesos/master/master-address.ts'
import { truthOf } from '../../sim/mesos/oracle.ts'
import { ServedCluster } from '../../sim/mesos/served-cluster.ts'
import { Followed } from './followed.ts'

let followed: Followed
let served: ServedCluster

beforeEach(() => {
  followed = new Followed()
})

afterEach(async () => {
  await followed.close()
  await served.close()
})

function addressOf(index: number): MasterAddress {
  const address = masterOfUrl(new URL(served.url(index)))
  if (address === undefined) throw new Error(`no address of master ${index}`)
  return address
}

/** Tasks that have not ended, and agents, as the leading master has them. */
function truth(): unknown {
  const { master } = served.cluster
  if (master === undefined) throw new Error('nobody leads')
  const { tasks, agents } = truthOf(master)
  return picture(tasks, agents)
}

function told(): unknown {
  const { tasks, agents } = followed.masters.facts
  return picture(tasks, new Map([...agents].map(([id, { address }]) => [id, address])))
}

function picture(
  tasks: ReadonlyMap<string, { readonly agentId: string; readonly state: string | undefined }>,
  agents: ReadonlyMap<string, string | undefined>,
): unknown {
  const lines = [...tasks].map(([key, { agentId, state }]) => `${key} ${state} on ${agentId}`)
  return { tasks: lines.sort(), agents: Object.fromEntries([...agents].sort()) }
}

async function current(): Promise<void> {
  await expect.poll(() => followed.stream.state).toBe('current')
}

const VERSIONS: readonly MesosVersion[] = ['1.4', '1.5', '1.6', '1.7', '1.9', '1.11']

describe.each(VERSIONS)('masters of Mesos %s', (version) => {
  test.each(['protobuf', 'JSON'])('are followed in %s', async (format) => {
    served = await ServedCluster.open({ version })
    if (format === 'JSON') {
      served.server().manners = { refusedTypes: ['application/x-protobuf'] }
    }
    followed.start(addressOf(1))
    await current()
    expect(followed.stream.contentType).toContain(format === 'JSON' ? 'json' : 'protobuf')
    await expect.poll(told).toEqual(truth())
    const first = served.launch('web')
    served.launch('db', 1)
    served.runFor(2000)
    await expect.poll(told).toEqual(truth())
    expect(followed.hints).toContain('10.0.0.1')
    served.cluster.kill(first)
    served.runFor(20_000)
    await expect.poll(told).toEqual(truth())
    expect(followed.tasks.length).toBe(1)
  })
})

test('a fail-over keeps the tasks of agents that are not back yet', async () => {
  served = await ServedCluster.open()
  served.launch('web')
  served.launch('db', 1)
  served.runFor(2000)
  followed.start(addressOf(0))
  await current()
  served.cluster.failLeader('reset')
  await followed.lost('MESOS_UNREACHABLE')
  const late = served.cluster.agents[1]
  if (late !== undefined) late.isHeldBack = true
  served.cluster.elect(2, { returnWithinMs: 1000 })
  served.runFor(5000)
  followed.leader.name(addressOf(2))
  await followed.clock.advance(1000)
  await current()
  expect(followed.tasks.length).toBe(2)
  expect(followed.gone).toEqual([])
  if (late !== undefined) {
    late.isHeldBack = false
    served.cluster.connect(late)
  }
  served.runFor(5000)
  await expect.poll(told).toEqual(truth())
  expect(followed.tasks.length).toBe(2)
})

test('an agent that unregisters is gone; one that is unreachable is not', async () => {
  served = await ServedCluster.open({ agents: 3 })
  served.launch('web', 1)
  served.runFor(2000)
  followed.start(addressOf(0))
  await current()
  const [first, second] = served.cluster.agents
  const goneId = first?.id
  if (first !== undefined) served.cluster.remove(first)
  if (second !== undefined) served.cluster.cut(second)
  served.runFor(100_000)
  await expect.poll(() => followed.gone).toEqual([`${goneId} 10.0.0.1`])
  expect([...followed.masters.facts.tasks.values()].map(({ state }) => state)).toEqual([
    'TASK_UNREACHABLE',
  ])
})

test.each([
  ['one byte per write', { writeBytes: 1 }],
  ['chunks of 3 bytes with extensions', { chunkBytes: 3, extension: ';proxy=yes' }],
  ['many records in a chunk', { isCoalesced: true }],
])('a connection with %s is as good as any', async (_name, cut) => {
  served = await ServedCluster.open()
  served.server().cut = cut
  followed.start(addressOf(0))
  await current()
  served.launch('web')
  served.launch('db', 1)
  served.runFor(2000)
  await expect.poll(told).toEqual(truth())
})
