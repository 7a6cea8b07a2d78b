/**
 * One node of navstar's gossip as a process: `node-main.ts ORDER`. It follows the words on its
 * standard input and prints the events of `fleet.ts`; it ends with its standard input.
 */
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Registry } from 'prom-client'
import { systemClock } from '../../src/base/clock.ts'
import { openLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { Table } from '../../src/base/table.ts'
import { GOSSIP_DEFAULTS, GOSSIP_PORT, type GossipOptions } from '../../src/gossip/config.ts'
import { type Gossip, startGossip } from '../../src/gossip/gossip.ts'
import { parseIp } from '../../src/model/ip.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import {
  type ClusterRecordId,
  type OwnRecord,
  type OwnRecordId,
  ownRecordIdOf,
  RECORD_KINDS,
} from '../../src/model/record.ts'
import type { NodeOrder } from './program.ts'
import { machineMs, type ProgramEvent } from './program-event.ts'

/** The key of the record that `publish` changes. */
const VALUE_KEY = 'value'
/** Besides, each node has as many VIPs, with a value of this size each. */
const VIPS = 10
const VIP_BYTES = 64

type Unstamped<E> = E extends ProgramEvent ? Omit<E, 'atMs'> : never

const order = JSON.parse(process.argv[2] ?? '') as NodeOrder
const log = openLog('warn')
const scope = new Scope((error) => log.error('a part of the node failed', { error }))
const registry = new Registry()
const own = new Table<OwnRecordId, OwnRecord>()
const saidStates = new Map<NodeId, string>()

say({ kind: 'ready' })
let gossip: Gossip | undefined
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value = ''] = line.split(' ')
  if (word === 'start') gossip = await start()
  else if (word === 'publish') publish(value)
  else if (word === 'state' && gossip !== undefined) sayState(gossip)
  else if (word === 'metrics') say({ kind: 'metrics', text: await registry.metrics() })
}
process.exit()

async function start(): Promise<Gossip> {
  own.update([...ownVips(), valueRow('0')], true)
  const parts = { clock: systemClock, random: systemRandom, registry, log, scope }
  const gossip = await startGossip({ ...parts, options: options(), address: ip(order.address) })
  say({ kind: 'started', name: gossip.self })
  gossip.members.onChange(({ keys }) => sayMembers(gossip, keys))
  gossip.records.onChange(({ keys }) => sayValues(gossip, keys))
  sayMembers(gossip, gossip.members.snapshot.rows.keys())
  gossip.publish(own)
  sayValues(gossip, gossip.records.snapshot.rows.keys())
  return gossip
}

function publish(value: string): void {
  say({ kind: 'published', value })
  own.update([valueRow(value)])
}

function options(): GossipOptions {
  const { address, seed, clusterId, keyFile, stateDirectory } = order
  return {
    ...GOSSIP_DEFAULTS,
    clusterId,
    keyFile,
    stateDirectory,
    listen: { address: ip(address), port: GOSSIP_PORT },
    seeds: seed === undefined ? [] : [{ address: ip(seed), port: GOSSIP_PORT }],
  }
}

function ip(text: string): NonNullable<ReturnType<typeof parseIp>> {
  const address = parseIp(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address
}

function valueRow(value: string): readonly [OwnRecordId, OwnRecord] {
  return row({
    kind: RECORD_KINDS.facts,
    schema: 1,
    key: VALUE_KEY,
    value: new TextEncoder().encode(value),
  })
}

function ownVips(): (readonly [OwnRecordId, OwnRecord])[] {
  return Array.from({ length: VIPS }, (_, index) =>
    row({
      kind: RECORD_KINDS.backends,
      schema: 1,
      key: `tcp/named:/vip-${index}:80`,
      value: new Uint8Array(VIP_BYTES).fill(index),
    }),
  )
}

function row(record: OwnRecord): readonly [OwnRecordId, OwnRecord] {
  return [ownRecordIdOf(record), record]
}

/** Only what differs from what was said last: round-trip times change all the time. */
function sayMembers({ members }: Gossip, keys: Iterable<NodeId>): void {
  for (const id of keys) {
    const state = members.snapshot.rows.get(id)?.state ?? 'forgotten'
    if (saidStates.get(id) === state) continue
    saidStates.set(id, state)
    say({ kind: 'member', name: id, state })
  }
}

function sayValues({ records }: Gossip, keys: Iterable<ClusterRecordId>): void {
  for (const key of keys) {
    const record = records.snapshot.rows.get(key)
    if (record?.key !== VALUE_KEY) continue
    say({ kind: 'change', name: record.node, value: new TextDecoder().decode(record.value) })
  }
}

function sayState({ members, records }: Gossip): void {
  const memberLines = [...members.snapshot.rows.values()].map((member) => {
    const { id, state, incarnation, heldVersion, knownVersion, recordCount } = member
    const { address, port } = member.endpoint
    const records = `${recordCount} records at ${heldVersion} of ${knownVersion}`
    return `${id} ${address} ${port} ${state} ${incarnation}, ${records}`
  })
  const recordLines = [...records.snapshot.rows].map(([key, { schema, version, value }]) => {
    const hash = createHash('sha256').update(value).digest('hex')
    return `${key} ${schema} ${version} ${hash}`
  })
  say({ kind: 'state', picture: [...memberLines, ...recordLines] })
}

function say(event: Unstamped<ProgramEvent>): void {
  process.stdout.write(`${JSON.stringify({ ...event, atMs: machineMs() })}\n`)
}
