import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { HostedCluster } from '../../../src/demo/mesos/hosted/hosted-cluster.ts'
import { openLocalSockets } from './local-sockets.ts'

const IPS = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']

/** Masters on the first three hosts. */
async function openCluster(): Promise<HostedCluster> {
  const random = seededRandom(1)
  const cluster = new HostedCluster({ clock: systemClock, random, openSockets: openLocalSockets })
  onTestFinished(() => cluster.close())
  for (const [index, ip] of IPS.entries()) {
    const place = { ip, namespacePath: '', hasMaster: index < 3 }
    await cluster.follow({ kind: 'host', place })
  }
  return cluster
}

async function call(url: string, type: string): Promise<Response> {
  return await fetch(`${url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type }),
    redirect: 'manual',
  })
}

function masterOf(cluster: HostedCluster, ip: string): string {
  return `http://${cluster.host(ip).masterAddress}`
}

async function leaderOf(cluster: HostedCluster): Promise<string | undefined> {
  return (await cluster.follow({ kind: 'leader' })).leader
}

async function statesAt(url: string): Promise<readonly string[]> {
  const text = await (await call(url, 'GET_TASKS')).text()
  const { get_tasks } = JSON.parse(text) as {
    readonly get_tasks: Readonly<Record<string, readonly { readonly state: string }[] | undefined>>
  }
  const { tasks, launched_tasks: launched } = get_tasks
  return [...(tasks ?? []), ...(launched ?? [])].map(({ state }) => state)
}

test('master and agent tell of one task, whose statuses flow from the one to the other', async () => {
  const cluster = await openCluster()
  const agentUrl = cluster.host('10.0.0.4').agentUrl ?? ''
  const launch = { kind: 'launch', ip: '10.0.0.4', task: { name: 'web' } } as const
  const { taskId = '' } = await cluster.follow(launch)
  expect(await statesAt(agentUrl)).toEqual(['TASK_RUNNING'])
  const master = masterOf(cluster, (await leaderOf(cluster)) ?? '')
  await expect.poll(() => statesAt(master)).toEqual(['TASK_RUNNING'])
  await cluster.follow({ kind: 'report', taskId, state: 'TASK_KILLING' })
  await expect.poll(() => statesAt(master)).toEqual(['TASK_KILLING'])
  await cluster.follow({ kind: 'kill', taskId })
  expect(await statesAt(agentUrl)).toEqual([])
})

test('another master leads when the leader’s host loses power, and the tasks are still known', async () => {
  const cluster = await openCluster()
  await expect.poll(() => leaderOf(cluster)).toBe('10.0.0.1')
  await cluster.follow({ kind: 'launch', ip: '10.0.0.4', task: { name: 'web' } })
  await cluster.follow({ kind: 'off', ip: '10.0.0.1' })
  await expect.poll(() => leaderOf(cluster), { timeout: 5_000 }).toBe('10.0.0.2')
  const master = masterOf(cluster, '10.0.0.2')
  await expect.poll(() => statesAt(master), { timeout: 5_000 }).toEqual(['TASK_RUNNING'])
  const standby = await call(masterOf(cluster, '10.0.0.3'), 'GET_TASKS')
  expect(standby.headers.get('location')).toBe(`//${cluster.host('10.0.0.2').masterAddress}/api/v1`)
  await cluster.follow({ kind: 'on', ip: '10.0.0.1' })
  await cluster.follow({ kind: 'launch', ip: '10.0.0.1', task: { name: 'again' } })
  expect(await leaderOf(cluster)).toBe('10.0.0.2')
})

test('a cut leaves the leader to the side of the majority, and its agents to it alone', async () => {
  const cluster = await openCluster()
  await cluster.follow({ kind: 'launch', ip: '10.0.0.1', task: { name: 'web' } })
  const sides = [
    ['10.0.0.1', '10.0.0.4'],
    ['10.0.0.2', '10.0.0.3'],
  ]
  await cluster.follow({ kind: 'sides', sides })
  await expect.poll(() => leaderOf(cluster), { timeout: 5_000 }).toBe('10.0.0.2')
  expect(cluster.host('10.0.0.4').agent.isReachable).toBe(false)
  const beyond = await call(masterOf(cluster, '10.0.0.1'), 'GET_TASKS')
  expect([beyond.status, await beyond.text()]).toEqual([503, 'No leader elected'])
  await cluster.follow({ kind: 'sides', sides: [] })
  await cluster.follow({ kind: 'launch', ip: '10.0.0.4', task: { name: 'again' } })
  const master = masterOf(cluster, '10.0.0.2')
  await expect.poll(() => statesAt(master)).toEqual(['TASK_RUNNING', 'TASK_RUNNING'])
})

test('nobody leads while all masters are ended, and tasks go on', async () => {
  const cluster = await openCluster()
  await cluster.follow({ kind: 'launch', ip: '10.0.0.4', task: { name: 'web' } })
  for (const ip of IPS.slice(0, 3)) await cluster.follow({ kind: 'end-master', ip })
  expect(await leaderOf(cluster)).toBeUndefined()
  expect(await statesAt(cluster.host('10.0.0.4').agentUrl ?? '')).toEqual(['TASK_RUNNING'])
  for (const ip of IPS.slice(0, 3)) await cluster.follow({ kind: 'start-master', ip })
  await expect.poll(() => leaderOf(cluster), { timeout: 5_000 }).toBe('10.0.0.1')
  const master = masterOf(cluster, '10.0.0.1')
  await expect.poll(() => statesAt(master), { timeout: 5_000 }).toEqual(['TASK_RUNNING'])
})
