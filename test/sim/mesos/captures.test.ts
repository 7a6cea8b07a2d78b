import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type JsonMessage, readJson } from '../../../src/demo/agent/json.ts'
import { JSON_ENCODER, recordOf } from '../../../src/demo/mesos/encoding.ts'
import { rulesOf } from '../../../src/demo/mesos/rules.ts'
import { captureText } from '../../mesos/fixtures.ts'
import { Violation } from '../violation.ts'
import { OrderCheck } from './order.ts'
import { PROTOBUF_ENCODER } from './protobuf-encoder.ts'

const STREAM = 'operator-api/operator-api.5abfd7f8.jsonl'

function events(text: string): readonly JsonMessage[] {
  return text
    .trim()
    .split('\n')
    .map((line) => readJson(line) as JsonMessage)
}

function see(stream: readonly JsonMessage[]): OrderCheck {
  const check = new OrderCheck(rulesOf('1.5'))
  for (const event of stream) check.see(event)
  check.rest()
  return check
}

describe('the order rules', () => {
  test('accept the stream of a real master of 1.5.0', (ctx) => {
    const check = see(events(captureText(ctx, STREAM)))
    expect([...check.tasks.values()].map(({ state }) => state)).toEqual(
      new Array(8).fill('TASK_RUNNING'),
    )
  })

  test.for([
    ['twice SUBSCRIBED', (all: readonly JsonMessage[]) => [...all, ...all.slice(0, 1)]],
    ['an event before SUBSCRIBED', (all: readonly JsonMessage[]) => all.slice(1)],
    ['a task added twice', (all: readonly JsonMessage[]) => [...all, ...all.slice(2, 3)]],
    ['an update of an unknown task', (all: readonly JsonMessage[]) => all.toSpliced(2, 1)],
    ['an update without news', (all: readonly JsonMessage[]) => [...all, ...all.slice(-1)]],
    [
      'an unknown type',
      (all: readonly JsonMessage[]) => [...all, { type: 'TASK_REMOVED', task_removed: {} }],
    ],
    [
      'a framework that is removed with a running task',
      (all: readonly JsonMessage[]) => {
        const updated = all[1]?.['framework_updated'] as JsonMessage
        const framework = updated['framework'] as JsonMessage
        const framework_removed = { framework_info: framework['framework_info'] }
        return [...all, { type: 'FRAMEWORK_REMOVED', framework_removed }]
      },
    ],
    [
      'a task whose agent never comes',
      (all: readonly JsonMessage[]) => {
        const added = all[2]?.['task_added'] as JsonMessage
        const task = {
          ...(added['task'] as JsonMessage),
          task_id: { value: 'other' },
          agent_id: { value: 'other-S0' },
        }
        return [...all, { type: 'TASK_ADDED', task_added: { task } }, { type: 'HEARTBEAT' }]
      },
    ],
  ] as const)('reject %s', ([, damage], ctx) => {
    const stream = events(captureText(ctx, STREAM))
    expect(() => see(damage(stream))).toThrow(Violation)
  })
})

describe('the encoders', () => {
  test('write a captured stream as Google’s protobuf does', (ctx) => {
    const stream = events(captureText(ctx, STREAM))
    const path = STREAM.replace('.jsonl', '.protobuf.recordio')
    captureText(ctx, path)
    const url = new URL(`../../../../shared/data/mesos/${path}`, import.meta.url)
    const written = stream.map((event) => recordOf(PROTOBUF_ENCODER.encode(event, 'Event')))
    expect(Buffer.concat(written).equals(readFileSync(url))).toBe(true)
  })

  test('write a captured stream as JSON that says the same', (ctx) => {
    for (const event of events(captureText(ctx, STREAM))) {
      const text = Buffer.from(JSON_ENCODER.encode(event, 'Event')).toString()
      expect(readJson(text)).toEqual(event)
    }
  })
})
