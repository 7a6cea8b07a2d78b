import { beforeEach, describe, expect, test } from 'vitest'
import { AddressBook } from '../../../src/l4lb/addresses/address-book.ts'
import { FormerAddresses } from '../../../src/l4lb/addresses/former-addresses.ts'
import { DesiredServices } from '../../../src/l4lb/services/desired-services.ts'
import type { BackendRecord } from '../../../src/model/backend-record.ts'
import type { Service, ServiceKey } from '../../../src/model/vip.ts'
import { ip, nodeId, port, record, vip } from '../records.ts'

const RANGES = [{ first: ip('11.0.0.0'), last: ip('11.0.0.255') }]
const DRAIN_MS = 60_000
const node = nodeId(2)

let addresses: AddressBook
let desired: DesiredServices
let held: Map<ServiceKey, Service>
let nowMs: number

beforeEach(() => {
  addresses = new AddressBook(RANGES)
  desired = new DesiredServices(addresses, DRAIN_MS)
  held = new Map()
  nowMs = 1000
})

function update(given: readonly (readonly [BackendRecord, boolean])[], moved?: Iterable<string>) {
  const changes = given.map(([each, isUp]) => [each.key, isUp ? each : undefined] as const)
  const context = { nodeIp: undefined, nowMs, ...(moved && { moved }) }
  for (const [key, service] of desired.update(changes, context)) {
    if (service === undefined) held.delete(key)
    else held.set(key, service)
  }
}

/** Another node claims an address for a name; undefined: no more. */
function claim(label: string, address: string | undefined, claimedAtMs = 5): void {
  const name = `${label}.marathon`
  const wanted = address === undefined ? undefined : { address: ip(address), claimedAtMs }
  update([], addresses.claim([{ family: 4, name, node, claim: wanted }]))
}

/** Served addresses with names and ports, `former` behind those that were. */
function served(): string[] {
  const texts = [...held.values()].map(({ address, port: each, name, isFormer, backends }) => {
    const weights = backends.map(({ weight }) => weight).join()
    return `${name} ${address}:${each} [${weights}]${isFormer === true ? ' former' : ''}`
  })
  return texts.sort()
}

describe('a name whose address moves', () => {
  beforeEach(() => {
    claim('web', '11.0.0.1')
    update([[record(), true]])
    expect(served()).toEqual(['web.marathon 11.0.0.1:80 [1]'])
    nowMs += 1000
    claim('web', '11.0.0.2')
  })

  test('is served at both for the drain time, with its present backends', () => {
    expect(served()).toEqual([
      'web.marathon 11.0.0.1:80 [1] former',
      'web.marathon 11.0.0.2:80 [1]',
    ])
    update([
      [record({ weight: 0 }), true],
      [record({ vipPort: port(443) }), true],
    ])
    expect(served()).toEqual([
      'web.marathon 11.0.0.1:443 [1] former',
      'web.marathon 11.0.0.1:80 [0] former',
      'web.marathon 11.0.0.2:443 [1]',
      'web.marathon 11.0.0.2:80 [0]',
    ])
    expect(desired.nextDueMs).toBe(nowMs + DRAIN_MS)
    nowMs += DRAIN_MS - 1
    update([])
    expect(served()).toHaveLength(4)
    nowMs += 1
    update([])
    expect(served()).toEqual(['web.marathon 11.0.0.2:443 [1]', 'web.marathon 11.0.0.2:80 [0]'])
    expect(desired.nextDueMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('loses the old one at once to a name that needs it, on all ports', () => {
    claim('api', '11.0.0.1')
    expect(served()).toContain('web.marathon 11.0.0.1:80 [1] former') // api has no backends
    update([[record({ vip: vip('/api'), vipPort: port(443) }), true]])
    expect(served()).toEqual(['api.marathon 11.0.0.1:443 [1]', 'web.marathon 11.0.0.2:80 [1]'])
    expect(desired.problems).toEqual([])
  })

  test('loses the old one to a literal VIP there, and gets it back', () => {
    const literal = record({ vip: vip('11.0.0.1'), address: ip('10.0.0.9') })
    update([[literal, true]])
    expect(served()).toEqual(['undefined 11.0.0.1:80 [1]', 'web.marathon 11.0.0.2:80 [1]'])
    expect(desired.problems).toEqual([])
    update([[literal, false]])
    expect(served()).toContain('web.marathon 11.0.0.1:80 [1] former')
  })

  test('ends at both with its last backend', () => {
    update([[record(), false]])
    expect(served()).toEqual([])
  })

  test('has one address when it moves back', () => {
    claim('web', '11.0.0.1')
    expect(served()).toEqual([
      'web.marathon 11.0.0.1:80 [1]',
      'web.marathon 11.0.0.2:80 [1] former',
    ])
  })
})

test('the loser of a contest is not served at the address that it lost', () => {
  claim('web', '11.0.0.1', 20)
  const api = record({ vip: vip('/api') })
  update([
    [record(), true],
    [api, true],
  ])
  claim('api', '11.0.0.1', 10)
  const api1 = served().filter((text) => text.includes(' 11.0.0.1:'))
  expect(api1).toEqual(['api.marathon 11.0.0.1:80 [1]'])
  expect(served().filter((text) => text.startsWith('web.'))).toHaveLength(1)
})

test('without a drain time nothing is kept', () => {
  const former = new FormerAddresses(0)
  former.add(ip('11.0.0.1'), 'web.marathon', 0)
  expect([...former.of('web.marathon')]).toEqual([])
  expect(former.nextDueMs).toBe(Number.POSITIVE_INFINITY)
})
