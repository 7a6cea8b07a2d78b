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
    const audit = engine.beginAudit()
    for (const event of events) engine.apply(event, 1)
    engine.audited(audit, late, 2)
    expect(known(engine)).toEqual(facts)
  })

  test('does not tell of tasks of an agent that was removed since', () => {
    const engine = begun()
    const audit = engine.beginAudit()
    engine.apply({ kind: 'agentRemoved', agentId: 'A' }, 1)
    engine.audited(
      audit,
      snapshot({ agents: [agent()], tasks: [task(), task({ taskId: 'x' })] }),
      2,
    )
    expect(known(engine)).toEqual({ tasks: {}, agents: {} })
  })

  test('corrects what events did not tell', () => {
    const facts = begun({
      agents: [agent(), agent('B', 2)],
      tasks: [task({ state: 'TASK_STAGING' })],
    })
    const audit = facts.beginAudit()
    facts.apply(agentTold('B', 2), 1)
    expect(said(facts.audited(audit, late, 2))).toEqual({ hints: ['10.0.0.1'], gone: [] })
    expect(facts.tasks.get('f/web.1' as never)?.state).toBe('TASK_RUNNING')
  })

  test('that never came leaves no trace', () => {
    const facts = begun()
    facts.beginAudit()
    facts.apply(taskTold({ state: 'TASK_KILLED' }), 1)
    facts.dropAudit()
    facts.audited(facts.beginAudit(), late, 2)
    expect(known(facts)).toEqual(ONE)
  })

  test.each<[string, (facts: MasterFacts) => void]>([
    ['was dropped', (facts) => facts.dropAudit()],
    ['was dropped, while another one is under way', (facts) => void facts.beginAudit()],
    [
      'was begun on an earlier stream',
      (facts) => void facts.subscribed(snapshot({ agents: [agent()] }), 1),
    ],
  ])('whose answer comes after it %s takes nothing back', (_name, end) => {
    const facts = begun()
    const audit = facts.beginAudit()
    facts.apply(taskTold({ state: 'TASK_KILLED' }), 1)
    end(facts)
    facts.apply(taskTold({ taskId: 'x' }), 2)
    const before = known(facts)
    expect(said(facts.audited(audit, late, 3))).toEqual({ hints: [], gone: [] })
    expect(known(facts)).toEqual(before)
  })
})

describe('an audit that is applied step by step', () => {
  const AGENTS = 40
  const all = Array.from({ length: 1600 }, (_, index) =>
    task({ taskId: `t${index}`, agentId: `S${index % AGENTS}` }),
  )
  const agents = Array.from({ length: AGENTS }, (_, index) => agent(`S${index}`, index + 1))
  const events: readonly MasterEvent[] = [
    taskTold({ taskId: 't0', agentId: 'S0', state: 'TASK_FAILED' }),
    taskTold({ taskId: 't1599', agentId: 'S39', state: 'TASK_KILLING' }),
    taskTold({ taskId: 'new', agentId: 'S1' }),
    { kind: 'agentRemoved', agentId: 'S7' },
    agentTold('back', 60),
    agentTold('S9', 61),
    { kind: 'frameworkRemoved', frameworkId: 'other' },
  ]

  /** The facts when the events come after so many steps. */
  function factsAfter(steps: number): { facts: unknown; steps: number } {
    const facts = new MasterFacts()
    const others = [task({ frameworkId: 'other', agentId: 'S3' })]
    facts.subscribed(snapshot({ agents, tasks: [...all.slice(0, 800), ...others] }), 0)
    const begunAudit = facts.beginAudit()
    const audit = facts.auditing(begunAudit, snapshot({ agents, tasks: [...all, ...others] }), 1)
    let taken = 0
    for (; taken <= steps; taken++) if (taken === steps || audit.next().done === true) break
    for (const event of events) facts.apply(event, 1)
    for (let isDone = taken < steps; !isDone; taken++) isDone = audit.next().done === true
    return { facts: known(facts), steps: taken }
  }

  test('takes events between any steps as newer', () => {
    const first = factsAfter(0)
    expect(first.steps).toBeGreaterThan(5)
    for (let steps = 1; steps < first.steps; steps++) {
      expect(factsAfter(steps).facts, `events after ${steps} steps`).toEqual(first.facts)
    }
  })

  test('goes in steps of at most 500 entries', () => {
    const tasks = Array.from({ length: 10_000 }, (_, index) => task({ taskId: `t${index}` }))
    const steps = new MasterFacts().subscribing(snapshot({ agents: [agent()], tasks }), 0)
    let count = 0
    while (steps.next().done !== true) count++
    expect(count).toBeGreaterThanOrEqual(20)
  })
})
