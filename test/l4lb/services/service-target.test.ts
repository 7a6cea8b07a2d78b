import { beforeEach, describe, expect, test } from 'vitest'
import { NavstarError } from '../../../src/base/error.ts'
import { Table } from '../../../src/base/table.ts'
import type {
  OperationOutcome,
  Plane,
  PlaneObservation,
  PlaneOperation,
} from '../../../src/l4lb/plane.ts'
import { renderBackends } from '../../../src/l4lb/planes/render.ts'
import { ServiceTarget } from '../../../src/l4lb/services/service-target.ts'
import type { Service, ServiceKey } from '../../../src/model/vip.ts'
import { service, servicesOf } from '../services.ts'

const A = service('tcp/11.0.0.1/80', '10.0.0.1:8080')
const B = service('tcp/11.0.0.2/80', '10.0.0.2:8080')
const A_KEY = 'tcp/11.0.0.1/80' as ServiceKey
const B_KEY = 'tcp/11.0.0.2/80' as ServiceKey
const FAILURE = new NavstarError('KERNEL_OPERATION_FAILED', { attempt: 'test' })

/** A plane of renderings. */
class Renderings implements Plane {
  unsupported(): [] {
    return []
  }

  async statistics() {
    return new Map()
  }

  readonly kind = 'ebpf'
  readonly held = new Map<ServiceKey, string>()
  readonly refused = new Set<ServiceKey | 'repair'>()
  defects: string[] = []

  render({ backends }: Service): string {
    return renderBackends(backends)
  }

  async observe(): Promise<PlaneObservation> {
    return { services: new Map(this.held), defects: [...this.defects] }
  }

  async apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]> {
    return operations.map((operation) => {
      const isRefused = this.refused.has(operation.kind === 'repair' ? 'repair' : operation.key)
      if (isRefused) return { operation, error: FAILURE }
      if (operation.kind === 'repair') this.defects = []
      else if (operation.kind === 'remove') this.held.delete(operation.key)
      else this.held.set(operation.key, this.render(operation.service))
      return { operation }
    })
  }

  async audit(): Promise<boolean> {
    return this.defects.length === 0
  }

  onChange(): void {}

  async close(): Promise<void> {}
}

let plane: Renderings
let services: Table<ServiceKey, Service>
let served: ServiceKey[]
let target: ServiceTarget

beforeEach(() => {
  plane = new Renderings()
  services = new Table()
  served = []
  target = new ServiceTarget({
    plane,
    desired: () => services.snapshot,
    onServed: (keys) => void served.push(...keys),
  })
  services.onChange(({ keys }) => target.touch(keys))
})

/** Plans and applies. @returns what was done */
async function round(): Promise<string[]> {
  served = []
  const operations = target.plan()
  await target.apply(operations)
  return operations.map((each) => (each.kind === 'repair' ? 'repair' : `${each.kind} ${each.key}`))
}

describe('the target of services', () => {
  test('compares everything after an observation and what changed since then', async () => {
    services.replace(servicesOf(A, B))
    plane.held.set(A_KEY, plane.render(A))
    await target.observe()
    expect(await round()).toEqual([`put ${B_KEY}`])
    expect(served).toContain(A_KEY)
    expect(served).toContain(B_KEY)
    services.update([[B_KEY, { ...B, backends: [] }]])
    expect(await round()).toEqual([`put ${B_KEY}`])
    expect(served).toEqual([B_KEY])
    services.update([[A_KEY, undefined]])
    expect(await round()).toEqual([`remove ${A_KEY}`])
    expect(await round()).toEqual([])
  })

  test('prunes once the inputs are complete, although no service changes then', async () => {
    plane.held.set(B_KEY, plane.render(B))
    services.update([[A_KEY, A]])
    await target.observe()
    expect(await round()).toEqual([`put ${A_KEY}`])
    services.update([], true)
    expect(target.preview()).toEqual([{ kind: 'remove', key: B_KEY }])
    expect(await round()).toEqual([`remove ${B_KEY}`])
    expect(await round()).toEqual([])
  })

  test('does not report a service as served before its kernel objects are there', async () => {
    services.replace(servicesOf(A, B))
    plane.refused.add(B_KEY)
    await target.observe()
    await round()
    expect(served).toEqual([A_KEY])
    expect([...target.failed.keys()]).toEqual([B_KEY])
    expect(target.servedRendering(B_KEY)).toBeUndefined()
    plane.refused.clear()
    await target.observe()
    await round()
    expect(served).toContain(B_KEY)
    expect(target.failed.size).toBe(0)
    expect(target.servedRendering(B_KEY)).toBe('10.0.0.2:8080')
  })

  test('reports no service while the plane is not whole', async () => {
    services.replace(servicesOf(A, B))
    plane.held.set(A_KEY, plane.render(A))
    plane.defects = ['table missing']
    plane.refused.add('repair')
    await target.observe()
    expect(await round()).toEqual(['repair', `put ${B_KEY}`])
    expect(served).toEqual([])
    plane.refused.clear()
    await target.observe()
    expect(await round()).toEqual(['repair'])
    expect(new Set(served)).toEqual(new Set([A_KEY, B_KEY]))
  })

  test('forgets the failure of a service that nobody wants any more', async () => {
    services.replace(servicesOf(A))
    plane.refused.add(A_KEY)
    await target.observe()
    await round()
    services.update([[A_KEY, undefined]])
    await target.observe()
    await round()
    expect(target.failed.size).toBe(0)
  })

  test('reports the end of a service that the kernel had lost before', async () => {
    services.replace(servicesOf(A, B))
    await target.observe()
    await round()
    services.update([[B_KEY, undefined]])
    plane.held.clear()
    plane.defects = ['table missing']
    plane.refused.add('repair')
    await target.observe()
    expect(await round()).toEqual(['repair', `put ${A_KEY}`])
    expect(served).toEqual([])
    plane.refused.clear()
    await target.observe()
    await round()
    expect(served).toContain(B_KEY)
  })

  test('keeps what changes while a plan is carried out for the next plan', async () => {
    services.replace(servicesOf(A))
    await target.observe()
    const operations = target.plan()
    services.update([[B_KEY, B]])
    await target.apply(operations)
    expect(await round()).toEqual([`put ${B_KEY}`])
  })

  test('passes the audit on', async () => {
    expect(await target.audit()).toBe(true)
    plane.defects = ['gone']
    expect(await target.audit()).toBe(false)
  })
})
