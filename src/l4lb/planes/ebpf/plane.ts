/**
 * VIPs at connect time: BPF programs on a cgroup rewrite the destination of connect() and
 * sendmsg(), and show the VIP again in recvmsg() and getpeername(). One attachment serves every
 * network namespace; nothing is done per packet; the client's address is kept.
 *
 * Maps and links are pinned: the data path does not need this process.
 */
import { type Clock, systemClock } from '../../../base/clock.ts'
import { NavstarError } from '../../../base/error.ts'
import { type Log, silentLog } from '../../../base/log.ts'
import type { BpfLinkState, BpfMap } from '../../../kernel/bpf.ts'
import type { DestroyedSockets, SocketTarget } from '../../../kernel/sockets.ts'
import type { Cidr } from '../../../model/cidr.ts'
import type { Protocol } from '../../../model/port.ts'
import { type Service, serviceKeyOf } from '../../../model/vip.ts'
import type {
  OperationOutcome,
  Plane,
  PlaneObservation,
  PlaneOperation,
  PlaneStatistics,
  UnsupportedOption,
} from '../../plane.ts'
import { unsupportedOptions } from '../unsupported-options.ts'
import { words } from '../words.ts'
import { Endings } from './endings.ts'
import { HeldServices } from './held-services.ts'
import { encodeRange, isSameRange, RANGE_LIMIT } from './layout.ts'
import { Leaving } from './leaving.ts'
import type { ServiceMaps } from './observe.ts'
import type { SocketMaps } from './open-sockets.ts'
import type { Predecessor } from './predecessor.ts'
import {
  algorithmsFor,
  choosingOf,
  type EbpfAbilities,
  othersFor,
  renderChoosing,
} from './slot-set.ts'
import { readStatistics } from './statistics.ts'

/** Counts what becomes of TCP connections; where the kernel lacks it they are served uncounted. */
export const MEASURING_PROGRAM = 'sock_ops'

/** The programs, each with the attach point that its name says. */
export const PROGRAMS = [
  'connect4',
  'connect6',
  'sendmsg4',
  'sendmsg6',
  'recvmsg4',
  'recvmsg6',
  'getpeername4',
  'getpeername6',
  'sock_ops',
] as const

/** What the plane needs of the kernel: the loaded object, whose maps and programs are pinned. */
export interface EbpfKernel {
  readonly maps: ServiceMaps & SocketMaps & { readonly ranges: BpfMap }
  readonly abilities: EbpfAbilities
  /** Attaches the program, or adopts the pinned link of the same program. */
  attach(program: string): Promise<void>
  /** Opened to observe only: sockets are another's to end. */
  readonly isReadOnly?: true
  /** Destroys sockets in every network namespace that has a process of the cgroup. */
  destroySockets(protocol: Protocol, targets: readonly SocketTarget[]): Promise<DestroyedSockets>
  /** What a daemon of another version left. */
  readonly predecessor?: Predecessor
  /** Whether this very program is attached. */
  isCurrent(program: string): Promise<boolean>
  /** The state of the program's pinned link; undefined without one. */
  linkState(program: string): Promise<BpfLinkState | undefined>
  close(): void
}

/** What the plane is told. */
export interface EbpfPlaneOptions {
  /** Blocks of named VIPs: an address in them that is no VIP rejects at once. */
  readonly ranges: readonly Cidr[]
  readonly clock?: Clock
  readonly log?: Log
}

/** The `ebpf` plane. */
export class EbpfPlane implements Plane {
  readonly kind = 'ebpf'
  readonly #kernel: EbpfKernel
  readonly #ranges: readonly Cidr[]
  readonly #services: HeldServices
  readonly #endings: Endings
  #hasInherited = false

  constructor(
    kernel: EbpfKernel,
    { ranges, clock = systemClock, log = silentLog }: EbpfPlaneOptions,
  ) {
    this.#kernel = kernel
    this.#ranges = ranges
    this.#services = new HeldServices(kernel.maps, kernel.abilities)
    const { maps } = kernel
    const destroy: EbpfKernel['destroySockets'] = (protocol, targets) =>
      kernel.destroySockets(protocol, targets)
    this.#endings = new Endings(new Leaving({ maps, destroy, clock, log }), this.#services)
  }

