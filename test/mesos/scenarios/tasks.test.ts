import { describe, expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { MesosStage } from './stage.ts'

describe.for(MESOS_VERSIONS)('tasks of Mesos %s', (version) => {
  test('teardown of a framework with tasks on a live and on an unreachable agent', () => {
    const stage = new MesosStage({ version })
    stage.scene.addFramework(true)
    const live = stage.launch('live', 0, 1)
    const lost = stage.launch('lost', 1, 1)
    const other = stage.launch('other', 0)
    stage.scene.cluster.cut(stage.agent(1))
    stage.run(80)
    stage.told.length = 0
    stage.scene.cluster.master?.tearDown(stage.scene.schedulers[1]?.spec.id ?? '')
    stage.run(1)
    expect(stage.told.slice(0, 2)).toEqual(['TASK_UPDATED TASK_KILLED', 'FRAMEWORK_REMOVED '])
    expect([live, lost, other].map((key) => stage.stateOf(key))).toEqual([
      undefined,
      undefined,
      'TASK_RUNNING',
    ])
    stage.expectTruth()
  })

  test('a kill with an hour of grace drains for an hour', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.scene.cluster.kill(key, 3_600_000)
    stage.run(3500)
    expect(stage.stateOf(key)).toBe('TASK_KILLING')
    stage.run(200)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
  })

  test('health that flaps, and a hundred equal results, change nothing of where a task is', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    for (let count = 0; count < 100; count++) stage.health(key, true)
    for (let count = 0; count < 20; count++) stage.health(key, count % 2 === 0)
    stage.run(300)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('acknowledgements that come late: the state goes before the status', () => {
    const stage = new MesosStage({ version })
    stage.scene.cluster.acknowledging = { delayMs: 20_000, lossChance: 0 }
    const key = stage.launch('web')
    stage.run(200)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('acknowledgements that get lost: everything arrives by retries', () => {
    const stage = new MesosStage({ version })
    stage.scene.cluster.acknowledging = { delayMs: 10, lossChance: 0.6 }
    const key = stage.launch('web')
    stage.report(key, 'TASK_FINISHED')
    stage.run(3600)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
  })

  test('an ended task that nobody acknowledges stays with the master, not with us', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.scene.cluster.acknowledging = { delayMs: 10, lossChance: 1 }
    stage.report(key, 'TASK_FAILED')
    stage.run(60)
    stage.scene.listener.cut()
    stage.run(5)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
  })

  test('a redeploy: new tasks beside the old, then the old end', () => {
    const stage = new MesosStage({ version })
    const old = [0, 1, 2].map((index) => stage.launch(`old-${index}`, index))
    const young = [0, 1, 2].map((index) => stage.launch(`new-${index}`, index))
    for (const key of old) stage.scene.cluster.kill(key)
    stage.run(10)
    stage.expectTruth()
    expect(old.map((key) => stage.stateOf(key))).toEqual(new Array(3).fill(undefined))
    expect(young.map((key) => stage.stateOf(key))).toEqual(new Array(3).fill('TASK_RUNNING'))
  })

  test('kicked as the oldest, or cut: the next stream makes it whole', () => {
    const stage = new MesosStage({ version })
    const [first, second] = [stage.launch('first'), stage.launch('second', 1)]
    stage.scene.cluster.master?.subscribers.closeAll('last-chunk')
    stage.scene.cluster.kill(first)
    stage.run(10)
    stage.expectTruth()
    expect([first, second].map((key) => stage.stateOf(key))).toEqual([undefined, 'TASK_RUNNING'])
  })

  test('an audit asked for before an event and answered after it takes nothing back', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.scene.listener.audit(3000)
    stage.run(4)
    stage.report(key, 'TASK_FAILED')
    const young = stage.launch('young')
    expect(stage.stateOf(key)).toBeUndefined()
    stage.run(3)
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.stateOf(young)).toBe('TASK_RUNNING')
    stage.expectTruth()
  })
})

test.for(['1.4', '1.5', '1.6'] as const)(
  'Mesos %s loses the TASK_UPDATED with the RUNNING status while STARTING waits (MESOS-9000)',
  (version) => {
    const stage = new MesosStage({ version })
    stage.scene.cluster.acknowledging = { delayMs: 15_000, lossChance: 0 }
    const key = stage.launch('web')
    stage.run(60)
    const running = stage.told.filter((line) => line === 'TASK_UPDATED TASK_RUNNING')
    // One event, of which the status is still TASK_STARTING: its state is what counts.
    expect(running).toHaveLength(1)
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
    stage.expectTruth()
  },
)
