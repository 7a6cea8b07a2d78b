/** What Mesos does not send, or sends twice: facts may be wrong for a while, an audit mends them. */
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import type { JsonMessage } from '../../../src/demo/agent/json.ts'
import { JSON_ENCODER, recordOf } from '../../../src/demo/mesos/encoding.ts'
import { shuffled } from '../../sim/dice.ts'
import { openMasterFacts } from '../../sim/mesos/facts-subject.ts'
import { truthOf } from '../../sim/mesos/oracle.ts'
import { Scene } from '../../sim/mesos/scene.ts'
import { drawSteps, type Step, take } from '../../sim/mesos/steps.ts'

/** The events of a random course, of one stream, and the truth after it. */
function course(seed: number) {
  const events: JsonMessage[] = []
  const scene = new Scene({ seed, version: '1.11' })
  const { master } = scene.cluster
  if (master === undefined) throw new Error('nobody leads')
  const send = (event: JsonMessage): void => {
    events.push(event)
  }
  master.subscribers.add({ send, close: () => undefined }, master.snapshot)
  const isLeftOut = ({ kind }: Step) => kind === 'fail-leader' || kind === 'stop-framework'
  const steps = drawSteps(seededRandom(seed), 60).filter((step) => !isLeftOut(step))
  for (const step of steps) take(scene, step)
  scene.calm()
  scene.addAgent()
  scene.schedule.runFor(1000)
  for (let which = 0; which < 20; which++) scene.launch(which, { name: 'late' })
  scene.schedule.runFor(10_000)
  const [first, ...rest] = events
  if (first === undefined) throw new Error('no events')
  return { first, rest, snapshot: master.snapshot, truth: truthOf(master) }
}

/** What the product knows after these events, and after an audit. */
function hear(events: readonly JsonMessage[], snapshot: JsonMessage) {
  const subject = openMasterFacts()
  subject.starts(() => 0)
  subject.ear.begin('application/json')
  for (const event of events) subject.ear.hear(recordOf(JSON_ENCODER.encode(event, 'Event')))
  const known = (): readonly string[] =>
    [...subject.tasks()]
      .filter(([, { state }]) => state !== 'TASK_UNREACHABLE')
      .map(([key, { agentId, state }]) => `${key} ${state} ${agentId}`)
      .sort()
  const before = known()
  subject.ear.beginAudit()
  const answer = { type: 'GET_STATE', get_state: snapshot }
  subject.ear.audited(JSON_ENCODER.encode(answer, 'MasterResponse'), 'application/json')
  return { before, after: known() }
}

describe.for([1, 2, 3, 4, 5, 6, 7, 8])('seed %i', (seed) => {
  const { first, rest, snapshot, truth } = course(seed)
  const expected = [...truth.tasks]
    .map(([key, { agentId, state }]) => `${key} ${state} ${agentId}`)
    .sort()

  test('has tasks left', () => {
    expect(expected.length).toBeGreaterThan(0)
  })

  test('each event twice says the same as once', () => {
    const { before, after } = hear([first, ...rest.flatMap((event) => [event, event])], snapshot)
    expect(after).toEqual(expected)
    expect(before).toEqual(hear([first, ...rest], snapshot).before)
  })

  test('events in any order at all do no harm beyond the next audit', () => {
    for (let round = 0; round < 20; round++) {
      const mixed = shuffled(seededRandom(seed * 100 + round), rest)
      expect(hear([first, ...mixed], snapshot).after).toEqual(expected)
    }
  })

  test('events of which each second is lost do no harm beyond the next audit', () => {
    const heard = rest.filter((_, index) => index % 2 === 0)
    expect(hear([first, ...heard], snapshot).after).toEqual(expected)
  })
})
