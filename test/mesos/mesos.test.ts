import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { MesosAgentSimulator } from '../../src/demo/agent/mesos-agent.ts'
import { HostedCluster } from '../../src/demo/mesos/hosted/hosted-cluster.ts'
import { MESOS_DEFAULTS, readMastersText } from '../../src/mesos/config.ts'
import { followMasters, startMesos, watchSources } from '../../src/mesos/mesos.ts'
import { openLocalSockets } from '../sim/mesos/local-sockets.ts'

describe('startMesos', () => {
  test('follows a task of the agent from launch to end, and stops with its scope', async () => {
    const errors: unknown[] = []
    const scope = new Scope((error) => errors.push(error))
    const agent = scope.own(
      await MesosAgentSimulator.listen({ clock: systemClock, agentIp: '10.0.0.1' }),
    )
    const { tasks, agentIp, status } = startMesos({
      options: { ...MESOS_DEFAULTS, agentUrl: agent.url, pollIntervalMs: 5 },
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      registry: new Registry(),
      scope,
    })
    const rows = () => [...tasks.snapshot.rows.values()]
    await expect.poll(() => tasks.snapshot.isComplete).toBe(true)
    expect(agentIp()).toBe('10.0.0.1')

    const id = agent.addTask({
      name: 'web',
      network: 'bridge',
      runtime: 'docker',
      addresses: ['172.17.0.2'],
      ports: [{ port: 80, hostPort: 31000, vips: ['/web:80'] }],
      hasHealthCheck: true,
    })
    await expect.poll(rows).toMatchObject([
      {
        name: 'web',
        frameworkName: 'marathon',
        runtime: 'docker',
        phase: 'running',
        health: 'unchecked',
        agentIp: '10.0.0.1',
        addresses: ['172.17.0.2'],
        ports: [{ protocol: 'tcp', port: 80, hostPort: 31000, vips: ['/web:80'] }],
      },
    ])
    agent.setHealth(id, true)
    await expect.poll(rows).toMatchObject([{ health: 'healthy' }])
    agent.setHealth(id, false)
    await expect.poll(rows).toMatchObject([{ health: 'unhealthy' }])
    agent.setTaskState(id, 'TASK_KILLING')
    await expect.poll(rows).toMatchObject([{ phase: 'killing', addresses: ['172.17.0.2'] }])
    agent.setTaskState(id, 'TASK_KILLED')
    await expect.poll(rows).toEqual([])
    expect(status()).toMatchObject({ consecutiveFailures: 0, lastError: undefined })

    await scope.close()
    expect(errors).toEqual([])
  })
})

test('without an agent a node has no tasks, and knows that at once', () => {
  const { tasks, agentIp, status } = startMesos({
    options: { ...MESOS_DEFAULTS, agentUrl: undefined },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    registry: new Registry(),
    scope: new Scope(() => undefined),
  })
  expect(tasks.snapshot).toMatchObject({ isComplete: true })
  expect(tasks.snapshot.rows.size).toBe(0)
  expect(agentIp()).toBeUndefined()
  expect(status()).toMatchObject({ staleSinceWallMs: undefined, lastError: undefined })
})

describe('followMasters', () => {
  test('finds the leader, follows it, says which agent has news, and stops with its scope', async () => {
    const errors: unknown[] = []
    const scope = new Scope((error) => errors.push(error))
    const world = { clock: systemClock, random: systemRandom }
    const mesos = new HostedCluster({ ...world, openSockets: openLocalSockets })
    const place = { ip: '10.0.0.1', namespacePath: '', hasMaster: true }
    await mesos.follow({ kind: 'host', place })
    const url = `http://${mesos.host(place.ip).masterAddress}`
    const parsed = readMastersText(url)
    if (parsed.kind !== 'masters') throw new Error(parsed.problem)
    const options = { ...world, options: MESOS_DEFAULTS, registry: new Registry() }
    const masters = followMasters(parsed.masters, { ...options, log: silentLog, scope })
    const hints: string[] = []
    const { registry } = options
    watchSources({
      ...{
        options: { agentUrl: undefined as string | undefined },
        masters,
        registry,
        clock: systemClock,
      },
      mesos: { status: () => expect.unreachable('there is no agent') },
    })
    const metric = async (name: string): Promise<number | undefined> =>
      Number((await registry.getSingleMetricAsString(name)).trim().split(' ').at(-1))
    masters.onHint((address) => hints.push(address))
    await expect
      .poll(() => masters.status())
      .toMatchObject({
        leader: { source: url, state: 'current' },
        stream: { state: 'current', staleSinceWallMs: undefined },
        agents: 1,
        tasks: 0,
      })
    hints.splice(0)
    await mesos.follow({ kind: 'launch', ip: place.ip, task: { name: 'web' } })
    await expect.poll(() => hints).toContain('10.0.0.1')
    await expect.poll(() => masters.status().tasks).toBe(1)
    await mesos.close()
    await expect.poll(() => masters.status().stream.staleSinceWallMs).toBeDefined()
    const stale = await registry.getSingleMetricAsString('navstar_mesos_stale_seconds')
    expect(stale).toMatch(/\{source="stream"\} 0\.\d+$/m)
    expect(stale).not.toContain('source="agent"')
    expect(await metric('navstar_mesos_leader_changes_total')).toBe(1)
    expect(await metric('navstar_mesos_leader_elections_total')).toBe(1)
    expect(await metric('navstar_mesos_master_silence_seconds')).toBeLessThan(20)
    expect(await metric('navstar_mesos_master_silence_seconds')).toBeGreaterThan(0)
    expect(masters.status().tasks).toBe(1)
    await scope.close()
    expect(errors).toEqual([])
  })
})
