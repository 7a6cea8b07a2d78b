import { expect, onTestFinished, test } from 'vitest'
import { AgentServer } from '../../../src/demo/mesos/agent-server.ts'
import { Scene } from './scene.ts'

async function call(url: string, type: string): Promise<Response> {
  return await fetch(`${url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type }),
  })
}

test('an agent answers 503 while it recovers, and tells no id before it is registered', async () => {
  const scene = new Scene({ seed: 1, version: '1.11' })
  scene.cluster.failLeader()
  const agent = scene.addAgent()
  const server = await AgentServer.listen(agent)
  onTestFinished(() => server.close())
  agent.isRecovering = true
  const recovering = await call(server.url, 'GET_STATE')
  expect([recovering.status, await recovering.text()]).toEqual([
    503,
    'Agent has not finished recovery',
  ])
  agent.isRecovering = false
  expect(await (await call(server.url, 'GET_AGENT')).text()).not.toContain('"id"')
  scene.cluster.elect(0)
  scene.schedule.runFor(20_000)
  expect(await (await call(server.url, 'GET_AGENT')).text()).toContain(
    `"id":{"value":"${agent.id}"`,
  )
})

test('an agent lists an ended task among the terminated until its end is acknowledged', async () => {
  const scene = new Scene({ seed: 1, version: '1.11', agents: 1 })
  const [agent] = scene.agents
  if (agent === undefined) throw new Error('no agent')
  const server = await AgentServer.listen(agent)
  onTestFinished(() => server.close())
  scene.launch(0, { name: 'web' })
  scene.schedule.runFor(2000)
  scene.cluster.acknowledging = { delayMs: 1000, lossChance: 0 }
  scene.withTask(0, (_, key) => agent.tasks.report(key, { state: 'TASK_FAILED' }))
  const lists = async (): Promise<readonly string[]> => {
    const text = await (await call(server.url, 'GET_TASKS')).text()
    return [...text.matchAll(/"(\w+_tasks)":\[/g)].map(([, list = '']) => list)
  }
  expect(await lists()).toEqual(['terminated_tasks'])
  scene.schedule.runFor(2000)
  expect(await lists()).toEqual(['completed_tasks'])
})
