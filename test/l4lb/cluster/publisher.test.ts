import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import {
  decodeAddressClaim,
  encodeAddressClaim,
} from '../../../src/l4lb/addresses/address-claim.ts'
import { ClaimFile } from '../../../src/l4lb/addresses/claim-file.ts'
import type { KeptClaims } from '../../../src/l4lb/addresses/own-claims.ts'
import { type OwnRecordId, ownRecordIdOf, RECORD_KINDS } from '../../../src/model/record.ts'
import { PlayedNode, settled } from '../addresses/cluster-nodes.ts'
import { ip, nodeId, port, record, vip } from '../records.ts'

const RANGES = [
  { first: ip('11.0.0.0'), last: ip('11.0.0.255') },
  { first: ip('fd01:c::'), last: ip('fd01:c::ff') },
]
const COOL_DOWN_MS = 60_000

let clock: VirtualClock
let node: PlayedNode

beforeEach(() => {
  clock = new VirtualClock()
})
afterEach(() => node.close())

async function start(kept?: KeptClaims): Promise<void> {
  const parts = { number: 1, ranges: RANGES, clock, coolDownMs: COOL_DOWN_MS }
  node = await PlayedNode.start(kept ? { ...parts, kept } : parts)
}

/** What is told, e.g. `6/4/web.marathon`. */
function toldIds(): string[] {
  return [...node.told.keys()].sort()
}

function claimTold(key: string) {
  const record = node.told.get(`${RECORD_KINDS.addressClaim}/${key}` as OwnRecordId)
  return record && decodeAddressClaim({ ...record, node: node.id })
}

/** Another node claims. */
function hearClaim(key: string, address: string, claimedAtMs: number): void {
  const claim = encodeAddressClaim(key, { address: ip(address), claimedAtMs })
  node.gossip.hear(nodeId(2), new Map([[ownRecordIdOf(claim), claim]]))
}

describe('a node tells', () => {
  test('one record per VIP; a change touches only its own', async () => {
    await start()
    node.set(record(), true)
    node.set(record({ port: port(8081) }), true)
    node.set(record({ vip: vip('/api') }), true)
    node.complete()
    await settled()
    expect(toldIds()).toEqual([
      '1/tcp/named:/api@marathon:80',
      '1/tcp/named:/web@marathon:80',
      '6/4/api.marathon',
      '6/4/web.marathon',
    ])
    const changes: string[][] = []
    node.publisher?.records.onChange(({ keys }) => changes.push([...keys]))
    node.set(record({ port: port(8081) }), false)
    await settled()
    node.set({ ...record() }, true) // another object that says the same
    await settled()
    expect(changes).toEqual([['1/tcp/named:/web@marathon:80']])
  })

  test('backends at once, claims when those of the cluster are known, and then is complete', async () => {
    await start()
    node.set(record(), true)
    node.own.update([], true)
    await settled()
    expect(toldIds()).toEqual(['1/tcp/named:/web@marathon:80'])
    expect(node.publisher?.records.snapshot.isComplete).toBe(false)
    node.gossip.records.update([], true)
    await settled()
    expect(toldIds()).toContain('6/4/web.marathon')
    expect(node.publisher?.records.snapshot.isComplete).toBe(true)
  })

  test('nothing of names behind literal VIPs, and one claim per family', async () => {
    await start()
    node.set(record({ vip: vip('10.1.2.3') }), true)
    node.set(record({ address: ip('fd00::1') }), true)
    node.complete()
    await settled()
    expect(toldIds().filter((id) => id.startsWith('6/'))).toEqual(['6/6/web.marathon'])
  })
})

