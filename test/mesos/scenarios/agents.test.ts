import { describe, expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { MesosStage } from './stage.ts'

describe.for(MESOS_VERSIONS)('agents of Mesos %s', (version) => {
  test('removal with tasks: TASK_LOST, then AGENT_REMOVED', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web', 1)
    const { id = '' } = stage.agent(1)
    stage.told.length = 0
    stage.scene.cluster.remove(stage.agent(1))
    stage.expectTruth()
    expect(stage.told.slice(0, 2)).toEqual(['TASK_UPDATED TASK_LOST', 'AGENT_REMOVED '])
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.subject.goneAgents()).toContain(id)
  })

  test('unreachable and back: the task runs again, nobody was gone', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.scene.cluster.cut(stage.agent(0))
    stage.run(80)
    expect(stage.stateOf(key)).toBe('TASK_UNREACHABLE')
    stage.scene.cluster.heal(stage.agent(0))
    stage.expectTruth()
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
    expect(stage.subject.goneAgents().size).toBe(0)
  })

  test('unreachable and back at another address under the same id', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    const { id = '' } = stage.agent(0)
    stage.scene.cluster.stop(stage.agent(0))
    stage.run(80)
    stage.scene.cluster.start(stage.agent(0), { ip: '10.0.9.9' })
    stage.expectTruth()
    expect(stage.subject.agents().get(id)).toBe('10.0.9.9')
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('back within 75 s: nothing is told, nothing is lost', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.told.length = 0
    stage.scene.cluster.cut(stage.agent(0))
    stage.run(60)
    stage.scene.cluster.heal(stage.agent(0))
    stage.expectTruth()
    expect(stage.told).toEqual([])
    expect(stage.stateOf(key)).toBe('TASK_RUNNING')
  })

  test('a rebooted host with a new id on the same address: the old id is gone', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    const { id = '' } = stage.agent(0)
    stage.scene.cluster.reboot(stage.agent(0), { keepsId: false })
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.subject.goneAgents()).toContain(id)
    expect(stage.subject.agents().has(id)).toBe(false)
  })

  test('a rebooted host with its old id has lost its tasks', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    stage.scene.cluster.reboot(stage.agent(0), { keepsId: true })
    stage.run(5)
    stage.expectTruth()
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.subject.goneAgents().size).toBe(0)
  })

  // MARK_AGENT_GONE came with 1.5.
  if (version === '1.4') return
  test('marked gone: no AGENT_REMOVED, and its id is gone', () => {
    const stage = new MesosStage({ version })
    const key = stage.launch('web')
    const { id = '' } = stage.agent(0)
    stage.told.length = 0
    stage.scene.cluster.master?.markGone(id)
    stage.expectTruth()
    expect(stage.told).toEqual(['TASK_UPDATED TASK_GONE_BY_OPERATOR'])
    expect(stage.stateOf(key)).toBeUndefined()
    expect(stage.subject.goneAgents()).toContain(id)
  })

  test.for(['protobuf', 'json'] as const)(
    'marked gone with a task of a framework that knows no partitions only, in %s',
    (encoding) => {
      const stage = new MesosStage({ version, encoding })
      stage.scene.addFramework(false)
      const key = stage.launch('web', 0, 1)
      const { id = '' } = stage.agent(0)
      stage.told.length = 0
      stage.scene.cluster.master?.markGone(id)
      stage.expectTruth()
      const state = version === '1.11' ? 'TASK_LOST' : 'TASK_GONE_BY_OPERATOR'
      expect(stage.told).toEqual([`TASK_UPDATED ${state}`])
      expect(stage.stateOf(key)).toBeUndefined()
      expect(stage.subject.goneAgents()).toContain(id)
    },
  )
})
