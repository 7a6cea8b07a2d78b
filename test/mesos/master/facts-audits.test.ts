import { describe, expect, test } from 'vitest'
import { MasterFacts } from '../../../src/mesos/master/facts.ts'
import type { MasterEvent } from '../../../src/mesos/master/master-event.ts'
import { agent, agentTold, known, said, snapshot, task, taskTold } from './master-facts.ts'

const ONE = { tasks: { 'f/web.1': 'TASK_RUNNING on A' }, agents: { A: '10.0.0.1' } }

/** Facts that began with agent A and its task. */
function begun(parts = { agents: [agent()], tasks: [task()] }): MasterFacts {
  const facts = new MasterFacts()
  facts.subscribed(snapshot(parts), 0)
  return facts
}

describe('an audit that is older than events', () => {
  const late = snapshot({ agents: [agent()], tasks: [task()] })

  test.each<[string, MasterEvent[], unknown]>([
    [
      'does not bring back an ended task',
      [taskTold({ state: 'TASK_KILLED' })],
      { tasks: {}, agents: { A: '10.0.0.1' } },
    ],
    [
      'does not drop a new task',
      [taskTold({ taskId: 'x' })],
      { ...ONE, tasks: { ...ONE.tasks, 'f/x': 'TASK_RUNNING on A' } },
    ],
    [
      'does not bring back a removed agent',
      [{ kind: 'agentRemoved', agentId: 'A' }],
      { tasks: {}, agents: {} },
    ],
    [
      'does not bring back a replaced agent',
      [agentTold('B')],
      { tasks: {}, agents: { B: '10.0.0.1' } },
    ],
    [
      'does not drop a new agent',
      [agentTold('B', 2)],
      { ...ONE, agents: { A: '10.0.0.1', B: '10.0.0.2' } },
    ],
    [
      'does not bring back the tasks of a removed framework',
      [{ kind: 'frameworkRemoved', frameworkId: 'f' }],
      { tasks: {}, agents: { A: '10.0.0.1' } },
    ],
  ])('%s', (_name, events, facts) => {
    const engine = begun()
    engine.beginAudit()
    for (const event of events) engine.apply(event, 1)
    engine.audited(late, 2)
    expect(known(engine)).toEqual(facts)
  })

  test('does not tell of tasks of an agent that was removed since', () => {
    const engine = begun()
    engine.beginAudit()
    engine.apply({ kind: 'agentRemoved', agentId: 'A' }, 1)
    engine.audited(snapshot({ agents: [agent()], tasks: [task(), task({ taskId: 'x' })] }), 2)
    expect(known(engine)).toEqual({ tasks: {}, agents: {} })
  })

  test('corrects what events did not tell', () => {
    const facts = begun({
      agents: [agent(), agent('B', 2)],
      tasks: [task({ state: 'TASK_STAGING' })],
    })
    facts.beginAudit()
    facts.apply(agentTold('B', 2), 1)
    expect(said(facts.audited(late, 2))).toEqual({ hints: ['10.0.0.1'], gone: [] })
    expect(facts.tasks.get('f/web.1' as never)?.state).toBe('TASK_RUNNING')
  })

  test('that never came leaves no trace', () => {
    const facts = begun()
    facts.beginAudit()
    facts.apply(taskTold({ state: 'TASK_KILLED' }), 1)
    facts.dropAudit()
    facts.beginAudit()
    facts.audited(late, 2)
    expect(known(facts)).toEqual(ONE)
  })
})
