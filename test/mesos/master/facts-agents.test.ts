import { describe, expect, test } from 'vitest'
import { MasterFacts, REREGISTER_TIMEOUT_MS } from '../../../src/mesos/master/facts.ts'
import type { MasterEvent } from '../../../src/mesos/master/master-event.ts'
import type { Snapshot } from '../../../src/mesos/snapshot/snapshot.ts'
import { agent, agentTold, awaited, known, said, snapshot, task, taskTold } from './master-facts.ts'

const NOTHING: MasterEvent = { kind: 'nothing' }
const ONE = { tasks: { 'f/web.1': 'TASK_RUNNING on A' }, agents: { A: '10.0.0.1' } }

/** Facts that began with agent A and its task. */
function begun(parts = { agents: [agent()], tasks: [task()] }): MasterFacts {
  const facts = new MasterFacts()
  facts.subscribed(snapshot(parts), 0)
  return facts
}

describe('an agent whose place another one takes', () => {
  const both = { agents: [agent('B'), agent('A', 2)] }

  test.each<[string, Partial<Snapshot>, string[]]>([
    ['is gone when the next snapshot lacks it', { agents: [agent('B')] }, ['A replaced']],
    ['is not gone when the next snapshot lists it', both, []],
    ['is not gone while it is awaited', { agents: [agent('B')], recoveredAgents: [awaited()] }, []],
  ])('%s', (_name, parts, gone) => {
    const facts = begun()
    facts.apply(agentTold('B'), 1)
    expect(said(facts.audited(facts.beginAudit(), snapshot(parts), 2))).toMatchObject({ gone })
  })

  test('is not gone by an answer that was asked for before', () => {
    const facts = begun()
    const audit = facts.beginAudit()
    facts.apply(agentTold('B'), 1)
    const late = snapshot({ agents: [agent()] })
    expect(said(facts.audited(audit, late, 2))).toEqual({ hints: [], gone: [] })
    const next = snapshot({ agents: [agent('B')] })
    expect(said(facts.audited(facts.beginAudit(), next, 3))).toMatchObject({ gone: ['A replaced'] })
  })

  test('is not gone when it comes back, nor when the stream told of both too late', () => {
    const facts = begun()
    facts.subscribed(snapshot({ agents: [agent('B')] }), 1)
    // Both had come before that snapshot: the stream stood still.
    facts.apply(agentTold('A'), 2)
    facts.apply(agentTold('B'), 2)
    const listed = snapshot({ agents: [agent('B')] })
    expect(said(facts.audited(facts.beginAudit(), listed, 3))).toMatchObject({
      gone: ['A replaced'],
    })
    expect(known(facts)).toEqual({ tasks: {}, agents: { B: '10.0.0.1' } })
  })
})

describe('an agent that is awaited after a fail-over', () => {
  function awaiting(): MasterFacts {
    const facts = begun({ agents: [agent()], tasks: [task(), task({ taskId: 'web.2' })] })
    facts.subscribed(snapshot({ recoveredAgents: [awaited()] }), 1000)
    return facts
  }

  test('keeps its tasks until it comes back, then only those that it tells', () => {
    const facts = awaiting()
    facts.apply(taskTold(), 2000)
    expect([...facts.tasks.keys()]).toEqual(['f/web.1', 'f/web.2'])
    facts.apply(agentTold(), 2000)
    expect(known(facts)).toEqual(ONE)
  })

  test('may tell its tasks after itself', () => {
    const facts = awaiting()
    for (const event of [agentTold(), taskTold()]) facts.apply(event, 2000)
    expect(known(facts)).toEqual(ONE)
  })

  test('is given up with its tasks when no snapshot lists it for too long', () => {
    const facts = awaiting()
    facts.apply(NOTHING, 1000 + REREGISTER_TIMEOUT_MS - 1)
    expect(facts.tasks.size).toBe(2)
    const change = facts.apply(NOTHING, 1000 + REREGISTER_TIMEOUT_MS)
    expect(known(facts)).toEqual({ tasks: {}, agents: {} })
    expect(said(change)).toEqual({ hints: ['10.0.0.1'], gone: [] })
  })

  test('keeps tasks that it tells while it is given up', () => {
    const facts = awaiting()
    facts.apply(taskTold(), 1000 + REREGISTER_TIMEOUT_MS - 1)
    facts.apply(agentTold(), 1000 + REREGISTER_TIMEOUT_MS)
    expect(known(facts)).toEqual(ONE)
  })

  test('stays as long as snapshots list it', () => {
    const facts = awaiting()
    facts.audited(facts.beginAudit(), snapshot({ recoveredAgents: [awaited()] }), 500_000)
    facts.apply(NOTHING, 1000 + REREGISTER_TIMEOUT_MS)
    expect(facts.tasks.size).toBe(2)
    facts.apply(NOTHING, 500_000 + REREGISTER_TIMEOUT_MS)
    expect(facts.tasks.size).toBe(0)
  })

  test('is dropped by the snapshot that lists it no more', () => {
    const facts = awaiting()
    facts.audited(facts.beginAudit(), snapshot(), 2000)
    expect(known(facts)).toEqual({ tasks: {}, agents: {} })
  })

  test('that came back does not expire', () => {
    const facts = awaiting()
    for (const event of [agentTold(), taskTold()]) facts.apply(event, 2000)
    facts.apply(NOTHING, 10 * REREGISTER_TIMEOUT_MS)
    expect(known(facts)).toEqual(ONE)
  })
})
