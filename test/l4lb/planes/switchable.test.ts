import { beforeEach, describe, expect, test } from 'vitest'
import { Table } from '../../../src/base/table.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { Plane, PlaneChange, PlaneOperation } from '../../../src/l4lb/plane.ts'
import { SwitchablePlane, type SwitchOrder } from '../../../src/l4lb/planes/switchable.ts'
import type { Service, ServiceKey } from '../../../src/model/vip.ts'
import { service, servicesOf } from '../services.ts'
import { FakeEbpf } from './fake-ebpf.ts'
import { FakeNetwork } from './fake-nftables.ts'
import { converge, expectExactly } from './rounds.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const API = service('tcp/11.0.0.2/443', '10.0.0.1:8080')

let clock: VirtualClock
let ebpf: FakeEbpf
let network: FakeNetwork
let services: Table<ServiceKey, Service>
let changes: PlaneChange[]
let steps: string[]
let plane: SwitchablePlane

beforeEach(async () => {
  clock = new VirtualClock()
  ebpf = new FakeEbpf()
  network = new FakeNetwork()
  services = new Table()
  services.replace(servicesOf(WEB, API))
  changes = []
  steps = []
  plane = new SwitchablePlane(noted(ebpf.plane()), clock)
  plane.onChange((change) => changes.push(change))
  await converge(plane, servicesOf(WEB, API))
  steps = []
})

describe('a plane that can be switched', () => {
  test('serves all by the new plane before it counts, and retires the old one after', async () => {
    await switchTo(network.plane())
    expect(plane.kind).toBe('nftables')
    expect(steps).toEqual([
      'nftables observe',
      'nftables apply',
      'nftables observe',
      'ebpf is retired while nftables serves',
      'ebpf close',
    ])
    await expectExactly(network.plane(), servicesOf(WEB, API))
    expect(changes).toEqual([{ subject: 'plane nftables', isOwn: false }])
  })

  test('gives packets that are on their way the time to meet the old plane', async () => {
    const switching = plane.switchTo(order(network.plane()))
    await clock.advance(100)
    expect(plane.kind).toBe('nftables')
    expect(steps).not.toContain('ebpf is retired while nftables serves')
    await clock.advance(200)
    await switching
    expect(steps).toContain('ebpf is retired while nftables serves')
  })

  test('goes on by the old plane when the new one fails, and undoes what that one began', async () => {
    const next = network.plane()
    next.apply = async (operations) => operations.map((operation) => ({ operation, error: FAILED }))
    const switching = switchTo(next)
    await expect(switching).rejects.toMatchObject({ code: 'PLANE_SWITCH_FAILED', cause: FAILED })
    expect(plane.kind).toBe('ebpf')
    expect(steps).toEqual([
      'nftables observe',
      'nftables apply',
      'nftables is retired while ebpf serves',
      'nftables close',
    ])
    expect(changes).toEqual([])
    expect(await plane.audit()).toBe(true)
    await expectExactly(ebpf.plane(), servicesOf(WEB, API))
  })

  test.each([
    {
      what: 'cannot be read',
      break: (next: Plane) => (next.observe = () => Promise.reject(FAILED)),
    },
    { what: 'does not keep it', break: (next: Plane) => (next.apply = async () => []) },
  ])('stays when the new plane $what', async ({ break: breaks }) => {
    const next = network.plane()
    breaks(next)
    await expect(switchTo(next)).rejects.toMatchObject({ code: 'PLANE_SWITCH_FAILED' })
    expect(plane.kind).toBe('ebpf')
  })

  test('stays while it is not known what is to be served', async () => {
    services = new Table()
    services.update([])
    await expect(switchTo(network.plane())).rejects.toMatchObject({ code: 'PLANE_SWITCH_FAILED' })
    expect(plane.kind).toBe('ebpf')
  })

  test('removes what the new plane held from an earlier time', async () => {
    await converge(network.plane(), servicesOf(service('tcp/11.0.0.9/80', '10.0.0.9:80')))
    await switchTo(network.plane())
    await expectExactly(network.plane(), servicesOf(WEB, API))
  })

  test('makes changes that come during a switch by the new plane', async () => {
    const later = service('tcp/11.0.0.3/80', '10.0.0.3:80')
    const key = 'tcp/11.0.0.3/80' as ServiceKey
    const switching = plane.switchTo(order(network.plane()))
    await Promise.resolve()
    const applying = plane.apply([{ kind: 'put', key, service: later }])
    await clock.advance(1_000)
    await Promise.all([switching, applying])
    await expectExactly(network.plane(), servicesOf(WEB, API, later))
  })

  test('is switched back to what was retired, one switch after another', async () => {
    const there = plane.switchTo(order(network.plane()))
    const back = plane.switchTo(order(ebpf.plane()))
    await clock.advance(1_000)
    await Promise.all([there, back])
    expect(plane.kind).toBe('ebpf')
    expect(steps.filter((step) => step.includes('retired'))).toEqual([
      'ebpf is retired while nftables serves',
      'nftables is retired while ebpf serves',
    ])
  })

  test('hears of changes to the plane that serves only', async () => {
    await switchTo(network.plane())
    changes = []
    network.tell({ kind: 'nftables', subject: 'navstar', isRemoval: false })
    expect(changes).toEqual([{ subject: 'nftables navstar', isOwn: true }])
    await switchTo(ebpf.plane())
    changes = []
    network.tell({ kind: 'nftables', subject: 'navstar', isRemoval: false })
    expect(changes).toEqual([])
  })
})

const FAILED = new Error('the kernel says no') as never

function order(next: Plane): SwitchOrder {
  return {
    next: noted(next),
    desired: () => services.snapshot,
    retire: async (kind) => void steps.push(`${kind} is retired while ${plane.kind} serves`),
    signal: new AbortController().signal,
  }
}

async function switchTo(next: Plane): Promise<void> {
  const switching = plane.switchTo(order(next))
  switching.catch(() => undefined) // the caller looks at it once time went on
  await clock.advance(1_000)
  await switching
}

/** Notes what is done to the plane. */
function noted<T extends Plane>(it: T): T {
  const { observe, apply, close } = it
  it.observe = () => {
    steps.push(`${it.kind} observe`)
    return observe.call(it)
  }
  it.apply = (operations: readonly PlaneOperation[]) => {
    steps.push(`${it.kind} apply`)
    return apply.call(it, operations)
  }
  it.close = () => {
    steps.push(`${it.kind} close`)
    return close.call(it)
  }
  return it
}
