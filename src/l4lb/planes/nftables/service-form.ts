/** From a service to what the table holds of it, and to the text by which both are compared. */
import { type Backend, formatEndpoint, type Service } from '../../../model/vip.ts'
import type { Algorithm, Drain, VipOptionName, VipOptions } from '../../../model/vip-options.ts'
import type { UnsupportedOption } from '../../plane.ts'
import { slotsOf } from '../../slots.ts'
import { maglevTable } from '../maglev.ts'
import { renderBackends } from '../render.ts'
import { unsupportedOptions } from '../unsupported-options.ts'
import type { SlotEndpoint } from './elements.ts'

/** How slots are drawn; which counter turns go by is not part of what is wanted. */
export type Way = 'random' | 'turns' | 'client'

/** What the table holds of a service. */
export interface ServiceForm {
  readonly way: Way
  /** The endpoint of each slot. Their order counts where the client's address chooses. */
  readonly slots: readonly SlotEndpoint[]
  /** Backends that take no new connections. */
  readonly draining: readonly SlotEndpoint[]
  readonly drain: Drain
}

const ALGORITHMS: readonly Algorithm[] = ['random', 'rr', 'maglev']
const OTHERS: readonly VipOptionName[] = ['affinitySeconds', 'drain']

/** Why it lacks what it lacks; the kernel offers a rule no such means. */
const REASONS: Readonly<Partial<Record<VipOptionName, string>>> = {
  algorithm: 'nf_tables knows neither how many connections a backend has nor how long they took',
  connectionLimit: 'nf_tables cannot pass over a backend that is full',
}

/** The form of a service. */
export function formOf({ backends, options }: Service): ServiceForm {
  const active = backends.filter(({ weight }) => weight > 0)
  const way = active.length > 1 ? wayOf(options) : 'random' // one backend gets all anyway
  return {
    way,
    slots: way === 'client' ? maglevTable(sorted(active)) : slotsOf(active),
    draining: backends.filter(({ weight }) => weight === 0),
    drain: options?.drain || (options?.drain === 0 ? 'reset' : 'graceful'),
  }
}

/** The options that the table does not carry out. */
export function unsupportedIn(options: VipOptions | undefined): readonly UnsupportedOption[] {
  const found = unsupportedOptions(options, { algorithms: ALGORITHMS, others: OTHERS })
  const explained = found.map(({ name, reason }) => ({ name, reason: REASONS[name] ?? reason }))
  const { algorithm = 'random', affinitySeconds = 0 } = options ?? {}
  const isOverruled = algorithm === 'rr' && affinitySeconds > 0
  if (!isOverruled) return explained
  return [...explained, { name: 'algorithm', reason: 'with affinity the client’s address chooses' }]
}

/** E.g. `10.0.0.1:80 ×3, 10.0.0.2:80, 10.0.0.3:80 draining; rr, drain 30 s`. */
export function renderForm({ way, slots, draining, drain }: ServiceForm): string {
  const backends = new Map<string, Backend>()
  for (const endpoint of slots) {
    const text = formatEndpoint(endpoint)
    backends.set(text, { ...endpoint, weight: (backends.get(text)?.weight ?? 0) + 1 })
  }
  const drained = draining.map((endpoint) => ({ ...endpoint, weight: 0 }))
  const rendered = renderBackends([...backends.values(), ...drained])
  const said = [
    ...(way === 'turns' ? ['rr'] : []),
    ...(way === 'client' ? [`by client ${digestOf(slots)}`] : []),
    ...(drain === 'graceful' ? [] : [drain === 'reset' ? 'drain at once' : `drain ${drain} s`]),
  ]
  return said.length === 0 ? rendered : `${rendered}; ${said.join(', ')}`
}

function wayOf({ algorithm, affinitySeconds = 0 }: VipOptions = {}): Way {
  if (affinitySeconds > 0 || algorithm === 'maglev') return 'client'
  return algorithm === 'rr' ? 'turns' : 'random'
}

/** The order that makes the same table on every node. */
function sorted(backends: readonly Backend[]): Backend[] {
  const texts = new Map(backends.map((backend) => [backend, formatEndpoint(backend)] as const))
  const textOf = (backend: Backend): string => texts.get(backend) ?? ''
  return [...backends].sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1))
}

/** Tells tables apart whose slots have other places. FNV-1a, 32 bits. */
function digestOf(slots: readonly SlotEndpoint[]): string {
  let state = 0x811c_9dc5
  for (const endpoint of slots) {
    const text = `${formatEndpoint(endpoint)} `
    for (let index = 0; index < text.length; index++) {
      state = Math.imul(state ^ text.charCodeAt(index), 0x0100_0193)
    }
  }
  return (state >>> 0).toString(16).padStart(8, '0')
}
