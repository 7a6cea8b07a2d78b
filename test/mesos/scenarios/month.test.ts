/** A month of virtual time: what was heard must not stay. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { MasterFacts } from '../../../src/mesos/master/facts.ts'
import type { MasterEvent } from '../../../src/mesos/master/master-event.ts'
import { compareAgents } from '../../sim/mesos/agent-oracle.ts'
import { FactsSubject } from '../../sim/mesos/facts-subject.ts'
import { compareToTruth } from '../../sim/mesos/oracle.ts'
import { PROTOBUF_ENCODER } from '../../sim/mesos/protobuf-encoder.ts'
import { Scene } from '../../sim/mesos/scene.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A day: tasks come and go on each agent, with an audit at noon. */
function live(scene: Scene, day: number): void {
  const { cluster, schedule } = scene
  for (let hour = 0; hour < 24; hour++) {
    for (let index = 0; index < 10; index++) {
      const network = index % 2 === 0 ? 'host' : 'container'
      scene.launch(index, { name: `d${day}h${hour}`, network, hasHealthCheck: true })
    }
    schedule.runFor(600_000)
    for (const key of scene.keys.splice(0)) cluster.kill(key)
    if (hour === 12) scene.listener.audit(1000)
    schedule.runFor(3_000_000)
  }
  disturb(scene, day)
  schedule.runFor(1_000_000)
}

/** Agents are lost, replaced and come back, streams break, leaders fail over. */
function disturb({ cluster, schedule, agents, listener }: Scene, day: number): void {
  const [agent, lost] = [agents[day % agents.length], agents[(day + 1) % agents.length]]
  if (agent !== undefined) cluster.reboot(agent, { keepsId: day % 2 === 0 })
  if (day % 3 === 0) listener.cut()
  if (day % 4 === 0) {
    cluster.failLeader()
    cluster.elect(day % 3)
  }
  if (day % 5 > 0 || lost === undefined) return
  cluster.cut(lost)
  schedule.runFor(200_000)
  cluster.heal(lost)
}

test('a month of churn leaves nothing behind, by the sizes of all collections', {
  timeout: 120_000,
}, () => {
  const subject = new FactsSubject()
  const scene = new Scene({
    ...{ seed: 1, version: '1.11', ear: subject.ear, encoder: PROTOBUF_ENCODER },
    cutsAnywhere: true,
  })
  subject.starts(() => scene.schedule.nowMs())
  for (let day = 0; day < 30; day++) live(scene, day)
  scene.calm()
  compareToTruth(scene, subject)
  compareAgents(scene)
  expect(subject.facts.sizes).toEqual({
    ...{ tasks: 0, agentsWithTasks: 0, agents: 3, places: 3 },
    ...{ carried: 0, replaced: 0, touched: 0 },
  })
  // More than seven thousand tasks and fifteen agents have been.
  expect(scene.listener.eventCount).toBeGreaterThan(30_000)
})

test('a month of churn leaves nothing behind, by the heap', { timeout: 120_000 }, () => {
  const facts = new MasterFacts()
  const heap: number[] = []
  for (let day = 0; day < 30; day++) {
    for (let index = 0; index < 2000; index++) churn(facts, day * 2000 + index)
    const nowMs = day * 86_400_000
    const audit = facts.beginAudit()
    facts.audited(audit, EMPTY, nowMs)
    collect()
    heap.push(process.memoryUsage().heapUsed)
  }
  expect(facts.sizes).toEqual(new MasterFacts().sizes)
  // After a week all code is compiled. 30,000 forgotten tasks would be megabytes.
  expect(Math.min(...heap.slice(-7)) - Math.min(...heap.slice(7, 14))).toBeLessThan(1_000_000)
})

const EMPTY = {
  ...{ tasks: [], unreachableTasks: [], agents: [], recoveredAgents: [], frameworks: [] },
  ...{ heartbeatIntervalMs: undefined, malformed: 0 },
}

/** A task's life, and every tenth time its agent's. */
function churn(facts: MasterFacts, serial: number): void {
  const agentId = `S${Math.floor(serial / 10)}`
  const task = (state: string): MasterEvent => ({
    kind: 'task',
    ...{ frameworkId: 'f', taskId: `task.${serial}`, agentId, state },
  })
  const pid = `slave(1)@10.0.${(serial >> 8) % 250}.${serial % 250}:5051`
  const agent = { id: agentId, hostname: 'host', pid, port: 5051 }
  if (serial % 10 === 0) facts.apply({ kind: 'agent', agent }, serial)
  for (const state of ['TASK_STAGING', 'TASK_RUNNING', 'TASK_UNREACHABLE', 'TASK_RUNNING']) {
    facts.apply(task(state), serial)
  }
  if (serial % 3 > 0) facts.apply(task('TASK_FAILED'), serial)
  else if (serial % 2 > 0) facts.apply({ kind: 'frameworkRemoved', frameworkId: 'f' }, serial)
  if (serial % 20 === 9) facts.apply({ kind: 'agentRemoved', agentId }, serial)
}
