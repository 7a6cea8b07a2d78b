import { describe, expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { MesosStage } from './stage.ts'

describe.for(MESOS_VERSIONS)('fail-over of the leader of Mesos %s', (version) => {
  test.for(['reset', 'fin'] as const)(
    'by %s: what was known stays until agents are back',
    (how) => {
      const stage = new MesosStage({ version })
      const key = stage.launch('web')
      stage.scene.cluster.failLeader(how)
      stage.run(10)
      expect(stage.stateOf(key)).toBe('TASK_RUNNING')
      stage.scene.cluster.elect(1, { recoveryMs: 5000, returnWithinMs: 300_000 })
      stage.run(10)
      expect(stage.stateOf(key)).toBe('TASK_RUNNING')
      stage.run(310)
      stage.expectTruth()
      expect(stage.stateOf(key)).toBe('TASK_RUNNING')
      expect(stage.subject.goneAgents().size).toBe(0)
    },
  )

  test('an agent that never returns is given up in silence; its tasks go, it is not gone', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.agent(0).isHeldBack = true
    stage.scene.cluster.failLeader()
    stage.scene.cluster.elect(1)
    stage.run(120)
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
    stage.run(700)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.subject.goneAgents().size).toBe(0)
  })

  test('an agent that returns after it was given up brings its tasks', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.agent(0).isHeldBack = true
    stage.scene.cluster.failLeader()
    stage.scene.cluster.elect(1)
    stage.run(900)
    stage.agent(0).isHeldBack = false
    stage.scene.cluster.connect(stage.agent(0))
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('a framework that never subscribes again keeps its tasks', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    for (const scheduler of stage.scene.schedulers) stage.scene.cluster.stopFramework(scheduler)
    stage.scene.cluster.failLeader()
    stage.scene.cluster.elect(2)
    stage.run(400)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('a framework that subscribes again only after an hour keeps its tasks', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    const [scheduler] = stage.scene.schedulers
    if (scheduler === undefined) throw new Error('no framework')
    scheduler.isRunning = false
    stage.scene.cluster.failLeader()
    stage.scene.cluster.elect(1)
    stage.run(3600)
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
    stage.scene.cluster.subscribe(scheduler)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('three times in a row, with launches between', () => {
    const stage = new MesosStage({ version })
    const keys = [0, 1, 2].map((index) => {
      const key = stage.launch(`web-${index}`, index)
      stage.scene.cluster.failLeader()
      stage.scene.cluster.elect(index)
      stage.run(30)
      return key
    })
    stage.expectTruth()
    expect(keys.map((key) => stage.stateOf(key))).toEqual(new Array(3).fill('TASK_RUNNING'))
  })
})

test('an agent that ended a task meanwhile brings it ended, in the recovered framework', () => {
  const stage = new MesosStage()
  const key = stage.launch('web')
  for (const scheduler of stage.scene.schedulers) stage.scene.cluster.stopFramework(scheduler)
  stage.scene.cluster.failLeader()
  stage.report(key, 'TASK_FAILED')
  stage.scene.cluster.elect(1, { returnWithinMs: 5000 })
  stage.run(20)
  expect(stage.told).toContain('TASK_ADDED TASK_FAILED')
  stage.expectTruth()
  expect(stage.stateOf(key)).toBeUndefined()
})
