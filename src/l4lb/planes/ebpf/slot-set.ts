/** From a service to the slots of its set: which backend each holds, and how one is chosen. */

import { type Backend, formatEndpoint, type Service } from '../../../model/vip.ts'
import type { Algorithm, Drain, VipOptions } from '../../../model/vip-options.ts'
import { slotsOf } from '../../slots.ts'
import { maglevTable } from '../maglev.ts'
import { renderBackends } from '../render.ts'
import type { VipValue } from './layout.ts'

/** What the programs can do on this kernel. */
export interface EbpfAbilities {
  /** They are told what becomes of TCP connections. */
  readonly seesConnections: boolean
  /** They know whose a socket is. */
  readonly knowsClients: boolean
  /** Sockets can be destroyed. */
  readonly endsSockets: boolean
}

/** How a service is served: its options as far as the programs carry them out. */
export interface Choosing {
  readonly algorithm: Algorithm
  /** 0: none. */
  readonly affinitySeconds: number
  /** 0: none. */
  readonly connectionLimit: number
  readonly drain: Drain
}

/** The slots of a set in their order, and the entry of the VIP that they belong to. */
export interface SlotSet {
  readonly slots: readonly Backend[]
  readonly value: Omit<VipValue, 'set'>
}

/** Algorithms that look at open connections, which UDP has none of. */
const BY_CONNECTIONS: ReadonlySet<Algorithm> = new Set(['least-conn', 'p2c-ewma'])

/** The algorithms that serve a protocol. */
export function algorithmsFor(
  protocol: Service['protocol'],
  { seesConnections }: EbpfAbilities,
): readonly Algorithm[] {
  const all: readonly Algorithm[] = ['random', 'rr', 'least-conn', 'p2c-ewma', 'maglev']
  const isSeen = protocol === 'tcp' && seesConnections
  return isSeen ? all : all.filter((algorithm) => !BY_CONNECTIONS.has(algorithm))
}

/** The options that the programs carry out beside the algorithm. */
export function othersFor(
  protocol: Service['protocol'],
  { seesConnections, knowsClients, endsSockets }: EbpfAbilities,
): readonly (keyof VipOptions)[] {
  const isSeen = protocol === 'tcp' && seesConnections
  return [
    ...(knowsClients ? (['affinitySeconds'] as const) : []),
    ...(isSeen ? (['connectionLimit'] as const) : []),
    // Without sock_ops nobody knows which connections came through the VIP.
    ...(endsSockets && (isSeen || protocol === 'udp') ? (['drain'] as const) : []),
  ]
}

/** How the service is served on a kernel with these abilities. */
export function choosingOf({ protocol, options }: Service, abilities: EbpfAbilities): Choosing {
  const {
    algorithm = 'random',
    affinitySeconds = 0,
    connectionLimit = 0,
    drain = 'graceful',
  } = options ?? {}
  const others = othersFor(protocol, abilities)
  return {
    algorithm: algorithmsFor(protocol, abilities).includes(algorithm) ? algorithm : 'random',
    affinitySeconds: others.includes('affinitySeconds') ? affinitySeconds : 0,
    connectionLimit: others.includes('connectionLimit') ? connectionLimit : 0,
    // No time at all is a reset.
    drain: others.includes('drain') ? drain || 'reset' : 'graceful',
  }
}

/**
 * The slots of these backends. Each backend comes once before any comes twice, so that the first
 * ones are all of them, the heads; behind a table of maglev the heads follow.
 */
export function slotSetOf(backends: readonly Backend[], choosing: Choosing): SlotSet {
  const { affinitySeconds, connectionLimit, algorithm, drain } = choosing
  const inTurns = interleaved(sorted(slotsOf(backends)))
  const heads = new Set(inTurns).size
  const options = { algorithm, heads, affinitySeconds, connectionLimit, drain }
  if (algorithm !== 'maglev') {
    return { slots: inTurns, value: { ...options, slots: inTurns.length, firstHead: 0 } }
  }
  const table = maglevTable(sorted(backends).filter(({ weight }) => weight > 0))
  const slots = [...table, ...inTurns.slice(0, heads)]
  return { slots, value: { ...options, slots: table.length, firstHead: table.length } }
}

/** Backends and what is not the default, e.g. `10.0.0.1:80, 10.0.0.2:80 ×3; rr, limit 5`. */
export function renderChoosing(backends: readonly Backend[], choosing: Choosing): string {
  const { algorithm, affinitySeconds, connectionLimit, drain } = choosing
  const said = [
    ...(algorithm === 'random' ? [] : [algorithm]),
    ...(affinitySeconds === 0 ? [] : [`affinity ${affinitySeconds} s`]),
    ...(connectionLimit === 0 ? [] : [`limit ${connectionLimit}`]),
    ...(drain === 'graceful' ? [] : [drain === 'reset' ? 'drain at once' : `drain ${drain} s`]),
  ]
  const rendered = renderBackends(backends)
  return said.length === 0 ? rendered : `${rendered}; ${said.join(', ')}`
}

/** The order of the kernel's maps is none, so that of the text counts. */
function sorted(backends: readonly Backend[]): Backend[] {
  if (backends.length < 2) return [...backends]
  const texts = new Map(backends.map((backend) => [backend, formatEndpoint(backend)] as const))
  const textOf = (backend: Backend): string => texts.get(backend) ?? ''
  return [...backends].sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1))
}

/** Equal ones stand together in `slots`; here all take turns until each has had its share. */
function interleaved(slots: readonly Backend[]): Backend[] {
  const rounds: Backend[][] = []
  let round = 0
  slots.forEach((backend, index) => {
    round = slots[index - 1] === backend ? round + 1 : 0
    const members = rounds[round]
    if (members === undefined) rounds[round] = [backend]
    else members.push(backend)
  })
  return rounds.flat()
}
