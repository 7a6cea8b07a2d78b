/** A node that polls its simulated agent over HTTP, through restarts, recovery and registration. */
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { AgentServer } from '../../../src/demo/mesos/agent-server.ts'
import { MESOS_VERSIONS, type MesosVersion } from '../../../src/demo/mesos/rules.ts'
import { AgentClient } from '../../../src/mesos/agent-client.ts'
import { MESOS_DEFAULTS } from '../../../src/mesos/config.ts'
import { mesosMetrics } from '../../../src/mesos/metrics.ts'
import { Poller } from '../../../src/mesos/poller.ts'
import { Scene } from '../../sim/mesos/scene.ts'

async function open(version: MesosVersion) {
  const scene = new Scene({ seed: 1, version, agents: 1 })
  const [agent] = scene.agents
  if (agent === undefined) throw new Error('no agent')
  const server = await AgentServer.listen(agent)
  const clock = new VirtualClock()
  const options = { ...MESOS_DEFAULTS, agentUrl: server.url }
  const client = new AgentClient(options, clock)
  onTestFinished(async () => {
    client.close()
    await server.close()
  })
  const poller = new Poller({
    ...{ options, agent: client, clock, log: silentLog, random: seededRandom(1) },
    metrics: mesosMetrics(new Registry()),
    lookupHost: async () => [],
  })
  const poll = async () => {
    await poller.poll(new AbortController().signal)
    const { rows } = poller.tasks.snapshot
    return [...rows.values()].map(({ name, phase }) => `${name} ${phase}`).sort()
  }
  const launch = (name: string) => {
    scene.launch(0, { name })
    scene.schedule.runFor(2000)
  }
  return { scene, agent, poller, poll, launch }
}

test.for(MESOS_VERSIONS)(
  'an agent of Mesos %s that recovers keeps what was known',
  async (version) => {
    const { agent, poller, poll, launch } = await open(version)
    launch('web')
    expect(await poll()).toEqual(['web running'])
    expect(poller.agentIp).toBe(agent.ip)
    agent.isRecovering = true
    expect(await poll()).toEqual(['web running'])
    expect(poller.status.lastError?.code).toBe('MESOS_UNAVAILABLE')
    agent.isRecovering = false
    launch('api')
    expect(await poll()).toEqual(['api running', 'web running'])
    expect(poller.status.lastError).toBeUndefined()
  },
)

test('an agent that is not registered yet has no id, but an address and no tasks', async () => {
  const { scene, agent, poller, poll } = await open('1.11')
  scene.cluster.failLeader()
  scene.cluster.reboot(agent, { keepsId: false })
  expect(await poll()).toEqual([])
  expect([agent.id, poller.agentIp, poller.status.lastError]).toEqual([
    undefined,
    agent.ip,
    undefined,
  ])
})

test('a task that ended counts no more, terminated or completed', async () => {
  const { scene, poll, launch } = await open('1.11')
  launch('web')
  launch('api')
  scene.cluster.acknowledging = { delayMs: 60_000, lossChance: 0 }
  scene.withTask(0, (agent, key) => agent.tasks.report(key, { state: 'TASK_FAILED' }))
  scene.schedule.runFor(1000)
  expect(await poll()).toEqual(['api running'])
  scene.schedule.runFor(120_000)
  expect(await poll()).toEqual(['api running'])
})
