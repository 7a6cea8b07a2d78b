import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MasterFacts } from '../../../src/mesos/master/facts.ts'
import { newChange } from '../../../src/mesos/master/ledger.ts'
import type { MasterEvent } from '../../../src/mesos/master/master-event.ts'
import { agent, agentTold, awaited, known, said, snapshot, task, taskTold } from './master-facts.ts'

const NOTHING: MasterEvent = { kind: 'nothing' }
const ONE = { tasks: { 'f/web.1': 'TASK_RUNNING on A' }, agents: { A: '10.0.0.1' } }

/** Facts that began with agent A and its task. */
function begun(parts = { agents: [agent()], tasks: [task()] }): MasterFacts {
  const facts = new MasterFacts()
  facts.subscribed(snapshot(parts), 0)
  return facts
}

describe('an event', () => {
  const running = taskTold()
  const ended = taskTold({ state: 'TASK_FAILED' })
  const noTask = { tasks: {}, agents: { A: '10.0.0.1' } }
  const removed: MasterEvent = { kind: 'agentRemoved', agentId: 'A' }
  test.each<[string, MasterEvent[], unknown, unknown]>([
    ['of a task hints its agent', [running], ONE, { hints: ['10.0.0.1'], gone: [] }],
    ['that ends a task drops it', [ended], noTask, { hints: ['10.0.0.1'], gone: [] }],
    [
      'of a task that was never told keeps it',
      [taskTold({ taskId: 'x', state: 'TASK_STAGING' })],
      { ...ONE, tasks: { ...ONE.tasks, 'f/x': 'TASK_STAGING on A' } },
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'of a task without an agent keeps the known one',
      [{ ...running, agentId: undefined, state: 'TASK_KILLING' } as MasterEvent],
      { ...ONE, tasks: { 'f/web.1': 'TASK_KILLING on A' } },
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'of a task in a state that we do not know keeps the known one',
      [{ ...running, state: undefined } as MasterEvent],
      ONE,
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'of an unreachable task keeps it, and the agent is not gone',
      [taskTold({ state: 'TASK_UNREACHABLE' })],
      { ...ONE, tasks: { 'f/web.1': 'TASK_UNREACHABLE on A' } },
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'that repeats an agent keeps its tasks',
      [agentTold()],
      ONE,
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'that removes an agent makes it gone',
      [removed],
      { tasks: {}, agents: {} },
      { hints: [], gone: ['A'] },
    ],
    [
      'that removes an agent again is nothing',
      [removed, removed],
      { tasks: {}, agents: {} },
      { hints: [], gone: [] },
    ],
    [
      'of a new agent at the same place takes the old one’s, which may yet prove to be stale news',
      [agentTold('B')],
      { tasks: {}, agents: { B: '10.0.0.1' } },
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'of another agent on the same host is no replacement',
      [agentTold('B', 1, 5052)],
      { ...ONE, agents: { ...ONE.agents, B: '10.0.0.1' } },
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'by which the operator gave up an agent makes it gone',
      [taskTold({ state: 'TASK_GONE_BY_OPERATOR' })],
      { tasks: {}, agents: {} },
      { hints: ['10.0.0.1'], gone: ['A'] },
    ],
    [
      'that removes a framework drops its tasks',
      [{ kind: 'frameworkRemoved', frameworkId: 'f' }],
      noTask,
      { hints: ['10.0.0.1'], gone: [] },
    ],
    [
      'of an agent that is back at another address moves it; lost tasks that it lacks are dropped',
      [taskTold({ state: 'TASK_UNREACHABLE' }), agentTold('A', 9)],
      { tasks: {}, agents: { A: '10.0.0.9' } },
      { hints: ['10.0.0.9'], gone: [] },
    ],
    [
      'of an agent that is back keeps the tasks that came before it',
      [taskTold({ state: 'TASK_UNREACHABLE' }), running, agentTold()],
      ONE,
      { hints: ['10.0.0.1'], gone: [] },
    ],
    ['of no interest changes nothing', [NOTHING], ONE, { hints: [], gone: [] }],
  ])('%s', (...[, events, facts, change]) => {
    const engine = begun()
    const changes = events.map((event) => engine.apply(event, 1))
    expect(known(engine)).toEqual(facts)
    expect(said(changes.at(-1) ?? newChange())).toEqual(change)
  })

  test('of a task whose agent is not known yet waits for the agent', () => {
    const facts = new MasterFacts()
    expect(said(facts.apply(taskTold(), 0))).toEqual({ hints: [], gone: [] })
    expect(said(facts.apply(agentTold(), 0))).toEqual({ hints: ['10.0.0.1'], gone: [] })
    expect(known(facts)).toEqual(ONE)
  })

  test('of a task that runs elsewhere now moves it', () => {
    const facts = begun()
    facts.apply(taskTold({ agentId: 'B' }), 1)
    facts.apply({ kind: 'agentRemoved', agentId: 'A' }, 1)
    expect(known(facts)).toEqual({ tasks: { 'f/web.1': 'TASK_RUNNING on B' }, agents: {} })
  })

  test('of an agent without a pid takes its host name where that is an address', () => {
    const facts = new MasterFacts()
    facts.apply({ kind: 'agent', agent: { ...agent(), pid: undefined } }, 0)
    facts.apply({ kind: 'agent', agent: { ...agent('B'), hostname: 'b.example', pid: '' } }, 0)
    expect(known(facts)).toEqual({ tasks: {}, agents: { A: '10.0.0.1', B: undefined } })
  })
})

