/** What a master or an agent may send: the framing, the messages in both formats, the state. */
import fc from 'fast-check'
import { NavstarError } from '../../src/base/error.ts'
import { AGENT_RESPONSE, EVENT } from '../../src/mesos/protobuf/answer-messages.ts'
import { MASTER_INFO } from '../../src/mesos/protobuf/cluster-messages.ts'
import { decodeMessage, type RootMessage } from '../../src/mesos/protobuf/decode.ts'
import type { PlainMessage } from '../../src/mesos/protobuf/read-message.ts'
import type { MessageType } from '../../src/mesos/protobuf/schema.ts'
import { TASK_STATES } from '../../src/mesos/protobuf/task-messages.ts'
import { RecordioDecoder } from '../../src/mesos/recordio.ts'
import { decodeEvent } from '../../src/mesos/records.ts'
import { type RecordFormat, snapshotSteps } from '../../src/mesos/snapshot/reduce.ts'
import { REDUCED_EVENT } from '../../src/mesos/snapshot/reduced-messages.ts'
import type { Snapshot, SnapshotAgent } from '../../src/mesos/snapshot/snapshot.ts'
import { anyMessage } from '../mesos/proto/any-message.ts'
import { encodeProto, frame } from '../mesos/proto/encode.ts'
import { subscribedOf } from '../mesos/proto/subscribed.ts'
import type { FuzzedDecoder } from './decoder.ts'

const CORPUS_SIZE = 300
const MAX_RECORD_BYTES = 2 ** 30

/** What the decoder says; undefined where it refuses. Other errors are faults. */
function orRefused<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof NavstarError) return undefined
    throw error
  }
}

function samples<T>(any: fc.Arbitrary<T>, seed: number): T[] {
  return fc.sample(any, { numRuns: CORPUS_SIZE, seed })
}

const RECORDIO: FuzzedDecoder<readonly Uint8Array[]> = {
  name: 'mesos/recordio',
  corpus: (seed) =>
    samples(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), seed).map(frame),
  decode: (bytes) =>
    orRefused(() => {
      const decoder = new RecordioDecoder({ maxRecordBytes: MAX_RECORD_BYTES })
      const at = (bytes[0] ?? 0) % (bytes.length + 1)
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
      const records = chunks.flatMap((chunk) => decoder.push(chunk))
      return records.map((record) => Uint8Array.from(record))
    }),
  encode: frame,
}

function protobufDecoder(root: RootMessage, type: MessageType): FuzzedDecoder<PlainMessage> {
  return {
    name: `mesos/protobuf/${root}`,
    corpus: (seed) => samples(anyMessage(type), seed).map((message) => encodeProto(root, message)),
    decode: (bytes) => orRefused(() => decodeMessage(bytes, root)),
    encode: (message) => encodeProto(root, message),
  }
}

const JSON_EVENT: FuzzedDecoder = {
  name: 'mesos/json',
  corpus: (seed) => samples(anyMessage(EVENT), seed).map(jsonBytes),
  // Numbers that JSON cannot say again, -0 and beyond the largest, are not the decoder's.
  decode: (bytes) =>
    orRefused(() => JSON.parse(JSON.stringify(decodeEvent(bytes, 'application/json')))),
  encode: jsonBytes,
}

const ID = fc.string({ unit: 'grapheme', maxLength: 12 })

const TASKS = fc.array(
  fc.record({
    frameworkId: ID,
    taskId: ID,
    agentId: ID,
    state: fc.constantFrom(...TASK_STATES.values(), undefined),
  }),
  { maxLength: 4 },
)

function agents(pid: fc.Arbitrary<string | undefined>): fc.Arbitrary<SnapshotAgent[]> {
  const port = fc.integer({ min: 1, max: 65_535 })
  return fc.array(fc.record({ id: ID, hostname: ID, pid, port }), { maxLength: 2 })
}

const ANY_SNAPSHOT: fc.Arbitrary<Snapshot> = fc.record({
  tasks: TASKS,
  unreachableTasks: TASKS,
  agents: agents(fc.option(ID, { nil: undefined })),
  recoveredAgents: agents(fc.constant(undefined)),
  frameworks: fc.array(fc.record({ id: ID, name: ID }), { maxLength: 2 }),
  heartbeatIntervalMs: fc.constantFrom(15_000, undefined),
  malformed: fc.constant(0),
})

function snapshotDecoder(format: RecordFormat): FuzzedDecoder<Snapshot> {
  const encode = (event: object) =>
    format === 'json' ? jsonBytes(event) : encodeProto('Event', event)
  return {
    name: `mesos/snapshot/${format}`,
    corpus: (seed) => [
      ...samples(anyMessage(REDUCED_EVENT), seed).map(encode),
      ...samples(ANY_SNAPSHOT, seed).map((snapshot) => encode(subscribedOf(snapshot))),
    ],
    decode: (bytes) =>
      orRefused(() => {
        const steps = snapshotSteps({ bytes, format, source: 'SUBSCRIBED' })
        for (;;) {
          const step = steps.next()
          if (step.done === true) return { ...step.value, malformed: 0 }
        }
      }),
    encode: (snapshot) => encode(subscribedOf(snapshot)),
  }
}

function jsonBytes(value: unknown): Uint8Array {
  return Uint8Array.from(Buffer.from(JSON.stringify(value)))
}

/** All decoders of what Mesos sends. */
export const MESOS_DECODERS: readonly FuzzedDecoder[] = [
  RECORDIO,
  JSON_EVENT,
  protobufDecoder('Event', EVENT),
  protobufDecoder('AgentResponse', AGENT_RESPONSE),
  protobufDecoder('MasterInfo', MASTER_INFO),
  snapshotDecoder('json'),
  snapshotDecoder('protobuf'),
]
