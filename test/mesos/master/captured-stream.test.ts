import { expect, test } from 'vitest'
import { MasterFacts } from '../../../src/mesos/master/facts.ts'
import { readMasterEvent } from '../../../src/mesos/master/master-event.ts'
import { RecordioDecoder } from '../../../src/mesos/recordio.ts'
import { decodeEvent, isSnapshot, reduceSnapshot } from '../../../src/mesos/records.ts'
import { captureBytes } from '../fixtures.ts'
import { known } from './master-facts.ts'

/** What the facts are after each record. */
async function played(bytes: Uint8Array, contentType: string): Promise<readonly unknown[]> {
  const facts = new MasterFacts()
  const states: unknown[] = []
  for (const record of new RecordioDecoder({ maxRecordBytes: 2 ** 24 }).push(bytes)) {
    if (isSnapshot(record, contentType)) {
      facts.subscribed(await reduceSnapshot(record, contentType), 0)
    } else facts.apply(readMasterEvent(decodeEvent(record, contentType)), 0)
    states.push(known(facts))
  }
  return states
}

test('a captured stream gives the same facts in JSON and protobuf', async (ctx) => {
  const file = 'operator-api/operator-api.5abfd7f8'
  const json = await played(captureBytes(ctx, `${file}.json.recordio`), 'application/json')
  const protobuf = await played(
    captureBytes(ctx, `${file}.protobuf.recordio`),
    'application/x-protobuf',
  )
  expect(protobuf).toEqual(json)
  expect(new Set(json.map((state) => JSON.stringify(state))).size).toBeGreaterThan(3)
})