  render(service: Service): string {
    return renderChoosing(service.backends, choosingOf(service, this.#kernel.abilities))
  }

  unsupported({ protocol, options }: Service): readonly UnsupportedOption[] {
    const { abilities } = this.#kernel
    return unsupportedOptions(options, {
      algorithms: algorithmsFor(protocol, abilities),
      others: othersFor(protocol, abilities),
    })
  }

  async statistics(): Promise<PlaneStatistics> {
    const { maps, abilities } = this.#kernel
    return readStatistics(await maps.measures.dump(), {
      seesConnections: abilities.seesConnections,
      has: (key, backend) => this.#services.has(key, backend),
    })
  }

  async observe(): Promise<PlaneObservation> {
    await this.#services.observe()
    if (!this.#hasInherited) await this.#inherit()
    if (this.#endsSockets()) await this.#endings.noteObserved()
    return { services: this.#services.renderings(), defects: await this.#defects() }
  }

  /**
   * Orphans go before services come: a service that is put again has the keys of its orphaned
   * members. Slots that VIPs shared go once these have their own. Programs come last: they must not find empty maps.
   */
  async apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]> {
    const isRepair = operations.some(({ kind }) => kind === 'repair')
    const swept = isRepair ? [...(await this.#services.sweep())] : []
    const failures = await this.#services.apply(operations)
    if (this.#endsSockets()) this.#endings.noteApplied(operations)
    if (isRepair) swept.push(...(await this.#services.sweep()))
    const outcomes: OperationOutcome[] = []
    for (const [index, operation] of operations.entries()) {
      const errno = failures.get(index)
      if (operation.kind === 'repair') outcomes.push(await this.#repair(operation, swept))
      else if (errno === undefined) outcomes.push({ operation })
      else
        outcomes.push({ operation, error: mapFailure(`${operation.kind} ${operation.key}`, errno) })
    }
    return outcomes
  }

  async audit(): Promise<boolean> {
    const { vips, slots, members, ranges } = this.#kernel.maps
    // At once: the thread that does it, and this one, wake up once and not for each map.
    const audits = Promise.all([vips, slots, members, ranges].map((map) => map.audit()))
    const [areSame, missing] = await Promise.all([audits, this.#missingPrograms()])
    return areSame.every(Boolean) && missing.length === 0
  }

  /** The kernel tells nobody of map writes: only the audit finds them. */
  onChange(): void {}

  async close(): Promise<void> {
    this.#endings.close()
    this.#kernel.close()
  }

  /** Serves what the programs of another version serve, before ours take their place. */
  async #inherit(): Promise<void> {
    const served = (await this.#kernel.predecessor?.services()) ?? []
    const held = this.#services.renderings()
    const puts = served.flatMap((service): PlaneOperation[] => {
      const key = serviceKeyOf(service)
      return held.has(key) ? [] : [{ kind: 'put', key, service }]
    })
    await this.#services.apply(puts)
    this.#hasInherited = true
  }

  async #defects(): Promise<string[]> {
    const programs = this.#programs()
    const areCurrent = await Promise.all(programs.map((each) => this.#kernel.isCurrent(each)))
    const missing = programs.filter((_, index) => areCurrent[index] === false)
    const { values } = await this.#kernel.maps.ranges.dump()
    const defects = missing.map((program) => `program ${program} is not attached`)
    if (!isSameRange(values, this.#ranges)) defects.push('VIP ranges differ')
    const { predecessor } = this.#kernel
    if (predecessor?.isLeft) defects.push(`pins of version ${predecessor.version} are left`)
    const { orphanCount } = this.#services
    if (orphanCount > 0) defects.push(`${orphanCount} map entries belong to no VIP`)
    return defects
  }

  #endsSockets(): boolean {
    return this.#kernel.abilities.endsSockets && this.#kernel.isReadOnly !== true
  }

  #programs(): readonly string[] {
    const { seesConnections } = this.#kernel.abilities
    return PROGRAMS.filter((program) => seesConnections || program !== MEASURING_PROGRAM)
  }

  async #missingPrograms(): Promise<string[]> {
    const programs = this.#programs()
    const states = await Promise.all(programs.map((program) => this.#kernel.linkState(program)))
    return programs.filter((_, index) => states[index]?.isAttached !== true)
  }

  async #repair(operation: PlaneOperation, swept: readonly number[]): Promise<OperationOutcome> {
    try {
      const indexes = Array.from({ length: RANGE_LIMIT }, (_, index) => index)
      const values = Buffer.concat(indexes.map((index) => encodeRange(this.#ranges[index])))
      const written = await this.#kernel.maps.ranges.update(words(indexes), values)
      for (const program of this.#programs()) await this.#kernel.attach(program)
      await this.#kernel.predecessor?.remove()
      const errno = [...swept, ...written].find((number) => number !== 0)
      return errno === undefined ? { operation } : { operation, error: mapFailure('repair', errno) }
    } catch (error) {
      return { operation, error: asLoadFailure(error) }
    }
  }
}

function mapFailure(attempt: string, errno: number): NavstarError {
  return new NavstarError('BPF_MAP_FAILED', { attempt, cause: `errno ${errno}` })
}

function asLoadFailure(error: unknown): NavstarError {
  if (error instanceof NavstarError) return error
  return new NavstarError('BPF_LOAD_FAILED', { attempt: 'attach the programs', cause: error })
}
