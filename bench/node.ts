/** Runs bench/node-main.ts and the same work by `nft -f`. */
import { outputOf, spawnOnHost } from '../src/demo/host/host-process.ts'
import type { HostPlaces } from '../src/demo/places/places.ts'
import type { PlaneKind } from '../src/l4lb/plane.ts'
import { addNamespace } from './network.ts'
import type { PlanePlaces } from './planes.ts'

/** What a node is to do. */
export interface NodeOrder {
  readonly plane: PlaneKind
  readonly places: PlanePlaces
  readonly vips: number
  /** Of each VIP. */
  readonly backends: number
  /** How many single changes. */
  readonly changes: number
}

/** What happens to one backend of a VIP. */
export type ChangeKind = 'replace' | 'drain' | 'remove' | 'add'

/** What a node did; sizes in bytes. */
export interface NodeReport {
  /** From all records at once to the kernel having them. */
  readonly syncMs: number
  /** The part of it that derives services from records. */
  readonly deriveMs: number
  readonly rssBefore: number
  /** As the sync left it. */
  readonly rssFilled: number
  /** Once all garbage is gone. */
  readonly rssAfter: number
  readonly rssPeak: number
  readonly auditMs: readonly number[]
  readonly observeMs: number
  readonly changes: Readonly<Record<ChangeKind, readonly number[]>>
}

/** Runs a node in a process of its own, in fresh places. */
export async function runNode(
  host: HostPlaces,
  order: Omit<NodeOrder, 'places'>,
): Promise<NodeReport> {
  await addNamespace(host)
  const { namespacePath, cgroup, pinDirectory } = host
  const full: NodeOrder = { ...order, places: { namespacePath, cgroup, pinDirectory } }
  const program = new URL('node-main.ts', import.meta.url).pathname
  const limit = ['timeout', '-s', 'KILL', '120']
  const node = [process.execPath, '--expose-gc', program, JSON.stringify(full)]
  return JSON.parse(await outputOf(spawnOnHost(host, [...limit, ...node]))) as NodeReport
}