describe('an address claim', () => {
  test('takes over address and time of the earliest one known', async () => {
    await start()
    hearClaim('4/web.marathon', '11.0.0.9', 5)
    node.set(record(), true)
    node.complete()
    await settled()
    expect(claimTold('4/web.marathon')).toMatchObject({
      claim: { address: '11.0.0.9', claimedAtMs: 5 },
    })
    node.gossip.hear(nodeId(2), new Map()) // its owner is gone, the rank stays
    await settled()
    expect(claimTold('4/web.marathon')).toMatchObject({
      claim: { address: '11.0.0.9', claimedAtMs: 5 },
    })
  })

  test('moves when it loses, keeps its time, and is reported', async () => {
    await start()
    node.set(record(), true)
    node.complete()
    await settled()
    const from = node.addresses.addressOf('web.marathon', 4)
    hearClaim('4/other.marathon', String(from), 5)
    await settled()
    const to = node.addresses.addressOf('web.marathon', 4)
    expect(to).not.toBe(from)
    expect(node.moves).toEqual([{ name: 'web.marathon', from, to }])
    expect(claimTold('4/web.marathon')).toMatchObject({
      claim: { address: to, claimedAtMs: clock.wallMs() },
    })
  })

  test('stays for the cool-down after the last backend, then goes', async () => {
    await start()
    node.set(record(), true)
    node.complete()
    await settled()
    node.set(record(), false)
    await settled()
    const releasedAtMs = clock.wallMs()
    expect(claimTold('4/web.marathon')).toMatchObject({ claim: { releasedAtMs } })
    expect(node.publisher?.claimCounts).toEqual({ held: 0, idle: 1 })
    await clock.advance(COOL_DOWN_MS - 1)
    expect(toldIds()).toEqual(['6/4/web.marathon'])
    await clock.advance(10_001)
    expect(toldIds()).toEqual([])
    expect(node.kept.size).toBe(0)
  })

  test('is in use again when a backend comes back', async () => {
    await start()
    node.set(record(), true)
    node.complete()
    await settled()
    const before = claimTold('4/web.marathon')
    node.set(record(), false)
    await settled()
    await clock.advance(COOL_DOWN_MS / 2)
    node.set(record({ port: port(8081) }), true)
    await settled()
    expect(claimTold('4/web.marathon')).toEqual(before)
    await clock.advance(2 * COOL_DOWN_MS)
    expect(claimTold('4/web.marathon')).toEqual(before)
  })

  test('outlives a restart, and counts from the start', async () => {
    const address = ip('11.0.0.200')
    await start(new Map([['4/web.marathon', { address, claimedAtMs: 7 }]]))
    expect(node.addresses.addressOf('web.marathon', 4)).toBe(address)
    expect(toldIds()).toEqual([])
    node.set(record(), true)
    node.complete()
    await settled()
    expect(claimTold('4/web.marathon')).toMatchObject({ claim: { address, claimedAtMs: 7 } })
    expect(node.moves).toEqual([])
  })

  test('of an earlier life gives way to what the cluster claims by now', async () => {
    const claims = [
      ['4/web.marathon', { address: ip('11.0.0.200'), claimedAtMs: 7 }],
      ['4/api.marathon', { address: ip('11.0.0.201'), claimedAtMs: 7 }],
    ] as const
    await start(new Map(claims))
    node.set(record(), true)
    node.set(record({ vip: vip('/api') }), true)
    const ours = ['4/web.marathon', '11.0.0.9', 50] as const
    const taken = encodeAddressClaim('4/db.marathon', {
      address: ip('11.0.0.201'),
      claimedAtMs: 60,
    })
    const [key, address, claimedAtMs] = ours
    const moved = encodeAddressClaim(key, { address: ip(address), claimedAtMs })
    const heard = [taken, moved].map((each) => [ownRecordIdOf(each), each] as const)
    node.gossip.hear(nodeId(2), new Map(heard))
    node.complete()
    await settled()
    expect(node.addresses.addressOf('web.marathon', 4)).toBe('11.0.0.9')
    expect(node.addresses.addressOf('db.marathon', 4)).toBe('11.0.0.201')
    expect(node.addresses.addressOf('api.marathon', 4)).not.toBe('11.0.0.201')
    expect(claimTold('4/web.marathon')).toMatchObject({ claim: { address, claimedAtMs } })
  })
})

describe('the file of claims', () => {
  let directory: string

  beforeEach(async () => {
    await start()
    directory = await mkdtemp(join(tmpdir(), 'navstar-claims-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  test('holds what was written, and leaves nothing else', async () => {
    const file = new ClaimFile(join(directory, 'state'))
    expect(await file.read()).toEqual({ claims: new Map() })
    const claims: KeptClaims = new Map([
      ['4/web.marathon', { address: ip('11.0.0.1'), claimedAtMs: 1 }],
      ['6/web.marathon', { address: ip('fd01:c::1'), claimedAtMs: 1, releasedAtMs: 2 }],
    ])
    await file.write(claims)
    await file.write(claims)
    expect(await file.read()).toEqual({ claims })
    expect(await readdir(join(directory, 'state'))).toEqual(['address-claims.json'])
  })

  test.each([
    ['no JSON', '{', 0],
    ['a list', '[]', 0],
    [
      'a broken claim',
      '{"4/a.b":{"address":"11.0.0.1","claimedAtMs":1},"4/b.b":{"address":"x"}}',
      1,
    ],
    ['another family', '{"4/a.b":{"address":"fd01:c::1","claimedAtMs":1}}', 0],
    ['a time that is none', '{"4/a.b":{"address":"11.0.0.1","claimedAtMs":-1}}', 0],
    ['a name that is none', '{"4/A b":{"address":"11.0.0.1","claimedAtMs":1}}', 0],
  ])('with %s is used as far as it can be, and reported', async (_, content, count) => {
    const path = join(directory, 'address-claims.json')
    await writeFile(path, content)
    const { claims, problem } = await new ClaimFile(directory).read()
    expect(claims.size).toBe(count)
    expect(problem?.code).toBe('ADDRESS_CLAIMS_UNREADABLE')
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test('that cannot be written is an error with a hint', async () => {
    await writeFile(join(directory, 'state'), '')
    const file = new ClaimFile(join(directory, 'state'))
    await expect(file.write(new Map())).rejects.toMatchObject({ code: 'ADDRESS_CLAIMS_NOT_KEPT' })
  })
})