describe('a snapshot', () => {
  test('that is the first gives no hints', () => {
    const first = new MasterFacts().subscribed(snapshot({ agents: [agent()], tasks: [task()] }), 0)
    expect(said(first)).toEqual({ hints: [], gone: [] })
  })

  test.each<[string, Parameters<typeof snapshot>[0], unknown, unknown]>([
    ['that says the same changes nothing', { agents: [agent()], tasks: [task()] }, ONE, []],
    [
      'that lacks a task drops it',
      { agents: [agent()] },
      { tasks: {}, agents: { A: '10.0.0.1' } },
      ['10.0.0.1'],
    ],
    [
      'with an ended task does not keep it',
      { agents: [agent()], tasks: [task({ state: 'TASK_FAILED' })] },
      { tasks: {}, agents: { A: '10.0.0.1' } },
      ['10.0.0.1'],
    ],
    [
      'without the agent drops it with its tasks, and it is not gone',
      {},
      { tasks: {}, agents: {} },
      ['10.0.0.1'],
    ],
    [
      'with the task among the unreachable keeps it',
      { unreachableTasks: [task({ state: 'TASK_UNREACHABLE' })] },
      { tasks: { 'f/web.1': 'TASK_UNREACHABLE on A' }, agents: {} },
      ['10.0.0.1'],
    ],
    [
      'that awaits the agent keeps its tasks and its address',
      { recoveredAgents: [awaited('A', 7)] },
      ONE,
      [],
    ],
  ])('%s', (...[, parts, facts, hints]) => {
    const engine = begun()
    const change = engine.subscribed(snapshot(parts), 1)
    expect(known(engine)).toEqual(facts)
    expect(said(change)).toEqual({ hints, gone: [] })
  })

  test('that has another agent at the place makes the old one gone', () => {
    const change = begun().subscribed(snapshot({ agents: [agent('B')] }), 1)
    expect(said(change)).toEqual({ hints: ['10.0.0.1'], gone: ['A replaced'] })
  })

  test('that still awaits an agent whose place is taken does not keep it', () => {
    const parts = { agents: [agent('B')], recoveredAgents: [awaited()] }
    const facts = begun()
    expect(said(facts.subscribed(snapshot(parts), 1))).toMatchObject({ gone: [] })
    expect(known(facts)).toEqual({ tasks: {}, agents: { B: '10.0.0.1' } })
    const settled = snapshot({ agents: [agent('B')] })
    expect(said(facts.subscribed(settled, 2))).toEqual({ hints: [], gone: ['A replaced'] })
  })

  test('in which agents have swapped their places makes none gone', () => {
    const facts = begun({ agents: [agent(), agent('B', 2)], tasks: [task()] })
    const agents = [agent('A', 2), agent('B', 1)]
    const change = facts.subscribed(snapshot({ agents, tasks: [task()] }), 1)
    expect(change.gone).toEqual([])
    expect(known(facts)).toEqual({ tasks: ONE.tasks, agents: { A: '10.0.0.2', B: '10.0.0.1' } })
  })
})

test('whatever order Mesos allows, with repetitions, the facts are the same', () => {
  const HOSTS = [1, 2, 3] as const
  const lifeOf = (host: number): MasterEvent[][] => [
    [agentTold(`S${host}`, host)],
    ...['web', 'db'].map((name) =>
      ['TASK_STAGING', 'TASK_STARTING', name === 'web' ? 'TASK_RUNNING' : 'TASK_FAILED'].map(
        (state) => taskTold({ taskId: `${name}.${host}`, agentId: `S${host}`, state }),
      ),
    ),
  ]
  const lives = HOSTS.flatMap(lifeOf)
  const order = fc.array(fc.nat({ max: lives.length - 1 }), { minLength: 0, maxLength: 60 })
  fc.assert(
    fc.property(order, fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }), (picks, again) => {
      const facts = new MasterFacts()
      const rest = lives.map((events) => [...events])
      const told = [...picks, ...lives.flatMap((events, index) => events.map(() => index))]
      for (const [turn, index] of told.entries()) {
        const event = rest[index]?.shift()
        if (event === undefined) continue
        facts.apply(event, turn)
        if (again[turn] === true) facts.apply(event, turn)
      }
      expect(known(facts)).toEqual({
        tasks: Object.fromEntries(HOSTS.map((h) => [`f/web.${h}`, `TASK_RUNNING on S${h}`])),
        agents: Object.fromEntries(HOSTS.map((h) => [`S${h}`, `10.0.0.${h}`])),
      })
    }),
    { numRuns: 500 },
  )
})
